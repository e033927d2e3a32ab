"""Routes whose requests are counted by caller before they use anything that callers share.

A token is verified without the database if its key was seen before; a key that was not is looked up together
with all others. Who then is nobody's key counts for the address that they ask from.
"""

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import wraps
from typing import Any, Final, TypeVar, cast, get_type_hints

from fastapi import Request, Response
from fastapi.routing import APIRoute
from pydantic import TypeAdapter
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.backend.backend import Backend
from api.http.auth import Asker, identified
from api.http.problems import BodyTooSlowError, UnauthenticatedError, problem_response
from api.http.tokens import subject_of
from api.http.turns import Lane, Line, NoTurnInTimeError, Turns, in_turn, subscriber
from tallystick.limits.api import (
    ANSWER_BUFFER_BYTES_MAX,
    ARRIVALS_EACH_MAX,
    ARRIVALS_MAX,
    BODY_BYTES_PER_SECOND_MIN,
    BODY_PAUSE_MAX,
    BODY_TIME_MAX,
)

E = TypeVar("E", bound=Callable[..., object])

_LANES: Final = dict[Callable[..., object], Lane]()
_SENDS: Final = frozenset({"POST", "PUT"})


def in_lane(lane: Lane) -> Callable[[E], E]:
    """Say what a route's requests cost; by default, as much as a statement or a quick read."""

    def noted(endpoint: E) -> E:
        _LANES[endpoint] = lane
        return endpoint

    return noted


class BoundedRoute(APIRoute):
    """A route that counts its requests by caller, and whose blocking work is done in turn."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:  # noqa: ANN401 - FastAPI's
        """Have a function that blocks called in turn."""
        sends = _SENDS & set(options.get("methods") or ())
        self.lane = _LANES.get(endpoint, Lane.ACT if sends else Lane.SMALL)
        if not inspect.iscoroutinefunction(endpoint):
            endpoint = _called_in_turn(endpoint)
        super().__init__(path, endpoint, **options)

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request once its caller has a place for it."""
        if self.methods and scope["method"] not in self.methods:
            await super().handle(scope, receive, send)  # which refuses it
            return
        turns = cast("Turns", scope["app"].state.turns)
        request = Request(scope)
        asker = request.state.asker = await _asker(request)
        lane = self.lane if asker.key is not None else Lane.STRANGER
        async with turns.request(asker.counted_as, lane):
            await super().handle(scope, TimedBody(receive).receive, held_until_taken(send))


def held_until_taken(send: Send) -> Send:
    """Return a `send` that ends a large answer only when the client has taken it.

    Until then it fills our memory, so it keeps its caller's place: who reads nothing gets nothing else.
    """

    async def sent(message: Message) -> None:
        ends = message["type"] == "http.response.body" and not message.get("more_body", False)
        if ends and len(message.get("body", b"")) > ANSWER_BUFFER_BYTES_MAX:
            await send({**message, "more_body": True})
            message = {"type": "http.response.body", "body": b"", "more_body": False}
        await send(message)  # which waits until what was sent before is taken

    return sent


async def _asker(request: Request) -> Asker:
    """Return who asks, as far as their token says so."""
    backend = cast("Backend", request.app.state.backend)
    try:
        subject = subject_of(request)
        await backend.keys.found(subject)
        key = identified(request, backend)
    except UnauthenticatedError as refusal:
        host = "unknown" if request.client is None else request.client.host
        return Asker(counted_as=subscriber(host), key=None, refusal=refusal)
    return Asker(counted_as=subject, key=key, refusal=None)


def _called_in_turn(endpoint: Callable[..., Any]) -> Callable[..., Awaitable[Response]]:
    """Return a coroutine function that has `endpoint` called and its answer written in a thread."""
    answers = TypeAdapter[object](get_type_hints(endpoint)["return"]) if _answers_json(endpoint) else None

    def written(**values: Any) -> Response:  # noqa: ANN401 - whatever the route takes
        answer = endpoint(**values)
        if isinstance(answer, Response):
            return answer
        assert answers is not None, "a route says what it answers"
        return Response(answers.dump_json(answer, by_alias=True), media_type="application/json")

    @wraps(endpoint)
    async def called(**values: Any) -> Response:  # noqa: ANN401
        return await in_turn(written, **values)

    return called


def _answers_json(endpoint: Callable[..., object]) -> bool:
    answer = get_type_hints(endpoint).get("return")
    return not (isinstance(answer, type) and issubclass(answer, Response))


class Arrivals:
    """ASGI middleware that lets one address begin few requests between two looks at all connections.

    Every request costs the one thread that serves all connections something, whoever sent it, even one for
    an address that does not exist. A hundred connections of one address would otherwise be answered in one
    go, again and again, and every step of another's answer waits for that.
    """

    def __init__(self, app: ASGIApp) -> None:
        """Wrap `app`."""
        self._app = app
        self._line = Line(places=ARRIVALS_MAX, each=ARRIVALS_EACH_MAX)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on when it is its address's turn."""
        if scope["type"] == "http":
            host, _ = scope.get("client") or ("unknown", 0)
            try:
                async with self._line.place(subscriber(host)):
                    await asyncio.sleep(0)  # the place is free again once all connections were looked at
            except NoTurnInTimeError as refusal:
                await problem_response(refusal)(scope, receive, send)
                return
        await self._app(scope, receive, send)


class TimedBody:
    """The body of a request, which must arrive in time: a trickle would keep its place for hours."""

    def __init__(
        self, receive: Receive, *, pause_max: timedelta = BODY_PAUSE_MAX, time_max: timedelta = BODY_TIME_MAX
    ) -> None:
        """Allow `pause_max` between two parts, and `time_max` and the time for its size in all."""
        self._receive, self._whole = receive, False
        self._pause_max, self._left = pause_max.total_seconds(), time_max.total_seconds()

    async def receive(self) -> Message:
        """Return the next part of the body; after its end, whatever comes.

        Raises:
            BodyTooSlowError: It does not arrive in time.
        """
        if self._whole:
            return await self._receive()
        clock = asyncio.get_running_loop().time
        began = clock()
        try:
            message = await asyncio.wait_for(self._receive(), min(self._pause_max, self._left))
        except TimeoutError:
            raise BodyTooSlowError("the body did not arrive in time") from None
        self._left += len(message.get("body", b"")) / BODY_BYTES_PER_SECOND_MIN - (clock() - began)
        self._whole = not message.get("more_body", False)
        return message
