"""A large file to and from the server: sent and fetched in parts that resume where they stopped.

A blob is its digest: what comes back is compared with it here, so nobody need trust the server.
"""

import hashlib
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import BinaryIO, Final

import httpx

from tallystick.client.answers import answer, number, text
from tallystick.client.http import Client
from tallystick.client.outage import Outage, outlasting
from tallystick.client.pace import Pace, framed
from tallystick.client.problems import ForeignAnswerError, UnexpectedAnswerError, UnreachableError
from tallystick.client.received import JSON, OCTETS, Received, check, chunks_of, somebody_else
from tallystick.client.route import route
from tallystick.domain.errors import TallystickError
from tallystick.domain.ids import AgreementId, Digest, as_digest
from tallystick.durable import rename_durably, sync_file
from tallystick.limits.client import (
    ANSWER_TIME_MAX,
    BLOB_BYTES_PER_SECOND_MIN,
    RECEIPT_SIZE_BYTES_MAX,
    UPLOAD_ATTEMPTS_MAX,
    UPLOAD_PART_BYTES,
    UPLOAD_PART_BYTES_MIN,
)
from tallystick.limits.sealing import SEALED_BYTES_MAX
from tallystick.limits.storage import BLOB_BYTES_MAX, BLOB_CHUNK_BYTES
from tallystick.regular import open_regular

_OFFSET: Final = "Upload-Offset"
_CONTENT_RANGE: Final = re.compile(r"bytes (\d{1,15})-\d{1,15}/(\d{1,15}|\*)", re.ASCII)


class BlobAlteredError(TallystickError):
    """What the server sent is not the blob with that digest."""

    code = "blob-altered"
    why = "A blob is known by its SHA-256; what the server sent has a different SHA-256 or size."
    advice = (
        "Nothing was kept. Try again; if it happens again, tell the escrow agent: a store has altered bytes."
    )


class UploadStalledError(TallystickError):
    """The server accepts no more of an upload."""

    code = "upload-stalled"
    why = "The same part of the file was sent several times, and the server did not accept it."
    advice = "Repeat the command later: it resumes from what the server has."
    retryable = True


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """A part of a file, read piece by piece each time it is sent.

    An answered request is garbage that only the collector finds: it must not hold the part's bytes.
    """

    source: BinaryIO
    offset: int
    size_bytes: int

    def __iter__(self) -> Iterator[bytes]:
        self.source.seek(self.offset)
        left = self.size_bytes
        while left > 0 and (piece := self.source.read(min(left, BLOB_CHUNK_BYTES))):
            left -= len(piece)
            yield piece


def put_blob(client: Client, file: Path, wanted: Digest, *, agreement: AgreementId, purpose: str) -> None:
    """Store a file as the blob `wanted`, resuming where an earlier upload stopped, also after a short outage.

    Raises:
        UploadStalledError: The server accepts nothing more.
        TallystickError: The server refused (its code), or did not answer.
    """
    with open_regular(file) as source:
        upload = _Upload(
            client=client,
            wanted=wanted,
            outage=Outage(client.pause),
            parameters={"agreement": agreement, "purpose": purpose},
            source=source,
            size_bytes=file.stat().st_size,
        )
        offset: int | None = upload.received()
        offsets = list[int]()
        while offset is not None:
            offsets.append(offset)
            if offsets.count(offset) > UPLOAD_ATTEMPTS_MAX:
                raise UploadStalledError(
                    "the upload makes no progress", offset=offset, size_bytes=upload.size_bytes
                )
            offset = upload.put_part(offset)


def get_blob(client: Client, wanted: Digest, into: Path, *, size_bytes: int) -> None:
    """Fetch a blob into the file `into`, resuming `into`.part; it gets its name once it is checked.

    Raises:
        BlobAlteredError: The bytes have another digest or size; nothing is kept.
        TallystickError: The server refused (its code), or did not answer: what came is kept.
    """
    assert 0 <= size_bytes <= BLOB_BYTES_MAX
    part = into.with_name(into.name + ".part")
    descriptor = os.open(part, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "r+b") as out:
        _fetch_all(client, route("blobs", wanted), out, size_bytes)
        out.seek(0)
        fetched = as_digest(hashlib.file_digest(out, "sha256").digest())
        whole = (fetched, out.tell()) == (wanted, size_bytes)
        sync_file(out)
    if not whole:
        part.unlink()
        raise BlobAlteredError(
            "the server sent another blob than was asked for", expected=wanted, found=fetched
        )
    rename_durably(part, into)


def get_small_blob(client: Client, wanted: Digest) -> bytes:
    """Return a blob that is small, such as a sealed share.

    Raises:
        BlobAlteredError: The bytes have another digest.
        AnswerTooLargeError: They are too many.
        TallystickError: The server refused (its code), or did not answer.
    """
    content = client.get_bytes(route("blobs", wanted), media_type=OCTETS, size_bytes_max=SEALED_BYTES_MAX)
    if as_digest(hashlib.sha256(content).digest()) != wanted:
        raise BlobAlteredError("the server sent another blob than was asked for", expected=wanted)
    return content


@dataclass(slots=True, kw_only=True)
class _Upload:
    """One file on its way to the server.

    Attributes:
        part_bytes: How much is sent at a time.
    """

    client: Client
    wanted: Digest
    parameters: Mapping[str, str | int]
    source: BinaryIO
    size_bytes: int
    outage: Outage
    part_bytes: int = UPLOAD_PART_BYTES

    @property
    def path(self) -> str:
        return route("blobs", self.wanted)

    def received(self) -> int:
        """Return how many bytes the server has of an upload; 0 if it knows none."""
        return outlasting(self._received, self.client.pause)

    def put_part(self, offset: int) -> int | None:
        """Send the part at `offset`, and return the offset of the next one; None once the blob is whole."""
        try:
            following = self._next_offset(self._sent(offset))
        except UnreachableError as error:
            self._have_smaller_parts(error)
            self.outage.wait(error)
            return self.put_part(self.received())  # as deep as an outage has attempts
        except TallystickError as error:
            if error.code != "upload-offset":
                raise
            stated = error.facts.get("received")  # newer than what a proxy may have kept of an answer to HEAD
            return self._within(stated) if isinstance(stated, int) else self.received()
        self.outage.renew()
        return following

    def _have_smaller_parts(self, error: UnreachableError) -> None:
        """Send less at a time from now on, if it was too much for a proxy on the way (RFC 9110 §15.5.14)."""
        if error.facts.get("status") == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            self.part_bytes = max(self.part_bytes // 4, UPLOAD_PART_BYTES_MIN)

    def _received(self) -> int:
        given = self.client.send(
            "HEAD", self.path, size_bytes_max=RECEIPT_SIZE_BYTES_MAX, parameters=self.parameters
        )
        if given.refuses:
            return 0  # an answer to HEAD has no body: the server says why when it refuses the part
        if given.status != HTTPStatus.OK or _OFFSET not in given.headers:
            raise somebody_else(given)
        return self._within(_decimal(given.headers[_OFFSET]))

    def _sent(self, offset: int) -> Received:
        part = _Part(
            source=self.source, offset=offset, size_bytes=min(self.part_bytes, self.size_bytes - offset)
        )
        headers = {
            "Content-Type": OCTETS,
            "Content-Length": str(part.size_bytes),
            "Upload-Length": str(self.size_bytes),
            _OFFSET: str(offset),
        }
        given = self.client.send(
            "PUT",
            self.path,
            size_bytes_max=RECEIPT_SIZE_BYTES_MAX,
            parameters=self.parameters,
            headers=headers,
            content=part,
        )
        check(given, JSON)
        return given

    def _next_offset(self, given: Received) -> int | None:
        receipt = answer(given.content)
        if given.status == HTTPStatus.CREATED and text(receipt, "digest") == self.wanted:
            return None
        return self._within(number(receipt, "offset"))

    def _within(self, offset: int) -> int:
        if not 0 <= offset <= self.size_bytes:
            raise UnexpectedAnswerError(
                "the server named an offset beyond the file's end", offset=offset, size_bytes=self.size_bytes
            )
        return offset


def _fetch_all(client: Client, path: str, out: BinaryIO, size_bytes: int) -> None:
    """Fetch what is missing; resume after a broken connection, until an outage has lasted too long."""
    outage, whole = Outage(client.pause), False
    while True:
        begun = out.seek(0, os.SEEK_END)
        try:
            return _fetch(client, path, out, size_bytes, whole=whole)
        except UnreachableError as error:
            whole = whole or "content_range" in error.facts  # who sends another part is not asked for one
            if out.seek(0, os.SEEK_END) > begun:
                outage.renew()
            outage.wait(error)


def _fetch(client: Client, path: str, out: BinaryIO, size_bytes: int, *, whole: bool) -> None:
    """Write an answer where it belongs.

    What is there already is not thrown away for an answer from the beginning: the address is the digest of
    the bytes, so they are the same, and the connection may break again. No validator is sent or compared: a
    proxy may weaken or replace it, and the caller compares the digest.
    """
    begun = out.seek(0, os.SEEK_END)
    if begun >= size_bytes > 0:
        return  # the caller compares the digest
    headers = {"Range": f"bytes={begun}-"} if begun and not whole else {}
    pace = Pace(
        seconds=ANSWER_TIME_MAX.total_seconds(),
        bytes_max=framed(size_bytes),
        bytes_per_second=BLOB_BYTES_PER_SECOND_MIN,
    )
    with client.streamed(path, media_type=OCTETS, headers=headers, pace=pace) as response:
        out.seek(_begins(response, begun, size_bytes))
        for chunk in chunks_of(response):
            out.write(chunk)
            if out.tell() > size_bytes:
                return  # the caller refuses it by its size and digest
    if out.tell() < size_bytes and not _has_a_marked_end(response):
        raise UnreachableError("the answer ended early", size_bytes=size_bytes, received=out.tell())
    out.truncate()


def _begins(response: httpx.Response, asked: int, size_bytes: int) -> int:
    """Return where in the file the bytes of an answer belong (RFC 9110 section 15.3.7).

    Raises:
        UnreachableError: It is another part, or of another file, than was asked for.
    """
    if response.status_code != HTTPStatus.PARTIAL_CONTENT:
        return 0
    stated = response.headers.get("Content-Range", "")
    part = _CONTENT_RANGE.fullmatch(stated)
    if part is None or int(part[1]) != asked or part[2] not in {"*", str(size_bytes)}:
        raise UnreachableError(
            "something sent another part of the file than was asked for",
            asked=asked,
            content_range=stated[:64],
        )
    return asked


def _has_a_marked_end(response: httpx.Response) -> bool:
    """Whether an answer says where it ends; otherwise hanging up ends it, early or not (RFC 9112 §6.3)."""
    return "Content-Length" in response.headers or "Transfer-Encoding" in response.headers


def _decimal(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= len(str(BLOB_BYTES_MAX))):
        raise ForeignAnswerError("the header is not a number of bytes", header=_OFFSET)
    return int(text)
