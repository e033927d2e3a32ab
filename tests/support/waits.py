"""Waiting for what other processes or tasks do, with an end."""

import asyncio
import time
from collections.abc import Callable


def wait_for(check: Callable[[], bool], seconds: float = 60) -> None:
    """Return once `check` holds; fail after `seconds`."""
    give_up = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < give_up, "waited in vain"
        time.sleep(0.2)


async def until(check: Callable[[], bool], seconds: float = 60) -> None:
    """Return once `check` holds, while other tasks of this loop go on; fail after `seconds`."""
    give_up = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < give_up, "waited in vain"
        await asyncio.sleep(0.01)
