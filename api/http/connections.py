"""Connections to the API, which uvicorn takes: their number is bounded by address, and a head's time is, too.

uvicorn's own `--limit-concurrency` would refuse everybody alike, and it waits for a head without an end.
`uvicorn api.app:create_app --factory --http api.http.connections:Connection` uses this.
"""

import asyncio
from collections import Counter
from datetime import timedelta
from typing import ClassVar, cast

from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

from api.http.turns import subscriber
from tallystick.limits import CONNECTIONS_EACH_MAX, CONNECTIONS_MAX, HEAD_TIME_MAX


class Connection(H11Protocol):
    """One connection; it is closed if no head arrives in time, or if its address has too many.

    Attributes:
        head_time_max: How long a head may take, from the connection's beginning or from its first byte.
        each_max: How many connections one address may have.
        all_max: How many there may be in all.
    """

    head_time_max: ClassVar[timedelta] = HEAD_TIME_MAX
    each_max: ClassVar[int] = CONNECTIONS_EACH_MAX
    all_max: ClassVar[int] = CONNECTIONS_MAX
    _head_until: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn's
        """Take a connection, unless there are too many."""
        super().connection_made(transport)
        if not self._has_room():
            transport.abort()
            return
        self._wait_for_head()

    def data_received(self, data: bytes) -> None:
        """Take what arrives."""
        super().data_received(data)
        self._wait_for_head()

    def on_response_complete(self) -> None:
        """Go on to the next request, whose head may have begun to arrive."""
        super().on_response_complete()
        self._wait_for_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._stop_waiting()
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

    def _has_room(self) -> bool:
        """Return whether this connection has room; an idle one of the greediest address makes room."""
        connections = cast("set[Connection]", self.connections)
        others = [one for one in connections if one is not self]
        held = Counter(one.address for one in others)
        if held[self.address] >= self.each_max:
            return False
        if len(others) < self.all_max:
            return True
        greediest, most = held.most_common(1)[0]
        idle = next((one for one in others if one.address == greediest and one.is_idle), None)
        if idle is None or most <= held[self.address] + 1:
            return False
        idle.transport.abort()
        return True

    @property
    def address(self) -> str:
        """Whose it is, by the address from which it comes; that of the proxy, if there is one."""
        return subscriber(self.client[0]) if self.client else ""
