"""Without a key anyone sees how a file is sealed, and whether a stanza could open for anybody."""

import io
from dataclasses import replace

import pytest

from tallystick.crypto.age import MalformedHeaderError, new_identity, seal_bytes, sealed_to
from tallystick.crypto.age.header import Stanza, encode_base64, encode_header
from tallystick.crypto.age.keys import FILE_KEY_BYTES, X25519Identity
from tallystick.limits.sealing import AGE_HEADER_BYTES_MAX, AGE_STANZAS_MAX

RECIPIENT = new_identity().recipient()
FILE_KEY = bytes(FILE_KEY_BYTES)
SOUND = RECIPIENT.wrap(FILE_KEY)
POINT_BYTES = 32


def seen(*stanzas: Stanza) -> tuple[str, ...]:
    return sealed_to(io.BytesIO(encode_header(stanzas, FILE_KEY)))


def test_each_recipient_is_one_stanza_of_its_type() -> None:
    classic = X25519Identity(seed=bytes(range(32))).recipient()
    assert sealed_to(io.BytesIO(seal_bytes(b"", [RECIPIENT, RECIPIENT]))) == 2 * ("mlkem768x25519",)
    assert seen(SOUND, classic.wrap(FILE_KEY), Stanza(kind="x-grease", arguments=(), body=b"")) == (
        "mlkem768x25519",
        "X25519",
        "x-grease",
    )


def test_the_longest_header_fits_what_is_read_of_a_file() -> None:
    header = encode_header([RECIPIENT.wrap(FILE_KEY) for _ in range(AGE_STANZAS_MAX)], FILE_KEY)
    assert len(header) <= AGE_HEADER_BYTES_MAX
    assert len(sealed_to(io.BytesIO(header[:AGE_HEADER_BYTES_MAX]))) == AGE_STANZAS_MAX


@pytest.mark.parametrize(
    "stanza",
    [
        replace(SOUND, arguments=()),
        replace(SOUND, arguments=(*SOUND.arguments, "more")),
        replace(SOUND, arguments=(encode_base64(bytes(1088 + POINT_BYTES - 1)),)),
        replace(SOUND, body=SOUND.body[:-1]),
        replace(SOUND, arguments=(encode_base64(bytes(1088) + bytes(POINT_BYTES)),)),
        Stanza(kind="X25519", arguments=(encode_base64(bytes(POINT_BYTES)),), body=SOUND.body),
    ],
    ids=["no-share", "two-shares", "short-share", "short-body", "low-order", "low-order-x25519"],
)
def test_a_native_stanza_that_nobody_could_open_is_refused(stanza: Stanza) -> None:
    with pytest.raises(MalformedHeaderError):
        seen(SOUND, stanza)


def test_the_same_stanza_twice_is_not_two_recipients() -> None:
    with pytest.raises(MalformedHeaderError, match="twice"):
        seen(SOUND, SOUND)
