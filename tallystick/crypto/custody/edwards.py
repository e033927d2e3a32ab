"""Pedersen commitments on edwards25519 (RFC 8032 §5.1), over libsodium by PyNaCl.

libsodium takes points unchecked and refuses the scalar zero; this module deals with
both, so that no other has to. A point from outside passes `point`, a scalar
from outside `scalar`, before anything is computed with it.
"""

import hashlib
from typing import Final, NewType

from nacl import bindings
from nacl.utils import random as random_bytes

from tallystick.domain.errors import MalformedError

Scalar = NewType("Scalar", bytes)
"""32 bytes, little-endian, less than the group's order."""
Point = NewType("Point", bytes)
"""32 bytes, canonical, in the main subgroup; the identity only as an intermediate result."""

SCALAR_BYTES: Final = 32
POINT_BYTES: Final = 32
ORDER: Final = 2**252 + 27742317777372353535851937790883648493
ZERO: Final = Scalar(bytes(SCALAR_BYTES))
_IDENTITY: Final = Point(b"\x01" + bytes(31))
_BLINDING_LABEL: Final = b"tallystick/v1/pedersen-H"

assert bindings.has_crypto_core_ed25519, "libsodium was built without its edwards25519 arithmetic"


class MalformedGroupElementError(MalformedError):
    """Bytes that are not a usable point or scalar of edwards25519."""

    code = "group-element-malformed"
    why = "A point is not canonical, not in the main subgroup or of small order; or a scalar is not reduced."
    advice = "Ask the dealer to make the commitments or the share again; these are unusable."


# Nobody knows the logarithm of H to the base G: H is hashed to the curve from a public label.
BLINDING_BASE: Final = Point(
    bindings.crypto_core_ed25519_from_uniform(hashlib.sha256(_BLINDING_LABEL).digest())
)


def point(raw: bytes) -> Point:
    """Return `raw` as a point that may be computed with.

    Raises:
        MalformedGroupElementError: Not canonical, not in the main subgroup, or of small order.
    """
    if len(raw) != POINT_BYTES or not bindings.crypto_core_ed25519_is_valid_point(raw):
        raise MalformedGroupElementError("the bytes are not a point of the main subgroup")
    return Point(raw)


def scalar(raw: bytes) -> Scalar:
    """Return `raw` as a scalar that may be computed with; zero may.

    Raises:
        MalformedGroupElementError: Not 32 bytes, or not less than the group's order.
    """
    if len(raw) != SCALAR_BYTES or int.from_bytes(raw, "little") >= ORDER:
        raise MalformedGroupElementError("the bytes are not a reduced scalar")
    return Scalar(raw)


def random_scalar() -> Scalar:
    """Return a uniformly random scalar (64 random bytes, reduced)."""
    return Scalar(bindings.crypto_core_ed25519_scalar_reduce(random_bytes(64)))


def small_scalar(value: int) -> Scalar:
    """Return a public integer as a scalar."""
    return Scalar((value % ORDER).to_bytes(SCALAR_BYTES, "little"))


def add(one: Scalar, other: Scalar) -> Scalar:
    """Return the sum of two scalars."""
    return Scalar(bindings.crypto_core_ed25519_scalar_add(one, other))


def multiply(one: Scalar, other: Scalar) -> Scalar:
    """Return the product of two scalars."""
    return Scalar(bindings.crypto_core_ed25519_scalar_mul(one, other))


def add_points(one: Point, other: Point) -> Point:
    """Return the sum of two points, either of which may be the identity."""
    return Point(bindings.crypto_core_ed25519_add(one, other))


def times(factor: Scalar, base: Point) -> Point:
    """Return `factor` times `base`; zero times anything, and any times the identity, is the identity."""
    if factor == ZERO or base == _IDENTITY:
        return _IDENTITY
    return Point(bindings.crypto_scalarmult_ed25519_noclamp(factor, base))


def commit(value: Scalar, blinding: Scalar) -> Point:
    """Return the Pedersen commitment `value`·G + `blinding`·H."""
    if value == ZERO:
        return times(blinding, BLINDING_BASE)
    return add_points(
        Point(bindings.crypto_scalarmult_ed25519_base_noclamp(value)), times(blinding, BLINDING_BASE)
    )
