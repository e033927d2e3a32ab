"""Ed25519: only sound points count, and no signature has a second spelling."""

import copy
import json
import pickle
from itertools import pairwise
from pathlib import Path

import nacl.bindings
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.crypto.keys import (
    InvalidPointError,
    SigningKey,
    check_point,
    key_id,
    public_key_bytes,
    public_key_of,
    verifies,
)

# "Taming the many EdDSAs" (eprint 2020/1244): its twelve vectors, by number.
SPECCHECK: list[dict[str, str]] = json.loads(
    (Path(__file__).parent / "data" / "ed25519-speccheck.json").read_text()
)
SMALL_OR_MIXED_ORDER = [0, 1, 2, 3, 4, 5, 8, 9, 10, 11]
GROUP_ORDER = 2**252 + 27742317777372353535851937790883648493
# All encodings of the eight points of small order, canonical or not.
SMALL_ORDER_ENCODINGS = [
    head + tail
    for head, tails in {
        "01" + "00" * 30: ("00", "80"),
        "00" * 31: ("00", "80"),
        "ec" + "ff" * 30: ("7f", "ff"),
        "ed" + "ff" * 30: ("7f", "ff"),
        "ee" + "ff" * 30: ("7f", "ff"),
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc": ("05", "85"),
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03": ("7a", "fa"),
    }.items()
    for tail in tails
]
KEY = SigningKey(bytes(range(32)))


def test_rfc_8032_first_vector_is_reproduced() -> None:
    key = SigningKey(bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"))
    assert key.public_key == "ed25519:d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
    assert key.sign(b"").hex() == (
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
        "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
    )
    assert verifies(key.public_key, b"", key.sign(b""))


@pytest.mark.parametrize("number", SMALL_OR_MIXED_ORDER)
def test_speccheck_key_of_small_or_mixed_order_is_refused(number: int) -> None:
    key = public_key_of(bytes.fromhex(SPECCHECK[number]["pub_key"]))
    with pytest.raises(InvalidPointError):
        check_point(key)


@pytest.mark.parametrize("number", range(12))
def test_speccheck_signature_never_verifies(number: int) -> None:
    vector = {name: bytes.fromhex(value) for name, value in SPECCHECK[number].items()}
    assert not verifies(public_key_of(vector["pub_key"]), vector["message"], vector["signature"])


def test_speccheck_vector_3_is_refused_by_the_point_check_alone() -> None:
    vector = {name: bytes.fromhex(value) for name, value in SPECCHECK[3].items()}
    opened = nacl.bindings.crypto_sign_open(vector["signature"] + vector["message"], vector["pub_key"])
    assert opened == vector["message"]
    assert not verifies(public_key_of(vector["pub_key"]), vector["message"], vector["signature"])


@pytest.mark.parametrize("encoding", SMALL_ORDER_ENCODINGS)
def test_each_encoding_of_a_small_order_point_is_refused(encoding: str) -> None:
    assert len(set(SMALL_ORDER_ENCODINGS)) == 14
    with pytest.raises(InvalidPointError):
        check_point(public_key_of(bytes.fromhex(encoding)))


def test_a_key_off_the_curve_is_refused() -> None:
    with pytest.raises(InvalidPointError):
        check_point(public_key_of(b"\x02" + bytes(31)))


@given(st.binary(min_size=32, max_size=32))
def test_each_generated_key_is_a_sound_point(seed: bytes) -> None:
    check_point(SigningKey(seed).public_key)


def test_signature_with_unreduced_scalar_is_refused() -> None:
    signature = KEY.sign(b"message")
    scalar = int.from_bytes(signature[32:], "little")
    for multiple in range(1, 15):
        respelled = signature[:32] + (scalar + multiple * GROUP_ORDER).to_bytes(32, "little")
        assert not verifies(KEY.public_key, b"message", respelled)
    assert verifies(KEY.public_key, b"message", signature)


def test_any_flipped_bit_of_a_signature_is_refused() -> None:
    signature = KEY.sign(b"message")
    for bit in range(512):
        flipped = bytearray(signature)
        flipped[bit // 8] ^= 1 << bit % 8
        assert not verifies(KEY.public_key, b"message", bytes(flipped))


@pytest.mark.parametrize("length", [0, 63, 65])
def test_signature_of_another_length_is_refused(length: int) -> None:
    assert not verifies(KEY.public_key, b"message", (KEY.sign(b"message") * 2)[:length])


def test_signature_is_of_one_message_under_one_key() -> None:
    signature = KEY.sign(b"message")
    assert not verifies(KEY.public_key, b"messagf", signature)
    assert not verifies(SigningKey(bytes(32)).public_key, b"message", signature)


def test_generated_keys_differ() -> None:
    assert all(a.public_key != b.public_key for a, b in pairwise(SigningKey.generate() for _ in range(4)))


def test_signing_key_shows_only_its_public_half() -> None:
    for shown in (repr(KEY), str(KEY), f"{KEY}", repr([KEY])):
        assert KEY.public_key in shown
        assert KEY.secret_seed().hex() not in shown


def test_signing_key_does_not_travel() -> None:
    with pytest.raises(TypeError):
        pickle.dumps(KEY)
    with pytest.raises(TypeError):
        copy.copy(KEY)
    assert not hasattr(KEY, "__dict__")


def test_public_key_is_written_and_read_back() -> None:
    assert public_key_of(public_key_bytes(KEY.public_key)) == KEY.public_key


def test_key_id_is_the_digest_of_the_key_bytes() -> None:
    key = SigningKey(bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"))
    assert key_id(key.public_key) == "sha256:21fe31dfa154a261626bf854046fd2271b7bed4b6abe45aa58877ef47f9721b9"
