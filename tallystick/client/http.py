"""The API over HTTP: signed in with the person's own key, repeated when the server is busy.

A statement sent twice is one act and a blob is its digest, so every request may be
repeated. What comes back is not trusted because the server sent it: blobs are checked
against their digest here, statements by the code that asked for them.
"""

import contextlib
import hashlib
import os
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import BinaryIO, Final, Self
from urllib.parse import urlsplit

import httpx

from tallystick.client.answers import answer, text
from tallystick.client.bearer import Bearer, bearer_token
from tallystick.client.problems import UnexpectedAnswerError, UnreachableError, refusal
from tallystick.crypto.envelope import Envelope, envelope_bytes
from tallystick.crypto.keyfile import PrivateKeys
from tallystick.domain.errors import MalformedError, TallystickError
from tallystick.domain.ids import AgreementId, Digest
from tallystick.domain.json import JsonObject
from tallystick.durable import rename_durably, sync_file
from tallystick.limits import (
    BEARER_LIFETIME,
    BLOB_BYTES_MAX,
    BLOB_CHUNK_BYTES,
    HTTP_ATTEMPTS_MAX,
    HTTP_RETRY_AFTER_MAX,
    HTTP_TIMEOUT,
    SEALED_BYTES_MAX,
    UPLOAD_ATTEMPTS_MAX,
    UPLOAD_PART_BYTES,
)

_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})
_RECONNECT_SECONDS: Final = 1.0
_JSON: Final = {"Content-Type": "application/json"}
_BYTES: Final = {"Content-Type": "application/octet-stream"}
_OFFSET: Final = "Upload-Offset"


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


class Client:
    """One person's connection to one server; close it, or use it in a `with` statement."""

    def __init__(
        self,
        api: str,
        keys: PrivateKeys | None = None,
        *,
        now: Callable[[], datetime],
        pause: Callable[[float], None] = time.sleep,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        """Connect to `api`, such as `https://escrow.example`, as the holder of `keys`."""
        self._keys, self._now, self._pause = keys, now, pause
        self._bearer: Bearer | None = None
        self._http = httpx.Client(
            base_url=api,
            transport=transport,
            timeout=HTTP_TIMEOUT.total_seconds(),
            trust_env=urlsplit(api).hostname not in _LOOPBACK,  # no proxy between this machine and itself
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def deployment(self) -> JsonObject:
        """Return the public facts of the deployment; this needs no key."""
        return answer(self._send("GET", "/v1/deployment", signed_in=False).content)

    def get(self, path: str, **parameters: str | int | None) -> JsonObject:
        """Return the JSON object at `path`.

        Raises:
            TallystickError: The server refused (its code), did not answer, or sent no JSON object.
        """
        return answer(self.get_bytes(path, **parameters))

    def get_bytes(self, path: str, **parameters: str | int | None) -> bytes:
        """Return the body at `path` as it was sent.

        Raises:
            TallystickError: The server refused (its code), or did not answer.
        """
        given = {name: value for name, value in parameters.items() if value is not None}
        return self._send("GET", path, parameters=given).content

    def post_statement(self, path: str, envelope: Envelope) -> JsonObject:
        """Send a statement; when this returns, it is on record.

        Raises:
            TallystickError: The server refused (its code), or did not answer: then repeat it.
        """
        return answer(self._send("POST", path, headers=_JSON, content=envelope_bytes(envelope)).content)

    def put_blob(self, file: Path, wanted: Digest, *, agreement: AgreementId, purpose: str) -> None:
        """Store a file as the blob `wanted`, resuming where an earlier upload stopped.

        Raises:
            UploadStalledError: The server accepts nothing more.
            TallystickError: The server refused (its code), or did not answer.
        """
        path = f"/v1/blobs/{wanted}"
        asked: Mapping[str, str | int] = {"agreement": agreement, "purpose": purpose}
        total, offsets = file.stat().st_size, list[int]()
        offset: int | None = self._received(path, asked)
        with file.open("rb") as source:
            while offset is not None:
                offsets.append(offset)
                if offsets.count(offset) > UPLOAD_ATTEMPTS_MAX or offset > total:
                    raise UploadStalledError("the upload makes no progress", offset=offset, size_bytes=total)
                offset = self._put_part(path, asked, source, offset, total)

    def get_blob(self, wanted: Digest, into: Path, *, size_bytes: int) -> None:
        """Fetch a blob into the file `into`, resuming `into`.part; it gets its name once it is checked.

        Raises:
            BlobAlteredError: The bytes have another digest or size; nothing is kept.
            TallystickError: The server refused (its code), or did not answer: what came is kept.
        """
        assert 0 <= size_bytes <= BLOB_BYTES_MAX
        part = into.with_name(into.name + ".part")
        descriptor = os.open(part, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "r+b") as out:
            self._fetch_all(f"/v1/blobs/{wanted}", out, size_bytes)
            out.seek(0)
            fetched = "sha256:" + hashlib.file_digest(out, "sha256").hexdigest()
            whole = (fetched, out.tell()) == (wanted, size_bytes)
            sync_file(out)
        if not whole:
            part.unlink()
            raise BlobAlteredError("not the blob that was asked for", expected=wanted, found=fetched)
        rename_durably(part, into)

    def get_small_blob(self, wanted: Digest) -> bytes:
        """Return a blob that is small, such as a sealed share.

        Raises:
            BlobAlteredError: The bytes have another digest, or are too many.
            TallystickError: The server refused (its code), or did not answer.
        """
        content = self.get_bytes(f"/v1/blobs/{wanted}")
        if len(content) > SEALED_BYTES_MAX or "sha256:" + hashlib.sha256(content).hexdigest() != wanted:
            raise BlobAlteredError("not the blob that was asked for", expected=wanted)
        return content

    def events(self, path: str, *, after: int) -> Iterator[JsonObject]:
        """Yield the `data` of server-sent events after an index, until the server ends the stream.

        Raises:
            TallystickError: The server refused (its code), or the connection broke.
        """
        headers = {**self._authorization(), "Last-Event-ID": str(after)}
        with (
            _reachable(str(self._http.base_url)),
            self._http.stream("GET", path, headers=headers) as response,
        ):
            if response.is_error:
                response.read()
                _check(response)
            for line in response.iter_lines():
                if line.startswith("data:"):
                    yield answer(line.removeprefix("data:").strip().encode())

    def _received(self, path: str, asked: Mapping[str, str | int]) -> int:
        with _reachable(str(self._http.base_url)):
            response = self._http.head(path, params=asked, headers=self._authorization())
        if response.status_code == HTTPStatus.NOT_FOUND:
            return 0
        _check(response)
        return _decimal(response.headers.get(_OFFSET, "0"))

    def _put_part(
        self, path: str, asked: Mapping[str, str | int], source: BinaryIO, offset: int, total: int
    ) -> int | None:
        """Send the part at `offset`, and return the offset of the next one; None once the blob is whole."""
        part = _Part(source=source, offset=offset, size_bytes=min(UPLOAD_PART_BYTES, total - offset))
        headers = {
            **_BYTES,
            _OFFSET: str(offset),
            "Upload-Length": str(total),
            "Content-Length": str(part.size_bytes),
        }
        try:
            response = self._send("PUT", path, parameters=asked, headers=headers, content=part)
        except UnreachableError:
            self._pause(_RECONNECT_SECONDS)
            return self._received(path, asked)
        except TallystickError as error:
            if error.code != "upload-offset":
                raise
            received = error.facts.get("received")
            return received if isinstance(received, int) else self._received(path, asked)
        if response.status_code == HTTPStatus.CREATED:
            return None
        next_offset = answer(response.content).get("offset")
        if not isinstance(next_offset, int):
            raise UnexpectedAnswerError("no offset to resume from", status=response.status_code)
        return next_offset

    def _fetch_all(self, path: str, out: BinaryIO, size_bytes: int) -> None:
        """Fetch what is missing; resume after a broken connection as long as each one brings some bytes."""
        while True:
            begun = out.seek(0, os.SEEK_END)
            try:
                return self._fetch(path, out, size_bytes)
            except UnreachableError:
                if out.seek(0, os.SEEK_END) <= begun:
                    raise
                self._pause(_RECONNECT_SECONDS)

    def _fetch(self, path: str, out: BinaryIO, size_bytes: int) -> None:
        begun = out.seek(0, os.SEEK_END)
        if begun >= size_bytes > 0:
            return  # the caller compares the digest
        headers = {**self._authorization(), **({"Range": f"bytes={begun}-"} if begun else {})}
        with (
            _reachable(str(self._http.base_url)),
            self._http.stream("GET", path, headers=headers) as response,
        ):
            if response.is_error:
                response.read()
                _check(response)
            if response.status_code != HTTPStatus.PARTIAL_CONTENT:
                out.seek(0)
                out.truncate()
            for chunk in response.iter_bytes(BLOB_CHUNK_BYTES):
                out.write(chunk)
                if out.tell() > size_bytes:
                    break  # the caller refuses it by its size and digest

    def _send(
        self,
        method: str,
        path: str,
        *,
        parameters: Mapping[str, str | int] | None = None,
        headers: Mapping[str, str] | None = None,
        content: bytes | Iterable[bytes] | None = None,
        signed_in: bool = True,
    ) -> httpx.Response:
        attempt = 0
        while True:
            attempt += 1
            sent = {**(headers or {}), **(self._authorization() if signed_in else {})}
            with _reachable(str(self._http.base_url)):
                response = self._http.request(method, path, params=parameters, headers=sent, content=content)
            if response.status_code != HTTPStatus.SERVICE_UNAVAILABLE or attempt >= HTTP_ATTEMPTS_MAX:
                _check(response)
                return response
            self._pause(_retry_after(response, attempt))

    def _authorization(self) -> dict[str, str]:
        if self._keys is None:
            return {}
        at = self._now()
        if self._bearer is None or self._bearer.until <= at:
            self._bearer = Bearer(
                token=bearer_token(self._keys, deployment=text(self.deployment(), "deployment"), at=at),
                until=at + BEARER_LIFETIME / 2,
            )
        return {"Authorization": f"Bearer {self._bearer.token}"}


@contextlib.contextmanager
def _reachable(api: str) -> Generator[None]:
    try:
        yield
    except (httpx.TransportError, httpx.InvalidURL) as error:
        raise UnreachableError(f"no answer from {api}", api=api, reason=type(error).__name__) from error


def _check(response: httpx.Response) -> None:
    if not response.is_success:
        raise refusal(_problem(response.content), status=response.status_code)


def _problem(body: bytes) -> JsonObject:
    """Return the problem document of a refusal; an empty one if a proxy wrote the answer."""
    try:
        return answer(body)
    except (MalformedError, UnexpectedAnswerError):
        return {}


def _retry_after(response: httpx.Response, attempt: int) -> float:
    """Return how many seconds to wait: what the server asks for, or longer each time (RFC 9110 §10.2.3)."""
    said = response.headers.get("Retry-After", "")
    seconds = int(said) if said.isdecimal() and len(said) < 6 else 2 ** (attempt - 1)  # noqa: PLR2004 - five digits
    return min(timedelta(seconds=seconds), HTTP_RETRY_AFTER_MAX).total_seconds()


def _decimal(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= len(str(BLOB_BYTES_MAX))):
        raise UnexpectedAnswerError("not a number of bytes", header=_OFFSET)
    return int(text)
