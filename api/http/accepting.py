"""What the API says of connections: one line a minute, where a crowd could cause thousands a second.

While this process has no descriptor left, asyncio tries to accept once for each place of its backlog, and
would log a traceback each time. uvicorn warns of each connection that brings no HTTP, or that is to be
upgraded. Either would fill the disk with the log.
"""

import asyncio
import logging
import time
from errno import EMFILE, ENFILE, ENOBUFS, ENOMEM
from typing import Any, Final

from tallystick import telemetry
from tallystick.limits.api import STRANGERS_SAID_EVERY

_log = telemetry.logger(__name__)
_NO_ROOM: Final = frozenset({EMFILE, ENFILE, ENOBUFS, ENOMEM})


class NoRoom:
    """An exception handler of a loop: it says seldom that nothing can be accepted; the rest is as it was."""

    def __init__(self) -> None:
        self._again_at = 0.0

    def __call__(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Take what a loop reports (`loop.set_exception_handler`)."""
        error = context.get("exception")
        if not (isinstance(error, OSError) and error.errno in _NO_ROOM):
            loop.default_exception_handler(context)
        elif (now := time.monotonic()) >= self._again_at:
            self._again_at = now + STRANGERS_SAID_EVERY.total_seconds()
            _log.warning("no room for another connection", why=error.strerror)


class Seldom(logging.Filter):
    """Lets each of uvicorn's warnings pass only once a minute; they are few, and sentences of its own."""

    def __init__(self) -> None:
        """Let the first of each pass."""
        super().__init__()
        self._again_at = dict[str, float]()

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether a line is logged; whatever is not a warning always is."""
        now = time.monotonic()
        if record.levelno != logging.WARNING:
            return True
        if now < self._again_at.get(str(record.msg), now):
            return False
        self._again_at[str(record.msg)] = now + STRANGERS_SAID_EVERY.total_seconds()
        return True


UVICORN_SELDOM: Final = Seldom()
"""For `logging.getLogger("uvicorn.error")`, by which it warns."""
