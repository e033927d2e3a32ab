"""Connections to the API, which uvicorn takes: how many an address has, and how slow a client may be.

uvicorn's own `--limit-concurrency` would refuse everybody alike, and it waits without an end for a head to
arrive and for an answer to be taken.
`uvicorn api.app:create_app --factory --http api.http.connections:Connection` uses this.
"""

import asyncio
from collections import Counter
from datetime import timedelta
from typing import ClassVar, Final, cast

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

from api.http.turns import subscriber
from tallystick.limits.api import (
    ANSWER_BUFFER_BYTES_MAX,
    ANSWER_BYTES_PER_SECOND_MIN,
    ANSWER_PAUSE_MAX,
    CHUNK_BYTES_MIN,
    CHUNKS_FREE,
    CONNECTIONS_EACH_MAX,
    CONNECTIONS_MAX,
    HEAD_BYTES_MAX,
    HEAD_LINES_MAX,
    HEAD_TIME_MAX,
)

_LOOKS_IN_A_PAUSE: Final = 5


class Connection(H11Protocol):
    """One connection; it is closed if a head or a reader is too slow, or if its address has too many.

    Attributes:
        head_time_max: How long a head may take, from the connection's beginning or from its first byte.
        each_max: How many connections one address may have.
        all_max: How many there may be in all.
        answer_pause_max: How long a client may take nothing of an answer, besides the time for what it takes.
        begun_at: When it was made, by the loop's clock.
        answer_buffer_bytes: How much of an answer waits for the client before whoever makes it waits, too.
    """

    head_time_max: ClassVar[timedelta] = HEAD_TIME_MAX
    each_max: ClassVar[int] = CONNECTIONS_EACH_MAX
    all_max: ClassVar[int] = CONNECTIONS_MAX
    answer_pause_max: ClassVar[timedelta] = ANSWER_PAUSE_MAX
    answer_buffer_bytes: ClassVar[int] = ANSWER_BUFFER_BYTES_MAX
    begun_at: float = 0.0
    _head_until: asyncio.TimerHandle | None = None
    _next_look: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn's
        """Take a connection, unless there are too many."""
        super().connection_made(transport)
        self.conn = Framed()
        self.begun_at = self.loop.time()
        if not self._has_room():
            transport.abort()
            return
        # With no low-water mark, "taken" means all of it.
        transport.set_write_buffer_limits(high=self.answer_buffer_bytes, low=0)
        self._wait_for_head()

    def data_received(self, data: bytes) -> None:
        """Take what arrives, in pieces: h11 bounds a head only as long as it has not arrived to its end."""
        for start in range(0, len(data), HEAD_BYTES_MAX):
            if self.transport.is_closing():
                return
            super().data_received(data[start : start + HEAD_BYTES_MAX])
        self._wait_for_head()

    def _should_upgrade(self) -> bool:
        """Keep the connection: another protocol's would be bound by nothing that is bound here."""
        return False

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no request; hang up if an answer has begun, because it cannot be taken back."""
        if self.conn.our_state in {h11.IDLE, h11.SEND_RESPONSE}:
            super().send_400_response(msg)
        else:
            self.transport.abort()

    def on_response_complete(self) -> None:
        """Go on to the next request, whose head may have begun to arrive."""
        super().on_response_complete()
        self._wait_for_head()
        self._wait_for_reader()

    def pause_writing(self) -> None:
        """Have whoever makes the answer wait until the client has taken what was sent."""
        super().pause_writing()
        self._wait_for_reader()

    def resume_writing(self) -> None:
        """Go on with the answer: all of what was sent is taken."""
        super().resume_writing()
        self._stop_looking()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._stop_waiting()
        self._stop_looking()
        super().connection_lost(exc)

    @property
    def is_idle(self) -> bool:
        """Whether no request is under way: none has arrived, or its head has not arrived to its end."""
        cycle = cast("RequestResponseCycle | None", self.cycle)  # None until the first request
        return cycle is None or cycle.response_complete

    def _wait_for_head(self) -> None:
        """Start the time that the next head may take."""
        if not self.is_idle:
            self._stop_waiting()
        elif self._head_until is None and self.timeout_keep_alive_task is None:
            self._head_until = self.loop.call_later(self.head_time_max.total_seconds(), self.transport.abort)

    def _stop_waiting(self) -> None:
        if self._head_until is not None:
            self._head_until.cancel()
            self._head_until = None

    def _wait_for_reader(self) -> None:
        """Start the time that the client may take to read what was sent and still lies here."""
        if self._next_look is None and (waiting := self.transport.get_write_buffer_size()):
            self._look_later(self.loop.time(), waiting)

    def _look_later(self, since: float, waiting: int) -> None:
        pause = self.answer_pause_max.total_seconds()
        self._next_look = self.loop.call_later(pause / _LOOKS_IN_A_PAUSE, self._look, since, waiting)

    def _look(self, since: float, waiting: int) -> None:
        """Hang up if the client has taken too little of the `waiting` bytes that lay here `since` then."""
        self._next_look = None
        left = self.transport.get_write_buffer_size()
        if left > waiting:  # another answer came behind it: how much of both was taken, nobody knows
            since, waiting = self.loop.time(), left
        time = self.answer_pause_max.total_seconds() + (waiting - left) / ANSWER_BYTES_PER_SECOND_MIN
        if left and self.loop.time() - since > time:
            self.transport.abort()  # `close` would wait for the reader, too
        elif left:
            self._look_later(since, waiting)

    def _stop_looking(self) -> None:
        if self._next_look is not None:
            self._next_look.cancel()
            self._next_look = None

    def _has_room(self) -> bool:
        """Return whether this connection has room; one of the greediest address makes room, if need be.

        An idle one, or else the one that came last: whoever keeps all of theirs at work, in as many requests
        as a few keys and addresses may have under way, would keep everyone else from being heard at all.
        """
        connections = cast("set[Connection]", self.connections)
        others = [one for one in connections if one is not self and not one.transport.is_closing()]
        held = Counter(one.address for one in others)
        if held[self.address] >= self.each_max:
            return False
        if len(others) < self.all_max:
            return True
        greediest, most = held.most_common(1)[0]
        if most <= held[self.address] + 1:
            return False
        theirs = [one for one in others if one.address == greediest]
        max(theirs, key=lambda one: (one.is_idle, one.begun_at)).transport.abort()
        return True

    @property
    def address(self) -> str:
        """Whose it is, by the address from which it comes; that of the proxy, if there is one."""
        return subscriber(self.client[0]) if self.client else ""


class Framed(h11.Connection):
    """A server's side of HTTP/1.1 that refuses a head of many lines, and a body of many tiny chunks.

    A chunk of one byte costs as much as one of a mebibyte (RFC 9112 section 7.1), and one thread takes the
    chunks of all connections apart, before anybody knows who sends them and even after they were answered.
    """

    def __init__(self) -> None:
        """Begin with the first request of a connection."""
        super().__init__(h11.SERVER, HEAD_BYTES_MAX)
        self._chunks, self._body_bytes = 0, 0

    def next_event(self) -> h11.Event | type[h11.NEED_DATA] | type[h11.PAUSED]:
        """Return what arrived next.

        Raises:
            h11.RemoteProtocolError: It is no HTTP, or more costly than a request may be.
        """
        event = super().next_event()
        if isinstance(event, h11.Request):
            self._chunks, self._body_bytes = 0, 0
            if len(event.headers) > HEAD_LINES_MAX:
                raise h11.RemoteProtocolError("the head has too many lines")
        elif isinstance(event, h11.Data):
            self._count(event)
        return event

    def _count(self, part: h11.Data) -> None:
        self._chunks += part.chunk_start
        self._body_bytes += len(part.data)
        if self._chunks > CHUNKS_FREE + self._body_bytes // CHUNK_BYTES_MIN:
            raise h11.RemoteProtocolError("the body comes in too many small chunks")
