"""The demonstration: a whole release on this machine."""
