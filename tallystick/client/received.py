"""What came back, and whether the server said it: a proxy's page, a redirect or a form is no answer."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Final

import httpx

from tallystick.client.answers import answer
from tallystick.client.problems import UnexpectedAnswerError, UnreachableError, refusal
from tallystick.domain.errors import TallystickError
from tallystick.domain.json import JsonObject
from tallystick.limits.client import CHUNK_BYTES_MIN, CHUNKS_MIN, PROBLEM_SIZE_BYTES_MAX
from tallystick.limits.documents import FACT_LENGTH_MAX

JSON: Final = "application/json"
TEXT: Final = "text/plain"
OCTETS: Final = "application/octet-stream"
EVENTS: Final = "text/event-stream"
_PROBLEM: Final = "application/problem+json"
_PROBLEM_TYPE: Final = "urn:tallystick:problem:"
_OURS: Final = frozenset({JSON, TEXT, OCTETS, _PROBLEM})
_DONE: Final = frozenset({HTTPStatus.OK, HTTPStatus.CREATED, HTTPStatus.ACCEPTED})
"""What stands for a whole answer; a part (206) comes only where a part was asked for."""
_GATEWAYS: Final = frozenset(
    {HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT}
)


class AnswerTooLargeError(UnexpectedAnswerError):
    """The server sent more than it was asked for."""

    code = "answer-too-large"
    why = "The size of each answer is limited; this one is larger, and the rest of it was not read."
    advice = "Try again; if it happens again, check the address in `--api`: that server is broken or another."


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """An answer, whole: its status, its header fields, and its body within a bound."""

    status: int
    headers: httpx.Headers
    content: bytes

    @property
    def media_type(self) -> str:
        """The media type of the body, without parameters."""
        stated: str = self.headers.get("Content-Type", "")
        return stated.partition(";")[0].strip().lower()

    @property
    def refuses(self) -> bool:
        """Whether the server itself refused the request: with a problem of ours (RFC 9457)."""
        return self.status >= HTTPStatus.BAD_REQUEST and self.media_type == _PROBLEM

    @property
    def from_gateway(self) -> bool:
        """Whether a gateway says that no answer came (RFC 9110 sections 15.6.3 to 15.6.5)."""
        return self.status in _GATEWAYS and not self.refuses


def read_whole(response: httpx.Response, *, size_bytes_max: int) -> Received:
    """Return an answer whose body is still to be read.

    Raises:
        AnswerTooLargeError: The body has more bytes; the rest is not read.
        UnreachableError: The body is in a content coding, which nobody asked for.
    """
    head = Received(status=response.status_code, headers=response.headers, content=b"")
    if head.media_type not in _OURS:
        return head  # a page that somebody else wrote is not read
    limit = size_bytes_max if response.is_success else PROBLEM_SIZE_BYTES_MAX
    content = bytearray()
    for chunk in chunks_of(response):
        content += chunk
        if len(content) > limit:
            raise AnswerTooLargeError("more bytes than were asked for", limit=limit)
    return replace(head, content=bytes(content))


def chunks_of(response: httpx.Response) -> Iterator[bytes]:
    """Yield the body as it was sent.

    Raises:
        UnreachableError: It is in a content coding, where a few bytes may mean gigabytes, or comes in crumbs,
            each of which costs as much as a large chunk.
    """
    if response.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise UnreachableError("something encoded the answer on its way", status=response.status_code)
    size_bytes = 0
    for chunks, chunk in enumerate(response.iter_raw()):  # as it arrives: a size would hold events back
        size_bytes += len(chunk)
        if chunks > CHUNKS_MIN + size_bytes // CHUNK_BYTES_MIN:
            raise UnreachableError("the answer comes in crumbs", chunks=chunks, size_bytes=size_bytes)
        yield chunk


def check(given: Received, media_type: str) -> None:
    """Return if the server did what it was asked.

    Raises:
        UnreachableError: Something else answered in the server's place.
        TallystickError: The server refused, with its code.
    """
    if given.status in _DONE and given.media_type == media_type:
        return
    if given.refuses:
        raise _refused(given)
    raise somebody_else(given)


def somebody_else(given: Received) -> UnreachableError:
    """Return the error for an answer that is not the server's, with what tells whose it is."""
    said = {"server": given.headers.get("Server"), "location": given.headers.get("Location")}
    return UnreachableError(
        f"something else answered in the server's place, with HTTP status {given.status}",
        status=given.status,
        media_type=given.media_type[:64],
        **{name: text[:FACT_LENGTH_MAX] for name, text in said.items() if text is not None},
    )


def _refused(given: Received) -> TallystickError:
    problem = _problem(given.content)
    code = problem.get("code")
    if not isinstance(code, str) or problem.get("type") != f"{_PROBLEM_TYPE}{code}":
        return somebody_else(given)
    return refusal(problem, status=given.status)


def _problem(body: bytes) -> JsonObject:
    try:
        return answer(body)
    except UnreachableError:
        return {}
