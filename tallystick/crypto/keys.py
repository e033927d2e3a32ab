"""Ed25519 keys: made, checked, used to sign and to verify.

Only libsodium (PyNaCl) verifies here. OpenSSL, and so `cryptography`, accepts
public keys of small order, under which one signature fits many messages; libsodium
refuses those, and keys of mixed order are refused by the point check.
"""

from functools import lru_cache
from typing import Final, NoReturn

import nacl.bindings
import nacl.exceptions
import nacl.signing

from tallystick.domain.errors import TallystickError
from tallystick.domain.ids import Digest, PublicKey, sha256_digest
from tallystick.limits.documents import KEYS_KEPT_MAX

SEED_SIZE_BYTES: Final = 32
PUBLIC_KEY_SIZE_BYTES: Final = 32
SIGNATURE_SIZE_BYTES: Final = 64

assert nacl.bindings.has_crypto_core_ed25519, "libsodium was built without the point check"


class InvalidPointError(TallystickError):
    """A public key that is not a point of the prime-order group."""

    code = "invalid-point"
    why = "The key is not a canonical point of edwards25519 in the prime-order group."
    advice = "Make a new key with `tallystick key new`; a sound key generator never makes such a key."


class SigningKey:
    """A private Ed25519 key, which shows itself only as its public key.

    It cannot be pickled or copied into a message: workflow history, logs and
    exceptions must never hold it.
    """

    __slots__ = ("_key",)

    def __init__(self, seed: bytes) -> None:
        assert len(seed) == SEED_SIZE_BYTES, "an Ed25519 seed has 32 bytes"  # checked where it is read
        self._key = nacl.signing.SigningKey(seed)

    @classmethod
    def generate(cls) -> "SigningKey":
        """Return a new key from the system's randomness."""
        return cls(bytes(nacl.signing.SigningKey.generate()))

    @property
    def public_key(self) -> PublicKey:
        """The public half, by which its holder is known everywhere."""
        return public_key_of(bytes(self._key.verify_key))

    def sign(self, message: bytes) -> bytes:
        """Return the 64-byte signature of `message` (RFC 8032, pure Ed25519)."""
        return self._key.sign(message).signature

    def secret_seed(self) -> bytes:
        """Return the 32 secret bytes, for a key file and for nothing else."""
        return bytes(self._key)

    def __repr__(self) -> str:
        return f"SigningKey({self.public_key})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a signing key is not pickled")


def public_key_of(raw: bytes) -> PublicKey:
    """Return the written form of a 32-byte public key; its point is not checked."""
    assert len(raw) == PUBLIC_KEY_SIZE_BYTES, "an Ed25519 public key has 32 bytes"  # checked where it is read
    return PublicKey("ed25519:" + raw.hex())


def public_key_bytes(public_key: PublicKey) -> bytes:
    """Return the 32 bytes of `public_key` (RFC 8032 section 5.1.2)."""
    return bytes.fromhex(public_key.removeprefix("ed25519:"))


@lru_cache(maxsize=KEYS_KEPT_MAX)
def key_id(public_key: PublicKey) -> Digest:
    """Return the SHA-256 of the 32 key bytes: a hint in envelopes, `sub` in bearer tokens."""
    return sha256_digest(public_key_bytes(public_key))


@lru_cache(maxsize=KEYS_KEPT_MAX)  # it takes as long as verifying, and few keys sign many statements
def is_sound_point(public_key: PublicKey) -> bool:
    """Tell whether the key is a canonical point of the prime-order group, not the identity."""
    return nacl.bindings.crypto_core_ed25519_is_valid_point(public_key_bytes(public_key))


def check_point(public_key: PublicKey) -> None:
    """Refuse a key of small or mixed order, and one written in a non-canonical form.

    Raises:
        InvalidPointError: Signatures under this key would prove nothing.
    """
    if not is_sound_point(public_key):
        raise InvalidPointError("the public key is not sound", public_key=public_key)


def verifies(public_key: PublicKey, message: bytes, signature: bytes) -> bool:
    """Tell whether `signature` is of `message` under `public_key`.

    Nothing verifies under a key that is not a sound point; neither does a signature
    whose scalar is not reduced (RFC 8032 section 5.1.7), so no signature has a second spelling.
    """
    if len(signature) != SIGNATURE_SIZE_BYTES or not is_sound_point(public_key):
        return False
    try:
        nacl.signing.VerifyKey(public_key_bytes(public_key)).verify(message, signature)
    except nacl.exceptions.BadSignatureError:
        return False
    return True
