"""The HTTP door: it parses, authorises, verifies and hands over."""
