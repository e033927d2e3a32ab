"""Signs of life for Temporal, from activities that read for minutes."""

import asyncio
import contextvars
import threading
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta

from temporalio import activity

from tallystick.limits.steps import HEARTBEAT_EVERY


def heartbeat(step: str) -> None:
    """Tell Temporal how far this activity has come; outside an activity, do nothing."""
    if activity.in_activity():
        activity.heartbeat(step)


@contextmanager
def beating(every: timedelta = HEARTBEAT_EVERY) -> Generator[None]:
    """Keep telling Temporal that this process is alive while the block reads something large.

    A read that hangs is ended by the activity's own time limit, not by this.
    """
    done = threading.Event()
    # The thread speaks for this activity: its context is where Temporal keeps whose beat it is.
    context = contextvars.copy_context()

    def beat() -> None:
        while not done.wait(every.total_seconds()):
            heartbeat("at work")

    thread = threading.Thread(target=context.run, args=(beat,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


@asynccontextmanager
async def waiting_alive(every: timedelta = HEARTBEAT_EVERY) -> AsyncGenerator[None]:
    """Keep telling Temporal that this process is alive while the block waits for someone else."""

    async def beat() -> None:
        while True:
            await asyncio.sleep(every.total_seconds())
            heartbeat("waiting")

    beats = asyncio.create_task(beat())
    try:
        yield
    finally:
        beats.cancel()
