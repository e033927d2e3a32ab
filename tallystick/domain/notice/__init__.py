"""Notices: when one is proven, and what the letters say."""
