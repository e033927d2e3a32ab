"""What a leaf of a log hashes: a salted commitment to an envelope, and when it was accepted.

Anyone may see the log without learning what the agreement says: without the salt,
nobody can tell whether a guessed envelope is in it.
"""

import hashlib
import secrets
from datetime import datetime
from typing import Final

from tallystick.crypto.json.canonical import canonical_bytes
from tallystick.domain.codec import instant_text
from tallystick.domain.ids import as_digest

SALT_SIZE_BYTES: Final = 32
_VERSION: Final = 1


def new_salt() -> bytes:
    """Return 32 random bytes, for one leaf."""
    return secrets.token_bytes(SALT_SIZE_BYTES)


def leaf_bytes(*, accepted_at: datetime, envelope: bytes, salt: bytes) -> bytes:
    """Return the entry that is hashed into the tree, as RFC 8785 JSON.

    `envelope` is the canonical envelope, signatures included; the salt has a fixed
    size, so that there is no doubt where it ends.
    """
    assert len(salt) == SALT_SIZE_BYTES, "a salt has 32 bytes"
    commitment = as_digest(hashlib.sha256(salt + envelope).digest())
    return canonical_bytes({"at": instant_text(accepted_at), "digest": commitment, "v": _VERSION})
