"""Who asks: a token that a person's own key signs, good for five minutes."""

from dataclasses import dataclass
from datetime import datetime

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tallystick.crypto.keyfile import PrivateKeys
from tallystick.crypto.keys import key_id
from tallystick.limits.client import BEARER_BACKDATED, BEARER_LIFETIME


@dataclass(frozen=True, slots=True, kw_only=True)
class Bearer:
    """A token, and the moment until which it is used."""

    token: str
    until: datetime


def bearer_token(keys: PrivateKeys, *, deployment: str, at: datetime) -> str:
    """Return a JWT (RFC 7519, EdDSA) that says who is asking, for five minutes; no decision rests on it."""
    issued_at = at - BEARER_BACKDATED
    says = {
        "sub": key_id(keys.signing_key.public_key),
        "aud": deployment,
        "iat": int(issued_at.timestamp()),
        "exp": int((issued_at + BEARER_LIFETIME).timestamp()),
    }
    key = Ed25519PrivateKey.from_private_bytes(keys.signing_key.secret_seed())
    return jwt.encode(says, key, algorithm="EdDSA")
