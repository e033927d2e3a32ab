"""Tallystick: escrowed software that opens only when everyone who must agree has signed.

This package is the core: the rules, the formats, the stores, and what people run on their own machines.
`domain` has the rules; docs/architecture.md says where everything else is. The server's programs stand
beside it: `api`, `workflows` and `activities`.
"""

__version__ = "0.1.0"
