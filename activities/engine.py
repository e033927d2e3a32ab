"""Statements that the deployment signs by itself."""

import hashlib
from typing import Final

from tallystick.crypto.json.canonical import canonical_bytes
from tallystick.domain.json import JsonObject

_NONCE_HEX_DIGITS: Final = 32


def nonce_of(members: JsonObject) -> str:
    """Return the nonce of the engine's statement that a request with these members makes, always the same."""
    return hashlib.sha256(canonical_bytes(members)).hexdigest()[:_NONCE_HEX_DIGITS]
