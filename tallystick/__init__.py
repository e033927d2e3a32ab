"""Tallystick: escrowed software that opens only when everyone who must agree has signed."""

__version__ = "0.1.0"
