"""The payload of an age v1 file (C2SP age.md, "Payload"): STREAM in 64 KiB chunks."""

from typing import Final, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from tallystick.crypto.age.header import AgeError, MalformedHeaderError, hkdf

CHUNK_BYTES: Final = 64 * 1024
TAG_BYTES: Final = 16
NONCE_BYTES: Final = 16


class PayloadAlteredError(AgeError):
    """A payload that is not what the sealer wrote, in full and in order."""

    code = "sealed-payload-altered"
    why = "A chunk of the payload was altered, moved, cut off or appended."
    advice = "Discard everything that was opened from it; fetch the sealed file again and compare its digest."


class ByteSource(Protocol):
    """What bytes are read from."""

    def read(self, size: int, /) -> bytes:
        """Return at most `size` bytes, and none only at the end."""
        ...


class ByteSink(Protocol):
    """What bytes are written to."""

    def write(self, data: bytes, /) -> int:
        """Take all of `data`."""
        ...


class ChunkWriter:
    """Encrypts what is written to it, a chunk at a time; `finish` marks the last one."""

    def __init__(self, sink: ByteSink, file_key: bytes, nonce: bytes) -> None:
        """Write `nonce` (16 bytes, fresh), and from then on chunks, to `sink`."""
        self._sink = sink
        self._aead = _payload_aead(file_key, nonce)
        self._counter = 0
        self._pending = bytearray()
        sink.write(nonce)

    def write(self, data: bytes) -> None:
        """Take `data`; hold back one chunk, because only the last one is marked."""
        rest = memoryview(data)
        if self._pending:
            room = CHUNK_BYTES - len(self._pending)
            self._pending += rest[:room]
            rest = rest[room:]
        while rest:
            if self._pending:
                self._emit(self._pending, last=False)
                self._pending.clear()
            if len(rest) > CHUNK_BYTES:  # more follows: it is not the last, and need not be copied
                self._emit(rest[:CHUNK_BYTES], last=False)
            else:
                self._pending += rest
            rest = rest[CHUNK_BYTES:]

    def finish(self) -> None:
        """Write the final chunk, which is empty only if nothing was ever written."""
        self._emit(self._pending, last=True)
        self._pending.clear()

    def _emit(self, chunk: bytearray | memoryview, *, last: bool) -> None:
        nonce = _chunk_nonce(self._counter, last=last)
        self._sink.write(self._aead.encrypt(nonce, chunk, None))
        self._counter += 1


def copy_opened(source: ByteSource, sink: ByteSink, file_key: bytes) -> None:
    """Decrypt the payload in `source` into `sink`.

    Every chunk that reaches `sink` is authentic and in its place, but only a normal
    return says that nothing is missing: after an error, discard what was written.

    Raises:
        MalformedHeaderError: There is no payload at all.
        PayloadAlteredError: A chunk fails, or the file ends too early or too late.
    """
    nonce = read_fully(source, NONCE_BYTES)
    if len(nonce) != NONCE_BYTES:
        raise MalformedHeaderError("the file ends with its header")
    aead = _payload_aead(file_key, nonce)
    counter, last = 0, False
    while not last:
        sealed = read_fully(source, CHUNK_BYTES + TAG_BYTES)
        plain, last = _open_chunk(aead, counter, sealed)
        sink.write(plain)
        counter += 1
    if source.read(1):
        raise PayloadAlteredError("bytes follow the final chunk")


def read_fully(source: ByteSource, size: int) -> bytes:
    """Return `size` bytes, or fewer if `source` ends before; a pipe may deliver them in pieces."""
    first = source.read(size)
    if len(first) == size or not first:
        return first
    pieces = bytearray(first)
    while len(pieces) < size and (piece := source.read(size - len(pieces))):
        pieces += piece
    return bytes(pieces)


def _open_chunk(aead: ChaCha20Poly1305, counter: int, sealed: bytes) -> tuple[bytes, bool]:
    whole = len(sealed) == CHUNK_BYTES + TAG_BYTES
    if len(sealed) < TAG_BYTES or (counter and len(sealed) == TAG_BYTES):
        raise PayloadAlteredError("the payload is cut off, or ends in an empty chunk", chunk=counter)
    # Only the last chunk can be short; a whole one is the last if it opens as the last.
    for last in (False, True) if whole else (True,):
        try:
            return aead.decrypt(_chunk_nonce(counter, last=last), sealed, None), last
        except InvalidTag:
            continue
    raise PayloadAlteredError("a chunk is altered or out of place", chunk=counter)


def _chunk_nonce(counter: int, *, last: bool) -> bytes:
    return counter.to_bytes(11, "big") + (b"\x01" if last else b"\x00")


def _payload_aead(file_key: bytes, nonce: bytes) -> ChaCha20Poly1305:
    return ChaCha20Poly1305(hkdf(file_key, salt=nonce, info=b"payload"))
