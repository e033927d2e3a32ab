"""Outliving a short outage: a sleeping laptop, a VPN, a server that restarts."""

from collections.abc import Callable
from typing import TypeVar

from tallystick.client.problems import UnreachableError
from tallystick.limits.client import OUTAGE_MAX, RECONNECT_MAX, RECONNECT_MIN

_T = TypeVar("_T")


class Outage:
    """Pauses between the attempts of one piece of work; they grow, until the outage has lasted too long."""

    def __init__(self, pause: Callable[[float], None]) -> None:
        """Pause with `pause`, whose argument is in seconds."""
        self._pause = pause
        self._next, self._waited = RECONNECT_MIN, RECONNECT_MIN * 0

    def wait(self, error: UnreachableError) -> None:
        """Pause once; raise `error` instead after an outage of `OUTAGE_MAX`."""
        if self._waited >= OUTAGE_MAX:
            raise error
        self._pause(self._next.total_seconds())
        self._waited += self._next
        self._next = min(2 * self._next, RECONNECT_MAX)

    def renew(self) -> None:
        """Forget the outage: something arrived."""
        self._next, self._waited = RECONNECT_MIN, RECONNECT_MIN * 0


def outlasting(ask: Callable[[], _T], pause: Callable[[float], None]) -> _T:
    """Return what `ask` returns; ask again while no answer comes, for as long as an outage may last.

    Raises:
        UnreachableError: The outage lasted longer.
    """
    outage = Outage(pause)
    while True:
        try:
            return ask()
        except UnreachableError as error:
            outage.wait(error)
