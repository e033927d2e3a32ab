"""Sealing and opening: every size, every kind of damage, every unsuitable key."""

import io
import re
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallystick.crypto import age
from tallystick.crypto.age import bech32
from tallystick.crypto.age.bech32 import MalformedBech32Error
from tallystick.crypto.age.header import MalformedHeaderError, decode_base64, encode_base64

CHUNK = 64 * 1024
SEALED_CHUNK = CHUNK + 16
HYBRID = age.identity_from_seed(sha256(b"hybrid").digest())
CURVE = age.X25519Identity(seed=sha256(b"curve").digest())
# The example key pair of C2SP age.md.
SPEC_IDENTITY = "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX"
SPEC_RECIPIENT = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj"


class Trickle(io.BytesIO):
    """A stream that gives a few bytes at a time, as a socket may."""

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(min(size or 0, 1000))


def sealed_file(plain: bytes, *identities: age.Identity) -> bytes:
    out = io.BytesIO()
    age.seal(io.BytesIO(plain), out, [identity.recipient() for identity in identities])
    return out.getvalue()


def opened(sealed: bytes, identity: age.Identity) -> bytes:
    out = io.BytesIO()
    age.open_sealed(io.BytesIO(sealed), out, [identity])
    return out.getvalue()


def payload_at(sealed: bytes) -> int:
    """Return where the first chunk begins: after the header and the payload's nonce."""
    end = re.search(rb"\n--- [^\n]+\n", sealed)
    assert end is not None
    return end.end() + 16


@pytest.mark.parametrize("identity", [HYBRID, CURVE], ids=["hybrid", "x25519"])
@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 3 * CHUNK + 5])
def test_what_was_sealed_is_what_is_opened(identity: age.Identity, size: int) -> None:
    plain = bytes(range(256)) * (size // 256) + bytes(range(size % 256))
    assert opened(sealed_file(plain, identity), identity) == plain


@given(pieces=st.lists(st.integers(0, 3 * CHUNK), max_size=5))
@settings(max_examples=20, deadline=None)
def test_writing_in_pieces_gives_the_same_payload(pieces: list[int]) -> None:
    out = io.BytesIO()
    writer = age.SealingWriter(out, [CURVE.recipient()])
    for number, piece in enumerate(pieces):
        writer.write(bytes([number]) * piece)
    sealed = writer.finish()
    plain = b"".join(bytes([number]) * piece for number, piece in enumerate(pieces))
    assert opened(out.getvalue(), CURVE) == plain
    assert sealed.size_bytes == len(out.getvalue())
    chunks = max(1, -(-len(plain) // CHUNK))
    assert len(out.getvalue()) - payload_at(out.getvalue()) == len(plain) + 16 * chunks


def test_sealing_and_opening_measure_the_same_file() -> None:
    out = io.BytesIO()
    sealed = age.seal(io.BytesIO(b"x" * 100_000), out, [HYBRID.recipient()])
    raw = out.getvalue()
    assert sealed == age.Sealed(digest=sealed.digest, size_bytes=len(raw))
    assert sealed.digest == "sha256:" + sha256(raw).hexdigest()
    assert age.open_sealed(io.BytesIO(raw), io.BytesIO(), [HYBRID]) == sealed


def test_stream_that_trickles_is_sealed_and_opened() -> None:
    out, plain = io.BytesIO(), io.BytesIO()
    age.seal(Trickle(b"y" * 200_000), out, [CURVE.recipient()])
    age.open_sealed(Trickle(out.getvalue()), plain, [CURVE])
    assert plain.getvalue() == b"y" * 200_000


def test_each_recipient_opens_and_a_stranger_does_not() -> None:
    people = [age.new_identity() for _ in range(3)]
    sealed = sealed_file(b"for three", *people)
    assert [opened(sealed, person) for person in people] == [b"for three"] * 3
    with pytest.raises(age.NoIdentityMatchesError):
        opened(sealed, age.new_identity())


def test_same_plaintext_is_never_sealed_twice_the_same() -> None:
    assert sealed_file(b"same", HYBRID) != sealed_file(b"same", HYBRID)


def test_recipients_that_undo_each_other_are_refused() -> None:
    unsuitable: list[list[age.Recipient]] = [
        [],
        [HYBRID.recipient(), CURVE.recipient()],
        [CURVE.recipient()] * 65,
    ]
    for recipients in unsuitable:
        with pytest.raises(age.UnsuitableRecipientsError):
            age.SealingWriter(io.BytesIO(), recipients)


def test_most_recipients_allowed_can_also_be_read() -> None:
    assert opened(sealed_file(b"all", *[CURVE] * 64), CURVE) == b"all"


def test_every_altered_byte_of_a_small_file_is_noticed() -> None:
    sealed = sealed_file(b"short", CURVE)
    for at in range(len(sealed)):
        altered = bytearray(sealed)
        altered[at] ^= 1
        with pytest.raises(age.AgeError):
            opened(bytes(altered), CURVE)


def test_file_cut_off_anywhere_is_refused() -> None:
    sealed = sealed_file(b"short", CURVE)
    for size in range(len(sealed)):
        with pytest.raises(age.AgeError):
            opened(sealed[:size], CURVE)


def chunks_of(sealed: bytes) -> tuple[bytes, list[bytes]]:
    start = payload_at(sealed)
    return sealed[:start], [sealed[at : at + SEALED_CHUNK] for at in range(start, len(sealed), SEALED_CHUNK)]


@pytest.mark.parametrize("last", [CHUNK, 10], ids=["full last chunk", "short last chunk"])
def test_chunks_moved_repeated_dropped_or_appended_are_refused(last: int) -> None:
    head, (one, two, three) = chunks_of(sealed_file(b"a" * CHUNK + b"b" * CHUNK + b"c" * last, CURVE))
    damaged = {
        "swapped": [two, one, three],
        "repeated": [one, one, two, three],
        "first dropped": [two, three],
        "last dropped": [one, two],
        "last repeated": [one, two, three, three],
        "trailing": [one, two, three, b"\0"],
        "final chunk first": [three],
        "nothing": [],
    }
    for chunks in damaged.values():
        with pytest.raises(age.PayloadAlteredError):
            opened(head + b"".join(chunks), CURVE)


def test_payload_under_another_files_header_is_refused() -> None:
    one, other = sealed_file(b"one", CURVE), sealed_file(b"two", CURVE)
    with pytest.raises(age.PayloadAlteredError):
        opened(one[: payload_at(one)] + other[payload_at(other) :], CURVE)


def test_stanza_added_by_another_is_noticed() -> None:
    sealed = sealed_file(b"x", CURVE)
    with pytest.raises(age.HeaderAlteredError):
        opened(sealed.replace(b"\n-> ", b"\n-> grease\n\n-> ", 1), CURVE)


def test_header_larger_than_allowed_is_refused() -> None:
    head, rest = b"age-encryption.org/v1\n", b"--- " + b"A" * 43 + b"\n"
    for middle in (
        b"-> a\n\n" * 65,
        b"-> " + b"a" * 5000 + b"\n\n",
        b"-> a\n" + (b"A" * 64 + b"\n") * 70 + b"\n",
    ):
        with pytest.raises(age.MalformedHeaderError):
            opened(head + middle + rest, CURVE)


def test_header_without_a_stanza_is_refused() -> None:
    with pytest.raises(age.MalformedHeaderError):
        opened(b"age-encryption.org/v1\n--- " + b"A" * 43 + b"\n" + bytes(32), CURVE)


def test_opening_in_memory_is_bounded() -> None:
    sealed = age.seal_bytes(b"z" * CHUNK, [CURVE.recipient()])
    with pytest.raises(age.SealedTooLargeError):
        age.open_bytes(sealed, [CURVE])
    assert age.open_bytes(age.seal_bytes(b"share", [CURVE.recipient()]), [CURVE]) == b"share"


@pytest.mark.parametrize("identity", [HYBRID, CURVE], ids=["hybrid", "x25519"])
def test_keys_survive_their_text(identity: age.Identity) -> None:
    assert age.parse_identity(identity.secret_text()) == identity
    assert age.parse_recipient(str(identity.recipient())) == identity.recipient()
    assert identity.secret_text() == identity.secret_text().upper()
    assert str(identity.recipient()) == str(identity.recipient()).lower()


def test_example_keys_of_the_specification_are_read() -> None:
    assert str(age.parse_identity(SPEC_IDENTITY).recipient()) == SPEC_RECIPIENT


def test_prefix_tells_the_kinds_apart() -> None:
    assert HYBRID.secret_text().startswith("AGE-SECRET-KEY-PQ-1")
    assert str(HYBRID.recipient()).startswith("age1pq1")
    assert CURVE.secret_text().startswith("AGE-SECRET-KEY-1")
    assert str(CURVE.recipient()).startswith("age1")


@pytest.mark.parametrize(
    "text",
    [
        SPEC_IDENTITY.lower(),
        SPEC_RECIPIENT,
        bech32.encode("age-secret-key-", bytes(31)).upper(),
        bech32.encode("age-secret-key-pq-", bytes(33)).upper(),
        bech32.encode("age-plugin-x-", bytes(32)).upper(),
    ],
)
def test_identity_of_another_kind_is_refused(text: str) -> None:
    with pytest.raises(age.MalformedAgeKeyError):
        age.parse_identity(text)


@pytest.mark.parametrize(
    "text",
    [
        SPEC_RECIPIENT.upper(),
        SPEC_IDENTITY,
        bech32.encode("age", bytes(31)),
        bech32.encode("age1pq", bytes(1215)),
        bech32.encode("age1pq", b"\xff" * 1216),
        bech32.encode("age1tag", bytes(33)),
    ],
    ids=["upper case", "identity", "short", "short hybrid", "not reduced", "other kind"],
)
def test_recipient_of_another_kind_is_refused(text: str) -> None:
    with pytest.raises(age.MalformedAgeKeyError):
        age.parse_recipient(text)


@pytest.mark.parametrize("around", ["{} ", " {}", "{}\n", "{}\v", "{}\x85"])
def test_a_key_with_a_space_around_it_is_another_text_and_is_refused(around: str) -> None:
    with pytest.raises(MalformedBech32Error):
        age.parse_recipient(around.format(SPEC_RECIPIENT))
    with pytest.raises(MalformedBech32Error):
        age.parse_identity(around.format(SPEC_IDENTITY))


def test_recipient_of_low_order_is_refused_when_sealing() -> None:
    for point in (bytes(32), (1).to_bytes(32, "little")):
        with pytest.raises(age.MalformedAgeKeyError):
            age.seal_bytes(b"x", [age.X25519Recipient(point=point)])
        with pytest.raises(age.MalformedAgeKeyError):
            age.HybridRecipient(encoded=HYBRID.recipient().encoded[:-32] + point)


def test_identity_does_not_show_its_seed() -> None:
    for identity in (HYBRID, CURVE):
        shown = f"{identity!r} {identity}"
        assert repr(identity.seed) not in shown
        assert identity.secret_text() not in shown
        assert identity.seed.hex() not in shown


# BIP 173, "Test vectors": the valid ones, and the invalid ones but for length.
@pytest.mark.parametrize(
    "text",
    [
        "A12UEL5L",
        "a12uel5l",
        "an83characterlonghumanreadablepartthatcontainsthenumber1andtheexcludedcharactersbio1tt5tgs",
        "abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw",
        "split1checkupstagehandshakeupstreamerranterredcaperred2y9e3w",
        "?1ezyfcl",
    ],
)
def test_bech32_vectors_of_bip_173_are_read(text: str) -> None:
    prefix, payload = bech32.decode(text)
    assert bech32.encode(prefix.lower(), payload) == text.lower()


@pytest.mark.parametrize(
    "text",
    [
        "\x201nwldj5",
        "\x7f1axkwrx",
        "\x801eym55h",
        "pzry9x0s0muk",
        "1pzry9x0s0muk",
        "x1b4n0q5v",
        "li1dgmt3",
        "de1lg7wt\xff",
        "A1G7SGD8",
        "10a06t8",
        "1qzzfhee",
        "a12UEL5L",
        "",
        "1",
        "age" * 2000,
    ],
)
def test_bech32_that_is_not_is_refused(text: str) -> None:
    with pytest.raises(bech32.MalformedBech32Error):
        bech32.decode(text)


@pytest.mark.parametrize(
    "text",
    ["age1v93pjh56ke", "age1v93xxer9qwq9uev", "age1qdd35qf"],
    ids=["not zero", "too long", "only padding"],
)
def test_bech32_with_wrong_padding_is_refused(text: str) -> None:
    with pytest.raises(bech32.MalformedBech32Error, match="padding"):
        bech32.decode(text)


@given(
    payload=st.binary(max_size=80),
    at=st.integers(0, 200),
    letter=st.sampled_from("qpzry9x8gf2tvdw0s3jn54khce6mua7l"),
)
def test_one_mistyped_letter_is_noticed(payload: bytes, at: int, letter: str) -> None:
    text = bech32.encode("age", payload)
    place = 4 + at % (len(text) - 4)
    if text[place] == letter:
        assert bech32.decode(text) == ("age", payload)
        return
    with pytest.raises(bech32.MalformedBech32Error):
        bech32.decode(text[:place] + letter + text[place + 1 :])


@pytest.mark.parametrize("text", ["QQ==", "QR", "Q", "QQ\n", "Q-", "Q Q", "é"])
def test_base64_that_is_not_canonical_is_refused(text: str) -> None:
    with pytest.raises(MalformedHeaderError):
        decode_base64(text)


@given(st.binary(max_size=100))
def test_base64_survives(raw: bytes) -> None:
    assert decode_base64(encode_base64(raw)) == raw


@pytest.mark.parametrize("size", [8 * CHUNK, 8 * CHUNK + 1, 50 * CHUNK - 7])
def test_digest_is_of_the_whole_sealed_file_in_order(size: int) -> None:
    plain = bytes(range(251)) * (size // 251 + 1)
    out = io.BytesIO()
    made = age.seal(io.BytesIO(plain[:size]), out, [CURVE.recipient()])
    read = age.open_sealed(io.BytesIO(out.getvalue()), io.BytesIO(), [CURVE])
    assert made == read
    assert made.digest == "sha256:" + sha256(out.getvalue()).hexdigest()
    assert made.size_bytes == len(out.getvalue())
