"""Whose call is next: callers take turns at what they share, and each waits behind their own calls only.

A request first takes a place among its caller's own. Only then may it use a thread, and with it a connection
to the database: a `Line` gives these out one caller after the other, however many calls each has waiting.
"""

import asyncio
import ipaddress
from collections import Counter, OrderedDict, deque
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final, ParamSpec, TypeVar

from fastapi.concurrency import run_in_threadpool

from tallystick.domain.errors import TallystickError
from tallystick.limits.api import (
    ACT_THREADS_MAX,
    EVENT_STREAMS_EACH_MAX,
    EVENT_STREAMS_MAX,
    HEAVY_REQUESTS_EACH_MAX,
    HEAVY_THREADS_MAX,
    REQUESTS_EACH_MAX,
    REQUESTS_MAX,
    REQUESTS_WAITING_EACH_MAX,
    SMALL_THREADS_MAX,
    STRANGER_REQUESTS_EACH_MAX,
    STRANGER_THREADS_MAX,
    STRANGERS_MAX,
    STREAM_THREADS_MAX,
    TURN_WAIT_MAX,
    UPLOAD_THREADS_MAX,
)

P = ParamSpec("P")
T = TypeVar("T")

_NETWORK_BITS: Final = 64  # of an IPv6 address: one subscriber has all the rest


class TooManyRequestsError(TallystickError):
    """One caller, or all without a known key together, have as many requests under way as they may have."""

    code = "too-many-requests"
    why = (
        "Each caller may have only some requests under way at once, so that nobody's requests stop another's."
    )
    advice = "Wait for the answers to your earlier requests, then send this one again: nothing was done yet."
    retryable = True


class NoTurnInTimeError(TallystickError):
    """A request whose turn did not come."""

    code = "no-turn-in-time"
    why = "Others, or your own earlier requests, had the server's threads for longer than a request may wait."
    advice = "Send the same request again, after the seconds in `Retry-After`: nothing is done twice."
    retryable = True


def subscriber(host: str) -> str:
    """Return whose connection one from `host` is: an address, or a subscriber's whole network in IPv6."""
    try:
        found = ipaddress.ip_address(host)
    except ValueError:
        return host
    if found.version == 4:  # noqa: PLR2004 - IPv4
        return str(found)
    return str(ipaddress.ip_network((int(found), _NETWORK_BITS), strict=False))


class Lane(StrEnum):
    """What a request costs. Those of one lane never keep those of another from a thread."""

    ACT = "act"
    """A statement."""
    SMALL = "small"
    """A look at one thing."""
    HEAVY = "heavy"
    """Lists, files, and whatever else takes long."""
    UPLOAD = "upload"
    STREAM = "stream"
    """An answer that lasts for minutes."""
    STRANGER = "stranger"
    """A request of which nobody knows yet who asks: counted by its address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Width:
    """How much there is of a lane.

    Attributes:
        each: Requests that one caller may have under way.
        waiting: Requests that may wait besides; any further one is refused.
        requests: Requests under way of all callers.
        crowd: Requests of all callers, those that wait included; any further one is refused.
        threads: Threads for all callers.
    """

    each: int
    waiting: int
    requests: int
    threads: int
    crowd: int | None = None

    @property
    def threads_each(self) -> int:
        """Threads that one caller may have: half of them, as Python runs only one at a time."""
        return (self.threads + 1) // 2


def _width(each: int, threads: int, *, crowd: int | None = None) -> Width:
    return Width(
        each=each, waiting=REQUESTS_WAITING_EACH_MAX, requests=REQUESTS_MAX, threads=threads, crowd=crowd
    )


WIDTHS: Final[dict[Lane, Width]] = {
    Lane.ACT: _width(REQUESTS_EACH_MAX, ACT_THREADS_MAX),
    Lane.SMALL: _width(REQUESTS_EACH_MAX, SMALL_THREADS_MAX),
    Lane.HEAVY: _width(HEAVY_REQUESTS_EACH_MAX, HEAVY_THREADS_MAX),
    Lane.UPLOAD: _width(HEAVY_REQUESTS_EACH_MAX, UPLOAD_THREADS_MAX),
    Lane.STREAM: Width(
        each=EVENT_STREAMS_EACH_MAX, waiting=0, requests=EVENT_STREAMS_MAX, threads=STREAM_THREADS_MAX
    ),
    Lane.STRANGER: _width(STRANGER_REQUESTS_EACH_MAX, STRANGER_THREADS_MAX, crowd=STRANGERS_MAX),
}


class Line:
    """Places that are given to those who wait, one caller after the other."""

    def __init__(
        self,
        *,
        places: int,
        each: int,
        waiting: int | None = None,
        crowd: int | None = None,
        wait_max: timedelta = TURN_WAIT_MAX,
    ) -> None:
        """Have `places` in all and `each` for one caller, of whom at most `waiting` more may wait.

        Nobody waits longer than `wait_max`. Together with those who wait there are at most `crowd`.
        """
        self._free, self._each, self._waiting_max, self._crowd_max = places, each, waiting, crowd
        self._wait_max = wait_max
        self._inside = Counter[str]()
        self._waiting = OrderedDict[str, deque[asyncio.Future[None]]]()

    @asynccontextmanager
    async def place(self, who: str) -> AsyncGenerator[None]:
        """Wait for a place, and have it while the block runs.

        Raises:
            TooManyRequestsError: Too many of this caller's requests wait already.
            NoTurnInTimeError: The turn did not come in time.
        """
        await self._enter(who)
        try:
            yield
        finally:
            self._leave(who)

    async def _enter(self, who: str) -> None:
        if self._crowd_max is not None and self._crowd >= self._crowd_max:
            raise TooManyRequestsError("too many requests are under way", limit=self._crowd_max)
        if self._free > 0 and self._inside[who] < self._each:  # then none of this caller's requests waits
            self._take(who)
            return
        ahead = len(self._waiting.get(who, ()))
        if self._waiting_max is not None and ahead >= self._waiting_max:
            raise TooManyRequestsError("too many of your requests are under way", limit=self._each)
        called: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(who, deque()).append(called)
        try:
            async with asyncio.timeout(self._wait_max.total_seconds()):
                await called
        except (asyncio.CancelledError, TimeoutError) as gone:
            if called.done() and not called.cancelled():
                self._leave(who)  # called in the very moment in which the caller went away
            else:
                self._forget(who, called)
            if isinstance(gone, TimeoutError):
                raise NoTurnInTimeError("your turn did not come in time", limit=self._each) from None
            raise

    @property
    def _crowd(self) -> int:
        return self._inside.total() + sum(map(len, self._waiting.values()))

    def _take(self, who: str) -> None:
        self._free -= 1
        self._inside[who] += 1

    def _leave(self, who: str) -> None:
        self._free += 1
        self._inside[who] -= 1
        if not self._inside[who]:
            del self._inside[who]
        self._call_next()

    def _call_next(self) -> None:
        for who in list(self._waiting):
            if not self._free:
                return
            if self._inside[who] < self._each:
                called = self._waiting[who].popleft()
                self._to_the_end(who)
                if not called.cancelled():  # else the caller went away, and is about to find out
                    self._take(who)
                    called.set_result(None)

    def _to_the_end(self, who: str) -> None:
        if self._waiting[who]:
            self._waiting.move_to_end(who)
        else:
            del self._waiting[who]

    def _forget(self, who: str, called: "asyncio.Future[None]") -> None:
        ahead = self._waiting.get(who, deque())
        if called in ahead:
            ahead.remove(called)
            if not ahead:
                del self._waiting[who]


class Turns:
    """The lines of one process: for its requests, and for its threads."""

    def __init__(self) -> None:
        """Begin with nobody."""
        self._requests = {
            lane: Line(places=width.requests, each=width.each, waiting=width.waiting, crowd=width.crowd)
            for lane, width in WIDTHS.items()
        }
        self._threads = {
            lane: Line(places=width.threads, each=width.threads_each) for lane, width in WIDTHS.items()
        }
        self._long = {lane: Line(places=max(width.threads - 1, 1), each=1) for lane, width in WIDTHS.items()}

    @asynccontextmanager
    async def request(self, who: str, lane: Lane) -> AsyncGenerator[None]:
        """Wait for a place among the caller's own requests; what the block calls in turn is on their account.

        Raises:
            TooManyRequestsError: Too many of this caller's requests wait already.
            NoTurnInTimeError: Those before it took too long.
        """
        async with self._requests[lane].place(who):
            asking = _Asking(who=who, threads=self._threads[lane], long=self._long[lane])
            before = _ASKING.set(asking)
            try:
                yield
            finally:
                _ASKING.reset(before)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asking:
    """Who makes the present request, and the lines for the threads of its lane.

    Attributes:
        long: For calls that last: one of each caller, and never all threads at once.
    """

    who: str
    threads: Line
    long: Line


_ASKING: Final[ContextVar[_Asking | None]] = ContextVar("asking", default=None)


async def in_turn(call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Return what a blocking call returns, made in a thread when it is the present caller's turn.

    Raises:
        NoTurnInTimeError: All threads were in use for too long.
    """
    asking = _ASKING.get()
    if asking is None:  # what the process does by itself
        return await run_in_threadpool(call, *args, **kwargs)
    async with asking.threads.place(asking.who):
        return await run_in_threadpool(call, *args, **kwargs)


async def in_long_turn(call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Return what a call returns that may last for minutes: such as reading a large file to its end.

    Each caller makes one of them at a time, and together they leave a thread of their lane to short calls.

    Raises:
        NoTurnInTimeError: Another such call took too long.
    """
    asking = _ASKING.get()
    if asking is None:
        return await in_turn(call, *args, **kwargs)
    async with asking.long.place(asking.who):
        return await in_turn(call, *args, **kwargs)
