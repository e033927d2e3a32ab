"""age v1 files and keys, and custody shares. The twin: pyrage, the Python binding of the Rust age library."""

import io
from collections.abc import Iterable
from importlib import import_module
from typing import Any, Final

from tallystick.crypto import age
from tallystick.crypto.age.header import encode_base64, read_header
from tallystick.crypto.age.keys import X25519Identity
from tallystick.crypto.custody.edwards import MalformedGroupElementError, scalar
from tallystick.crypto.custody.sharing import Share, parse_share
from tallystick.domain.errors import MalformedError
from tests.fuzz.target import Target

_PLAIN: Final = bytes(range(256)) * 257  # a little more than one chunk
_IDENTITY: Final = X25519Identity(seed=bytes(range(32)))
_HYBRID: Final = age.identity_from_seed(bytes(range(32)))
_PYRAGE: Final[Any] = import_module("pyrage")  # it has no types
_THEIRS: Final = _PYRAGE.x25519.Identity.from_str(_IDENTITY.secret_text())
_LETTERS: Final = frozenset(map(chr, range(33, 127)))


def judge_header(data: bytes) -> bool:
    """An accepted header is canonical: written again, it is the bytes that were read."""
    source = io.BytesIO(data)
    try:
        header = read_header(source)
    except age.AgeError:
        return False
    assert header.covered + b" " + encode_base64(header.mac).encode() + b"\n" == data[: source.tell()]
    return True


def judge_sealed_file(data: bytes) -> bool:
    """What opens here opens with pyrage, to the same bytes."""
    opened = io.BytesIO()
    try:
        age.open_sealed(io.BytesIO(data), opened, [_IDENTITY, _HYBRID])
    except age.AgeError:
        return False
    plain = opened.getvalue()
    if b"X25519" in data[:64]:
        assert _PYRAGE.decrypt(data, [_THEIRS]) == plain
    assert plain in {b"", _PLAIN, b"short"}, "an altered file was opened"
    return True


def judge_key(data: bytes) -> bool:
    """A key that is read is written again as the same text, and pyrage reads the plain ones too."""
    text = data.decode("latin-1")
    try:
        written = str(age.parse_recipient(text)) if text.startswith("age1") else _secret(text)
    except MalformedError:
        return False
    assert written == text
    if text.startswith("age1") and not text.startswith("age1pq1"):
        assert str(_PYRAGE.x25519.Recipient.from_str(text)) == text
    return True


def _secret(text: str) -> str:
    return age.parse_identity(text).secret_text()


def judge_share(data: bytes) -> bool:
    """A share that is read has reduced scalars, neither above the order of the group."""
    try:
        share = parse_share(data)
    except MalformedGroupElementError:
        return False
    assert share.encode() == data
    order = 2**252 + 27742317777372353535851937790883648493
    assert max(int.from_bytes(part, "little") for part in (data[:32], data[32:])) < order
    return True


def _files() -> Iterable[bytes]:
    for plain in (b"", b"short", _PLAIN):
        yield age.seal_bytes(plain, [_IDENTITY.recipient()])
        yield age.seal_bytes(plain, [_HYBRID.recipient()])
    yield age.seal_bytes(b"short", [_HYBRID.recipient(), age.new_identity().recipient()])


def _keys() -> Iterable[bytes]:
    for identity in (_IDENTITY, _HYBRID):
        yield str(identity.recipient()).encode()
        yield str(identity.recipient()).encode() + b"\v"
        yield identity.secret_text().encode()


def _shares() -> Iterable[bytes]:
    yield Share(value=scalar(bytes([7]) + bytes(31)), blinding=scalar(bytes([9]) + bytes(31))).encode()
    yield bytes(64)


TARGETS: Final = (
    Target(name="age-header", judge=judge_header, seeds=lambda: (file[:4096] for file in _files())),
    Target(name="age-file", judge=judge_sealed_file, seeds=_files, size_bytes_max=128 * 1024),
    Target(name="age-key", judge=judge_key, seeds=_keys, size_bytes_max=4096),
    Target(name="share", judge=judge_share, seeds=_shares, size_bytes_max=128),
)
