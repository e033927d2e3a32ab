"""Curve25519 points of low order (RFC 7748 §6.1): nothing is ever sealed to one."""

import io

import pytest

from tallystick.crypto import age
from tallystick.crypto.age import bech32

# Every key that gives a zero shared secret in Project Wycheproof's x25519_test.json: all there are,
# in each spelling. The top bit of the last byte is ignored by X25519.
LOW_ORDER = [
    head + tail
    for head, tails in {
        "00" * 31: ("00", "80"),
        "01" + "00" * 30: ("00", "80"),
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f11": ("57", "d7"),
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b8": ("00", "80"),
        "ec" + "ff" * 30: ("7f", "ff"),
        "ed" + "ff" * 30: ("7f", "ff"),
        "ee" + "ff" * 30: ("7f", "ff"),
    }.items()
    for tail in tails
]
SOUND = age.identity_from_seed(bytes(range(32))).recipient()


@pytest.mark.parametrize("point", LOW_ORDER)
def test_x25519_recipient_of_low_order_is_refused_before_anything_is_sealed(point: str) -> None:
    text, sealed = bech32.encode("age", bytes.fromhex(point)), io.BytesIO()
    with pytest.raises(age.MalformedAgeKeyError, match="low order"):
        age.seal(io.BytesIO(b"secret"), sealed, [age.parse_recipient(text)])
    assert sealed.getvalue() == b""


@pytest.mark.parametrize("point", LOW_ORDER)
def test_hybrid_recipient_with_a_point_of_low_order_is_refused_when_read(point: str) -> None:
    text = bech32.encode("age1pq", SOUND.encoded[:-32] + bytes.fromhex(point))
    with pytest.raises(age.MalformedAgeKeyError, match="low order"):
        age.parse_recipient(text)
