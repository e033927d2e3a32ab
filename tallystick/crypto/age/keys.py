"""age's native key pairs: X25519 and the post-quantum hybrid MLKEM768-X25519 (C2SP age.md).

A recipient seals, and is public; an identity opens, and is secret: it shows itself
only through `secret_text` and never in a `repr`.
"""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hpke import (
    AEAD,
    KDF,
    KEM,
    MLKEM768X25519PrivateKey,
    MLKEM768X25519PublicKey,
    Suite,
)

from tallystick.crypto.age import bech32
from tallystick.crypto.age.header import (
    AgeError,
    MalformedHeaderError,
    Stanza,
    decode_base64,
    encode_base64,
    hkdf,
)
from tallystick.domain.errors import MalformedError

SEED_BYTES: Final = 32
FILE_KEY_BYTES: Final = 16
_WRAPPED_BYTES: Final = FILE_KEY_BYTES + 16  # and Poly1305's tag
_X25519_BYTES: Final = 32
_MLKEM_SEED_BYTES: Final = 64
_MLKEM_PUBLIC_BYTES: Final = 1184
_MLKEM_CIPHERTEXT_BYTES: Final = 1088
_HYBRID_SHARE_BYTES: Final = _MLKEM_CIPHERTEXT_BYTES + _X25519_BYTES
_X25519_INFO: Final = b"age-encryption.org/v1/X25519"
_HYBRID_INFO: Final = b"age-encryption.org/mlkem768x25519"
_HPKE: Final = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)
_ZERO_NONCE: Final = bytes(12)


class MalformedAgeKeyError(AgeError, MalformedError):
    """Text that is not an age recipient or identity of a known kind."""

    code = "age-key-malformed"
    why = "The text is not a native age recipient or identity."
    advice = "Give an age1pq1… or age1… recipient, or an AGE-SECRET-KEY-PQ-1… or AGE-SECRET-KEY-1… identity."


@dataclass(frozen=True, kw_only=True, slots=True)
class X25519Recipient:
    """An `age1…` recipient: 32 bytes, a Curve25519 point. Not safe against quantum computers."""

    PREFIX: ClassVar[str] = "age"
    STANZA: ClassVar[str] = "X25519"
    POST_QUANTUM: ClassVar[bool] = False

    point: bytes

    def __post_init__(self) -> None:
        """Refuse a point of low order: nothing could be sealed to it."""
        _exchange(X25519PrivateKey.generate(), self.point, MalformedAgeKeyError)

    def __str__(self) -> str:
        """Return the recipient as `age1…`."""
        return bech32.encode(self.PREFIX, self.point)

    def wrap(self, file_key: bytes) -> Stanza:
        """Return a stanza that wraps `file_key` under a fresh ephemeral key."""
        ephemeral = X25519PrivateKey.generate()
        share = ephemeral.public_key().public_bytes_raw()
        shared = _exchange(ephemeral, self.point, MalformedAgeKeyError)
        key = hkdf(shared, salt=share + self.point, info=_X25519_INFO)
        body = ChaCha20Poly1305(key).encrypt(_ZERO_NONCE, file_key, None)
        return Stanza(kind=self.STANZA, arguments=(encode_base64(share),), body=body)


@dataclass(frozen=True, kw_only=True, slots=True)
class HybridRecipient:
    """An `age1pq1…` recipient: 1,216 bytes, an ML-KEM-768 key and a Curve25519 point."""

    PREFIX: ClassVar[str] = "age1pq"
    STANZA: ClassVar[str] = "mlkem768x25519"
    POST_QUANTUM: ClassVar[bool] = True

    encoded: bytes

    def __post_init__(self) -> None:
        """Refuse a key that ML-KEM refuses (FIPS 203 §7.2, modulus check), or a point of low order."""
        self._key()
        _exchange(X25519PrivateKey.generate(), self.encoded[_MLKEM_PUBLIC_BYTES:], MalformedAgeKeyError)

    def __str__(self) -> str:
        """Return the recipient as `age1pq1…`."""
        return bech32.encode(self.PREFIX, self.encoded)

    def wrap(self, file_key: bytes) -> Stanza:
        """Return a stanza that wraps `file_key` by HPKE (RFC 9180, SealBase)."""
        wrapped = _HPKE.encrypt(file_key, self._key(), _HYBRID_INFO)
        share, body = wrapped[:_HYBRID_SHARE_BYTES], wrapped[_HYBRID_SHARE_BYTES:]
        return Stanza(kind=self.STANZA, arguments=(encode_base64(share),), body=body)

    def _key(self) -> MLKEM768X25519PublicKey:
        lattice, point = self.encoded[:_MLKEM_PUBLIC_BYTES], self.encoded[_MLKEM_PUBLIC_BYTES:]
        try:
            return MLKEM768X25519PublicKey(
                MLKEM768PublicKey.from_public_bytes(lattice), X25519PublicKey.from_public_bytes(point)
            )
        except ValueError as error:
            raise MalformedAgeKeyError("not an ML-KEM-768 key and a Curve25519 point") from error


@dataclass(frozen=True, kw_only=True, slots=True)
class X25519Identity:
    """An `AGE-SECRET-KEY-1…` identity: a 32-byte scalar."""

    PREFIX: ClassVar[str] = "AGE-SECRET-KEY-"

    seed: bytes = field(repr=False)

    def recipient(self) -> X25519Recipient:
        """Return the recipient that this identity opens for."""
        return X25519Recipient(point=self._key().public_key().public_bytes_raw())

    def secret_text(self) -> str:
        """Return the identity as `AGE-SECRET-KEY-1…`, a secret."""
        return bech32.encode(self.PREFIX.lower(), self.seed).upper()

    def unwrap(self, stanzas: Sequence[Stanza]) -> bytes | None:
        """Return the file key, or None if no stanza is addressed to this identity.

        Raises:
            MalformedHeaderError: An X25519 stanza breaks the rules of its type.
        """
        own = [_checked(stanza) for stanza in stanzas if stanza.kind == X25519Recipient.STANZA]
        return next((key for share, body in own if (key := self._open(share, body))), None)

    def _open(self, share: bytes, body: bytes) -> bytes | None:
        shared = _exchange(self._key(), share, MalformedHeaderError)
        key = hkdf(shared, salt=share + self.recipient().point, info=_X25519_INFO)
        try:
            return ChaCha20Poly1305(key).decrypt(_ZERO_NONCE, body, None)
        except InvalidTag:
            return None

    def _key(self) -> X25519PrivateKey:
        return X25519PrivateKey.from_private_bytes(self.seed)


@dataclass(frozen=True, kw_only=True, slots=True)
class HybridIdentity:
    """An `AGE-SECRET-KEY-PQ-1…` identity: a 32-byte seed that SHAKE-256 expands (X-Wing)."""

    PREFIX: ClassVar[str] = "AGE-SECRET-KEY-PQ-"

    seed: bytes = field(repr=False)

    def recipient(self) -> HybridRecipient:
        """Return the recipient that this identity opens for."""
        lattice, scalar = self._keys()
        point = scalar.public_key().public_bytes_raw()
        return HybridRecipient(encoded=lattice.public_key().public_bytes_raw() + point)

    def secret_text(self) -> str:
        """Return the identity as `AGE-SECRET-KEY-PQ-1…`, a secret."""
        return bech32.encode(self.PREFIX.lower(), self.seed).upper()

    def unwrap(self, stanzas: Sequence[Stanza]) -> bytes | None:
        """Return the file key, or None if no stanza is addressed to this identity.

        Raises:
            MalformedHeaderError: An mlkem768x25519 stanza breaks the rules of its type.
        """
        own = [_checked(stanza) for stanza in stanzas if stanza.kind == HybridRecipient.STANZA]
        return next((key for share, body in own if (key := self._open(share, body))), None)

    def _open(self, share: bytes, body: bytes) -> bytes | None:
        lattice, scalar = self._keys()
        # HPKE fails in the same way for a low-order point and for a wrong key; age.md tells them apart.
        _exchange(scalar, share[_MLKEM_CIPHERTEXT_BYTES:], MalformedHeaderError)
        try:
            return _HPKE.decrypt(share + body, MLKEM768X25519PrivateKey(lattice, scalar), _HYBRID_INFO)
        except InvalidTag:
            return None

    def _keys(self) -> tuple[MLKEM768PrivateKey, X25519PrivateKey]:
        expanded = hashlib.shake_256(self.seed).digest(_MLKEM_SEED_BYTES + _X25519_BYTES)
        lattice, scalar = expanded[:_MLKEM_SEED_BYTES], expanded[_MLKEM_SEED_BYTES:]
        return MLKEM768PrivateKey.from_seed_bytes(lattice), X25519PrivateKey.from_private_bytes(scalar)


Recipient = X25519Recipient | HybridRecipient
Identity = X25519Identity | HybridIdentity

_SHARE_BYTES: Final = {X25519Recipient.STANZA: _X25519_BYTES, HybridRecipient.STANZA: _HYBRID_SHARE_BYTES}
"""The size of the share of each native type; its last 32 bytes are a Curve25519 point."""


def new_identity() -> HybridIdentity:
    """Return a fresh post-quantum hybrid identity."""
    return identity_from_seed(secrets.token_bytes(SEED_BYTES))


def identity_from_seed(seed: bytes) -> HybridIdentity:
    """Return the post-quantum hybrid identity of a 32-byte secret `seed`."""
    assert len(seed) == SEED_BYTES
    return HybridIdentity(seed=seed)


def parse_identity(text: str) -> Identity:
    """Return the identity that `text` writes, in upper case as age does, without a space around it.

    Raises:
        MalformedAgeKeyError: It is of another kind, or of a wrong length.
        MalformedBech32Error: It was mistyped.
    """
    prefix, seed = bech32.decode(text)
    if len(seed) == SEED_BYTES and prefix == HybridIdentity.PREFIX:
        return HybridIdentity(seed=seed)
    if len(seed) == SEED_BYTES and prefix == X25519Identity.PREFIX:
        return X25519Identity(seed=seed)
    raise MalformedAgeKeyError("not an identity")


def parse_recipient(text: str) -> Recipient:
    """Return the recipient that `text` writes, in lower case as age does, without a space around it.

    Raises:
        MalformedAgeKeyError: It is of another kind, of a wrong length, or no valid key.
        MalformedBech32Error: It was mistyped.
    """
    prefix, key = bech32.decode(text)
    if prefix == HybridRecipient.PREFIX and len(key) == _MLKEM_PUBLIC_BYTES + _X25519_BYTES:
        return HybridRecipient(encoded=key)
    if prefix == X25519Recipient.PREFIX and len(key) == _X25519_BYTES:
        return X25519Recipient(point=key)
    raise MalformedAgeKeyError("the text is not a recipient", prefix=prefix[:32])


def check_form(stanza: Stanza) -> None:
    """Refuse a native stanza that no identity could open; no key is needed to see that.

    Raises:
        MalformedHeaderError: It breaks the rules of its type.
    """
    if stanza.kind in _SHARE_BYTES:
        share, _ = _checked(stanza)
        _exchange(X25519PrivateKey.generate(), share[-_X25519_BYTES:], MalformedHeaderError)


def _checked(stanza: Stanza) -> tuple[bytes, bytes]:
    """Return the share and body of a native `stanza`, whose sizes are checked before any key is tried."""
    if len(stanza.arguments) != 1:
        raise MalformedHeaderError("a stanza has too many or too few arguments", stanza=stanza.kind)
    share = decode_base64(stanza.arguments[0])
    if len(share) != _SHARE_BYTES[stanza.kind] or len(stanza.body) != _WRAPPED_BYTES:
        raise MalformedHeaderError("a stanza's share or body has a wrong size", stanza=stanza.kind)
    return share, stanza.body


def _exchange(own: X25519PrivateKey, point: bytes, refusal: type[AgeError]) -> bytes:
    try:
        return own.exchange(X25519PublicKey.from_public_bytes(point))
    except ValueError as error:  # RFC 7748 §6.1: the all-zero shared secret of a low-order point
        raise refusal("a point of low order") from error
