"""Waiting a little for what the server will soon show."""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Final, TypeVar

from tallystick.client.http import Client
from tallystick.client.outage import outlasting

_T = TypeVar("_T")
_LOOK_SECONDS: Final = 0.5


def shown_within(
    client: Client, longest: timedelta, look: Callable[[], _T], *, ready: Callable[[_T], bool]
) -> _T | None:
    """Return what `look` shows once it is `ready`, or None if it is not ready after the `longest` wait.

    A short outage meanwhile does not end the wait.

    Raises:
        TallystickError: The server refused, or did not answer for long.
    """
    give_up = time.monotonic() + longest.total_seconds()
    while not ready(shown := outlasting(look, client.pause)):
        if time.monotonic() > give_up:
            return None
        client.pause(_LOOK_SECONDS)
    return shown
