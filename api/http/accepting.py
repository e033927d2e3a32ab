"""What the API says when it can take no more connections: one line a minute, instead of thousands a second.

While this process has no descriptor left, asyncio tries to accept once for each place of its backlog, and
would log a traceback each time: a crowd that opens connections would fill the disk with the log.
"""

import asyncio
import time
from errno import EMFILE, ENFILE, ENOBUFS, ENOMEM
from typing import Any, Final

from tallystick import telemetry
from tallystick.limits.api import NO_ROOM_SAID_EVERY

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
            self._again_at = now + NO_ROOM_SAID_EVERY.total_seconds()
            _log.warning("no room for another connection", why=error.strerror)
