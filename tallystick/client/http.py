"""The API over HTTP: signed in with the person's own key, repeated when the server is busy.

A statement sent twice is one act and a blob is its digest, so every request may be
repeated. What comes back is not trusted because the server sent it: `blobs` compares blobs
with their digest, and statements are verified by the code that asked for them.
"""

import contextlib
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from http import HTTPStatus
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Final, Self
from urllib.request import getproxies

import httpx

from tallystick.certificates import certificate_fault
from tallystick.client.address import read_address
from tallystick.client.answers import answer, objects, text, unreadable_in
from tallystick.client.bearer import Bearer, bearer_token
from tallystick.client.lists import Counted
from tallystick.client.pace import Pace, framed, paced_transport
from tallystick.client.problems import (
    ForeignAnswerError,
    PlainHttpError,
    UnexpectedAnswerError,
    UnreachableError,
)
from tallystick.client.proxies import proxy_for
from tallystick.client.received import EVENTS, JSON, Received, check, chunks_of, read_whole, somebody_else
from tallystick.client.route import route
from tallystick.crypto.envelope import Envelope, envelope_bytes, statement_id
from tallystick.crypto.keyfile import PrivateKeys
from tallystick.domain.json import JsonObject
from tallystick.limits.api import EVENT_STREAM_MAX
from tallystick.limits.client import (
    ANSWER_OVERHEAD_BYTES_MAX,
    ANSWER_SIZE_BYTES_MAX,
    ANSWER_TIME_MAX,
    BEARER_USE_MAX,
    EVENT_LINE_BYTES_MAX,
    EVENT_STREAM_BYTES_MAX,
    HTTP_ATTEMPTS_MAX,
    HTTP_RETRY_AFTER_MAX,
    HTTP_TIMEOUT,
    LIST_BYTES_MAX,
    LIST_PAGES_MAX,
    LIST_VALUES_MAX,
    PROBLEM_SIZE_BYTES_MAX,
    RECEIPT_SIZE_BYTES_MAX,
)
from tallystick.limits.documents import FACT_LENGTH_MAX

_BUSY: Final = frozenset(
    {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}
)
"""The statuses that promise another answer later; nothing was done, or nobody knows."""
_NAMES_OF_A_STATEMENT: Final = ("statement", "deposit", "digest")
"""The members of an acknowledgement that may have the statement's digest."""


class Client:
    """One person's connection to one server; close it, or use it in a `with` statement."""

    def __init__(
        self,
        api: str,
        keys: PrivateKeys | None = None,
        *,
        now: Callable[[], datetime],
        pause: Callable[[float], None] = time.sleep,
        answer_time_max: timedelta = ANSWER_TIME_MAX,
    ) -> None:
        """Connect to `api`, such as `https://escrow.example`, as the holder of `keys`.

        Args:
            answer_time_max: The time that a whole answer may take; a blob's grows as its bytes arrive.

        Raises:
            ServerAddressError: `api` is not a server's address.
            ProxyUnusableError: The environment names a proxy that cannot be used.
        """
        self._address = read_address(api)
        self._keys, self._now, self.pause = keys, now, pause
        self._bearer: Bearer | None = None
        self._seconds = answer_time_max.total_seconds()
        self._pace = Pace(seconds=self._seconds, bytes_max=ANSWER_OVERHEAD_BYTES_MAX)
        self._http = httpx.Client(
            base_url=self._address.url,
            transport=paced_transport(self._pace, proxy_for(self._address, getproxies())),
            timeout=HTTP_TIMEOUT.total_seconds(),
            headers={"Accept-Encoding": "identity"},  # a coded answer may be a bomb
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),  # none is kept: they would pile up
            trust_env=False,  # the proxy is chosen above, and no .netrc signs anybody in
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def deployment(self) -> JsonObject:
        """Return the public facts of the deployment; this needs no key."""
        given = self.send("GET", route("deployment"), size_bytes_max=RECEIPT_SIZE_BYTES_MAX, signed_in=False)
        check(given, JSON)
        return answer(given.content)

    def get(self, path: str, **parameters: str | int | None) -> JsonObject:
        """Return the JSON object at `path`.

        Raises:
            TallystickError: The server refused (its code), did not answer, or sent no JSON object.
        """
        return answer(self.get_bytes(path, parameters=_given(parameters)))

    def get_pages(self, path: str, member: str, **parameters: str | int | None) -> JsonObject:
        """Return a whole list, page after page: what its pages have in `member`, and what is `unreadable`.

        Raises:
            UnexpectedAnswerError: It has more pages, bytes or values than any list.
            TallystickError: As `get`.
        """
        counted = Counted(size_bytes_max=LIST_BYTES_MAX, values_max=LIST_VALUES_MAX)
        found, missing = list[JsonObject](), list[str]()
        page: JsonObject = {}
        for page in self.pages(path, counted=counted, **parameters):
            found += objects(page, member)
            missing += unreadable_in(page)
        return {member: found, **({"unreadable": missing} if "unreadable" in page else {})}

    def pages(
        self, path: str, *, counted: Counted | None = None, **parameters: str | int | None
    ) -> Iterator[JsonObject]:
        """Yield the pages of a list, each asked for when it is wanted.

        Args:
            counted: Counts them, for those who keep what all of them have.

        Raises:
            UnexpectedAnswerError: It has more pages than any list, or more than may be counted.
            TallystickError: As `get`.
        """
        asked = _given(parameters)
        for _ in range(LIST_PAGES_MAX):
            raw = self.get_bytes(path, parameters=asked)
            if counted is not None:
                counted.add(raw)
            page = answer(raw)
            yield page
            if page.get("next") is None:
                return
            asked = {**asked, "cursor": text(page, "next")}
        raise UnexpectedAnswerError("the list does not end", limit=LIST_PAGES_MAX)

    def get_bytes(
        self,
        path: str,
        *,
        media_type: str = JSON,
        size_bytes_max: int = ANSWER_SIZE_BYTES_MAX,
        parameters: Mapping[str, str | int] | None = None,
    ) -> bytes:
        """Return the body at `path` as it was sent.

        Raises:
            AnswerTooLargeError: It has more than `size_bytes_max` bytes.
            TallystickError: The server refused (its code), or did not answer.
        """
        given = self.send("GET", path, size_bytes_max=size_bytes_max, parameters=parameters)
        check(given, media_type)
        return given.content

    def post_statement(self, path: str, envelope: Envelope) -> JsonObject:
        """Send a statement; when this returns, it is on record.

        Raises:
            ForeignAnswerError: What answered does not name the statement: it may not be on record.
            TallystickError: The server refused (its code), or did not answer: then repeat it.
        """
        headers, content = {"Content-Type": JSON}, envelope_bytes(envelope)
        given = self.send(
            "POST", path, size_bytes_max=RECEIPT_SIZE_BYTES_MAX, headers=headers, content=content
        )
        check(given, JSON)
        receipt, sent = answer(given.content), statement_id(envelope)
        if sent not in [receipt.get(name) for name in _NAMES_OF_A_STATEMENT]:
            raise ForeignAnswerError("the answer is not about the statement that was sent", statement=sent)
        return receipt

    def events(self, path: str, *, after: int) -> Iterator[JsonObject]:
        """Yield the `data` of server-sent events after an index, until the server ends the stream.

        Raises:
            UnexpectedAnswerError: A line is longer than an event's.
            TallystickError: The server refused (its code), or the connection broke.
        """
        seconds = (EVENT_STREAM_MAX + ANSWER_TIME_MAX).total_seconds()
        pace = Pace(seconds=seconds, bytes_max=framed(EVENT_STREAM_BYTES_MAX))
        headers = {"Last-Event-ID": str(after)}
        with self.streamed(path, media_type=EVENTS, headers=headers, pace=pace) as response:
            for line in _lines(chunks_of(response)):
                if line.startswith(b"data:"):
                    yield answer(line.removeprefix(b"data:").strip())

    @contextlib.contextmanager
    def streamed(
        self, path: str, *, media_type: str, headers: Mapping[str, str], pace: Pace
    ) -> Generator[httpx.Response]:
        """Give the answer at `path` with its body still to be read, by `received.chunks_of`.

        Raises:
            TallystickError: The server refused (its code), or the connection broke.
        """
        sent = {**headers, **self._authorization()}
        with self._reachable(pace), self._http.stream("GET", path, headers=sent) as response:
            self._pace.bytes_max = pace.bytes_max
            head = Received(status=response.status_code, headers=response.headers, content=b"")
            if response.status_code == HTTPStatus.PARTIAL_CONTENT and "Range" not in headers:
                raise somebody_else(head)  # a part of what was asked for as a whole
            if not response.is_success or head.media_type != media_type:
                check(read_whole(response, size_bytes_max=RECEIPT_SIZE_BYTES_MAX), media_type)
            yield response

    def send(
        self,
        method: str,
        path: str,
        *,
        size_bytes_max: int,
        parameters: Mapping[str, str | int] | None = None,
        headers: Mapping[str, str] | None = None,
        content: bytes | Iterable[bytes] | None = None,
        signed_in: bool = True,
    ) -> Received:
        """Return what answers a request, a refusal too; ask again, a few times, while the server is busy.

        Raises:
            UnreachableError: The server did not answer.
            AnswerTooLargeError: The answer has more than `size_bytes_max` bytes.
        """
        attempt = 0
        expected = max(size_bytes_max, PROBLEM_SIZE_BYTES_MAX)
        pace = Pace(seconds=self._seconds, bytes_max=framed(expected))
        while True:
            attempt += 1
            sent = {**(headers or {}), **(self._authorization() if signed_in else {})}
            with (
                self._reachable(pace),
                self._http.stream(method, path, params=parameters, headers=sent, content=content) as response,
            ):
                self._pace.bytes_max = pace.bytes_max
                given = read_whole(response, size_bytes_max=size_bytes_max)
            busy = given.from_gateway or given.status in _BUSY
            if not busy or attempt >= HTTP_ATTEMPTS_MAX:
                return given
            self.pause(_retry_after(given, attempt))

    def _authorization(self) -> dict[str, str]:
        if self._keys is None:
            return {}
        if not (self._address.secure or self._address.loopback):
            raise PlainHttpError(f"{self._address.url} is not encrypted", api=self._address.url)
        at = self._now()
        if self._bearer is None or self._bearer.until <= at:
            self._bearer = Bearer(
                token=bearer_token(self._keys, deployment=text(self.deployment(), "deployment"), at=at),
                until=at + BEARER_USE_MAX,
            )
        return {"Authorization": f"Bearer {self._bearer.token}"}

    @contextlib.contextmanager
    def _reachable(self, pace: Pace) -> Generator[None]:
        # Until the head is there: libraries read past interim answers, and each costs as much as a head.
        self._pace.seconds, self._pace.bytes_max = pace.seconds, ANSWER_OVERHEAD_BYTES_MAX
        self._pace.bytes_per_second = pace.bytes_per_second
        try:
            yield
        except httpx.TransportError as error:
            api = self._address.url
            raise UnreachableError(f"no answer from {api}", api=api, reason=_reason(error)) from error


def _given(parameters: Mapping[str, str | int | None]) -> dict[str, str | int]:
    return {name: value for name, value in parameters.items() if value is not None}


def _reason(error: httpx.TransportError) -> str:
    """Return what kept the answer from coming; a proxy's own words, or what is wrong with a certificate."""
    if (fault := certificate_fault(error)) is not None:
        return f"the certificate is not valid: {fault}"
    if isinstance(error, httpx.ProxyError):
        return f"the proxy: {error}"[:FACT_LENGTH_MAX]
    return type(error).__name__


def _lines(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the lines of a stream, each bounded.

    Raises:
        UnexpectedAnswerError: A line is longer than an event's.
    """
    begun = b""
    for chunk in chunks:
        *whole, begun = (begun + chunk).replace(b"\r\n", b"\n").split(b"\n")
        if len(begun) > EVENT_LINE_BYTES_MAX or any(len(line) > EVENT_LINE_BYTES_MAX for line in whole):
            raise UnexpectedAnswerError("a line of the event stream is too long", limit=EVENT_LINE_BYTES_MAX)
        yield from whole


def _retry_after(given: Received, attempt: int) -> float:
    """Return how many seconds to wait: what the server asks for, or longer each time (RFC 9110 §10.2.3)."""
    said = given.headers.get("Retry-After", "")
    seconds = int(said) if said.isdecimal() and len(said) < 6 else 2 ** (attempt - 1)  # noqa: PLR2004 - five digits
    return min(timedelta(seconds=seconds), HTTP_RETRY_AFTER_MAX).total_seconds()
