"""Deposits: what may be recorded."""
