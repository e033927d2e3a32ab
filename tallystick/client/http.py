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
from typing import Final, Self
from urllib.parse import urlsplit

import httpx

from tallystick.client.answers import answer, text
from tallystick.client.bearer import Bearer, bearer_token
from tallystick.client.problems import UnexpectedAnswerError, UnreachableError, refusal
from tallystick.crypto.envelope import Envelope, envelope_bytes
from tallystick.crypto.keyfile import PrivateKeys
from tallystick.domain.errors import MalformedError
from tallystick.domain.json import JsonObject
from tallystick.limits import (
    BEARER_LIFETIME,
    HTTP_ATTEMPTS_MAX,
    HTTP_RETRY_AFTER_MAX,
    HTTP_TIMEOUT,
)

_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})
_JSON: Final = {"Content-Type": "application/json"}


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
        self._keys, self._now, self.pause = keys, now, pause
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
        response = self.send("GET", "/v1/deployment", signed_in=False)
        check(response)
        return answer(response.content)

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
        response = self.send("GET", path, parameters=given)
        check(response)
        return response.content

    def post_statement(self, path: str, envelope: Envelope) -> JsonObject:
        """Send a statement; when this returns, it is on record.

        Raises:
            TallystickError: The server refused (its code), or did not answer: then repeat it.
        """
        response = self.send("POST", path, headers=_JSON, content=envelope_bytes(envelope))
        check(response)
        return answer(response.content)

    def events(self, path: str, *, after: int) -> Iterator[JsonObject]:
        """Yield the `data` of server-sent events after an index, until the server ends the stream.

        Raises:
            TallystickError: The server refused (its code), or the connection broke.
        """
        with self.streamed(path, headers={"Last-Event-ID": str(after)}) as response:
            for line in response.iter_lines():
                if line.startswith("data:"):
                    yield answer(line.removeprefix("data:").strip().encode())

    @contextlib.contextmanager
    def streamed(self, path: str, *, headers: Mapping[str, str]) -> Generator[httpx.Response]:
        """Give the answer at `path` with its body still to be read.

        Raises:
            TallystickError: The server refused (its code), or the connection broke.
        """
        sent = {**headers, **self._authorization()}
        with self._reachable(), self._http.stream("GET", path, headers=sent) as response:
            if response.is_error:
                response.read()
                check(response)
            yield response

    def send(
        self,
        method: str,
        path: str,
        *,
        parameters: Mapping[str, str | int] | None = None,
        headers: Mapping[str, str] | None = None,
        content: bytes | Iterable[bytes] | None = None,
        signed_in: bool = True,
    ) -> httpx.Response:
        """Return what answers a request, a refusal too; ask again, a few times, while the server is busy.

        Raises:
            UnreachableError: The server did not answer.
        """
        attempt = 0
        while True:
            attempt += 1
            sent = {**(headers or {}), **(self._authorization() if signed_in else {})}
            with self._reachable():
                response = self._http.request(method, path, params=parameters, headers=sent, content=content)
            if response.status_code != HTTPStatus.SERVICE_UNAVAILABLE or attempt >= HTTP_ATTEMPTS_MAX:
                return response
            self.pause(_retry_after(response, attempt))

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
    def _reachable(self) -> Generator[None]:
        try:
            yield
        except (httpx.TransportError, httpx.InvalidURL) as error:
            api = str(self._http.base_url)
            raise UnreachableError(f"no answer from {api}", api=api, reason=type(error).__name__) from error


def check(response: httpx.Response) -> None:
    """Raise what an answer refuses, as the error with the same code."""
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
