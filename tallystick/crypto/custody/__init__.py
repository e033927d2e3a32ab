"""Shares of a key: dealt, sealed, verified, recombined."""
