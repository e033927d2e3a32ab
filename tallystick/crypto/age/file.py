"""Sealing and opening age v1 files (C2SP age.md), streaming, in bounded memory.

Anyone who holds the identity opens what we seal with stock `age` (1.3 or later for
`age1pq1…`), and needs none of our software.
"""

import hashlib
import io
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import BinaryIO, Final

from tallystick.crypto.age.header import (
    AgeError,
    LineSource,
    MalformedHeaderError,
    encode_header,
    read_header,
)
from tallystick.crypto.age.keys import (
    FILE_KEY_BYTES,
    Identity,
    Recipient,
    check_form,
)
from tallystick.crypto.age.stream import (
    CHUNK_BYTES,
    NONCE_BYTES,
    ByteSink,
    ChunkWriter,
    copy_opened,
)
from tallystick.domain.ids import Digest, as_digest
from tallystick.limits.sealing import AGE_STANZAS_MAX, SEALED_BYTES_MAX

_READ_BYTES: Final = 4 * CHUNK_BYTES


class NoIdentityMatchesError(AgeError):
    """None of the identities given opens the file."""

    code = "no-identity-matches"
    why = "The file is sealed to other recipients than the identities that were given."
    advice = (
        "Give the identity whose recipient the file was sealed to. If it is a claim's document, and you are "
        "one of the agreement's `evidence_readers`, you were left out: refuse at intake, object, or deny."
    )


class UnsuitableRecipientsError(AgeError):
    """Recipients to which one file cannot be sealed together."""

    code = "recipients-unsuitable"
    why = "A file has 1 to 64 recipients; a weaker one undoes the protection of post-quantum ones (age.md)."
    advice = "Seal to age1pq1… recipients only, or to age1… recipients only."


class SealedTooLargeError(AgeError):
    """A sealed file that is too large to be opened in memory."""

    code = "sealed-too-large"
    why = "Shares and keys are small, so nothing larger is read into memory."
    advice = "Check that the right file was given."


@dataclass(frozen=True, kw_only=True, slots=True)
class Sealed:
    """What identifies a sealed file, measured while it was written or read.

    Attributes:
        digest: SHA-256 of the whole sealed file.
        size_bytes: Of the sealed file.
    """

    digest: Digest
    size_bytes: int


class SealingWriter:
    """Seals, hashes and counts in one pass: write plaintext to it, then `finish`.

    What reached the sink before `finish` is not a sealed file and does not open.
    """

    def __init__(self, sink: ByteSink, recipients: Sequence[Recipient]) -> None:
        """Write the header to `sink`; the sink stays the caller's to flush and close.

        Raises:
            UnsuitableRecipientsError: None, too many, or post-quantum mixed with others.
        """
        _check_recipients(recipients)
        file_key = secrets.token_bytes(FILE_KEY_BYTES)
        self._sealed = _Measure(sink)
        self._sealed.write(encode_header([recipient.wrap(file_key) for recipient in recipients], file_key))
        self._chunks = ChunkWriter(self._sealed, file_key, secrets.token_bytes(NONCE_BYTES))
        self._finished = False

    def write(self, data: bytes, /) -> int:
        """Seal `data` after what was written before."""
        assert not self._finished, "write after finish (this is a bug)"
        self._chunks.write(data)
        return len(data)

    def finish(self) -> Sealed:
        """Write the final chunk, and return what identifies the sealed file."""
        assert not self._finished, "finished twice (this is a bug)"
        self._chunks.finish()
        self._finished = True
        return self._sealed.result()


def seal(plain: BinaryIO, out: ByteSink, recipients: Sequence[Recipient]) -> Sealed:
    """Seal all of `plain` into `out`, and return what identifies the sealed file.

    Raises:
        UnsuitableRecipientsError: None, too many, or post-quantum mixed with others.
    """
    writer = SealingWriter(out, recipients)
    while data := plain.read(_READ_BYTES):
        writer.write(data)
    return writer.finish()


def open_sealed(sealed: BinaryIO, out: ByteSink, identities: Sequence[Identity]) -> Sealed:
    """Open `sealed` into `out`, and return what identifies the very bytes that were read.

    Only a normal return says that `out` is complete: after an error, discard it.
    `sealed` needs `read` and `readline`: wrap a raw stream in `io.BufferedReader`.

    Raises:
        MalformedHeaderError: Not an age v1 file.
        NoIdentityMatchesError: Sealed to others.
        HeaderAlteredError: The header is not the one the sealer wrote.
        PayloadAlteredError: A chunk fails, or the file ends too early or too late.
    """
    source = _MeasuredSource(sealed)
    header = read_header(source)
    file_key = next((key for identity in identities if (key := identity.unwrap(header.stanzas))), None)
    if file_key is None:
        raise NoIdentityMatchesError("sealed to others", stanzas=len(header.stanzas))
    header.check_mac(file_key)
    copy_opened(source, out, file_key)
    return source.result()


def sealed_to(sealed: LineSource) -> tuple[str, ...]:
    """Return the types of a file's stanzas in their order, one for each recipient: that takes no key.

    Who a recipient is shows only to that recipient's identity.

    Raises:
        MalformedHeaderError: Not an age v1 header; a native stanza that no identity could open; or the
            same one twice, although each is sealed with a fresh share.
    """
    stanzas = read_header(sealed).stanzas
    for stanza in stanzas:
        check_form(stanza)
    if len(set(stanzas)) != len(stanzas):
        raise MalformedHeaderError("a stanza stands there twice", stanzas=len(stanzas))
    return tuple(stanza.kind for stanza in stanzas)


def seal_bytes(plain: bytes, recipients: Sequence[Recipient]) -> bytes:
    """Return `plain`, something small, sealed.

    Raises:
        UnsuitableRecipientsError: None, too many, or post-quantum mixed with others.
    """
    out = io.BytesIO()
    seal(io.BytesIO(plain), out, recipients)
    return out.getvalue()


def open_bytes(sealed: bytes, identities: Sequence[Identity]) -> bytes:
    """Return what is inside `sealed`, something small; nothing unless all of it is authentic.

    Raises:
        SealedTooLargeError: Larger than what is opened in memory.
        AgeError: As `open_sealed`.
    """
    if len(sealed) > SEALED_BYTES_MAX:
        raise SealedTooLargeError(
            "too large to open in memory", size_bytes=len(sealed), most=SEALED_BYTES_MAX
        )
    out = io.BytesIO()
    open_sealed(io.BytesIO(sealed), out, identities)
    return out.getvalue()


def _check_recipients(recipients: Sequence[Recipient]) -> None:
    if not 0 < len(recipients) <= AGE_STANZAS_MAX:
        raise UnsuitableRecipientsError("none or too many", count=len(recipients), most=AGE_STANZAS_MAX)
    if len({recipient.POST_QUANTUM for recipient in recipients}) > 1:
        raise UnsuitableRecipientsError("post-quantum recipients mixed with others")


class _Measure:
    """A sink that hashes and counts what it passes on."""

    # Not in another thread: encrypting holds Python's lock, and waiting for it cost more than it saved.

    def __init__(self, sink: ByteSink) -> None:
        self._sink = sink
        self._hash = hashlib.sha256()
        self._size_bytes = 0

    def write(self, data: bytes, /) -> int:
        self._hash.update(data)
        self._size_bytes += len(data)
        taken = self._sink.write(data)
        assert taken == len(data), "a sink took less than it was given (this is a bug)"
        return taken

    def result(self) -> Sealed:
        digest = as_digest(self._hash.digest())
        return Sealed(digest=digest, size_bytes=self._size_bytes)


class _MeasuredSource:
    """A source that hashes and counts what is read from it."""

    def __init__(self, source: BinaryIO) -> None:
        self._source = source
        self._measure = _Measure(_Nowhere())

    def read(self, size: int, /) -> bytes:
        data = self._source.read(size)
        self._measure.write(data)
        return data

    def readline(self, size: int, /) -> bytes:
        line = self._source.readline(size)
        self._measure.write(line)
        return line

    def result(self) -> Sealed:
        return self._measure.result()


class _Nowhere:
    def write(self, data: bytes, /) -> int:
        return len(data)
