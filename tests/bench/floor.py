"""What a claim's parts cost by themselves: bare workflows, a bare insert, on the same Temporal server.

`python -m tests.bench.floor ADDRESS` is the worker that runs them, a process like ours.
"""

import asyncio
import signal
import sqlite3
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from threading import Lock
from typing import Final

from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

CLAIMS: Final = "floor-claims"
WORK: Final = "floor-work"
_STEP: Final = timedelta(seconds=30)
_BUSY_SECONDS: Final = 60.0


class Inserts:
    """One table that takes one row at a time, each durable before the next: WAL, synchronous=FULL."""

    def __init__(self, file: Path) -> None:
        self._lock = Lock()
        self._rows = sqlite3.connect(
            file, isolation_level=None, check_same_thread=False, timeout=_BUSY_SECONDS
        )
        self._rows.execute("PRAGMA journal_mode = WAL")
        self._rows.execute("PRAGMA synchronous = FULL")
        self._rows.execute("CREATE TABLE IF NOT EXISTS entries (place INTEGER PRIMARY KEY, envelope BLOB)")

    def insert(self, envelope: bytes) -> None:
        with self._lock:
            self._rows.execute("BEGIN IMMEDIATE")
            self._rows.execute("INSERT INTO entries (envelope) VALUES (?)", (envelope,))
            self._rows.execute("COMMIT")

    def close(self) -> None:
        with self._lock, closing(self._rows):
            return


@activity.defn
def insert(file: str, envelope: str) -> int:
    """Insert durably, as an activity."""
    with closing(sqlite3.connect(file, isolation_level=None, timeout=_BUSY_SECONDS)) as rows:
        rows.execute("PRAGMA synchronous = FULL")
        rows.execute("BEGIN IMMEDIATE")
        found = rows.execute("INSERT INTO entries (envelope) VALUES (?)", (envelope.encode(),)).lastrowid
        rows.execute("COMMIT")
    return found or 0


@activity.defn
def nothing(envelope: str) -> str:
    """Return at once, as an activity."""
    return envelope


@workflow.defn
class Bare:
    """A workflow that accepts every update unchecked."""

    def __init__(self) -> None:
        self._over = False
        self._taken = 0

    @workflow.run
    async def run(self, activities: int) -> int:
        """Run some activities one after the other, and wait for the end."""
        for _ in range(activities):
            await self._step("")
        await workflow.wait_condition(lambda: self._over)
        await workflow.wait_condition(workflow.all_handlers_finished)
        return self._taken

    @workflow.update
    async def take(self, envelope: str) -> str:
        """Accept it, and do nothing."""
        self._taken += 1
        return envelope[:71]

    @workflow.update
    async def take_through_an_activity(self, envelope: str) -> str:
        """Pass it to an activity that does nothing."""
        self._taken += 1
        return (await self._step(envelope))[:71]

    @workflow.update
    async def keep(self, file: str, envelope: str) -> int:
        """Pass it to an activity that inserts it."""
        self._taken += 1
        return await workflow.execute_activity(
            insert, args=[file, envelope], task_queue=WORK, start_to_close_timeout=_STEP
        )

    @workflow.signal
    def end(self) -> None:
        """Let the workflow end."""
        self._over = True

    async def _step(self, envelope: str) -> str:
        return await workflow.execute_activity(
            nothing, envelope, task_queue=WORK, start_to_close_timeout=_STEP
        )


async def _serve(address: str) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    client = await Client.connect(address)
    runner = UnsandboxedWorkflowRunner()  # the floor pays for no sandbox
    with ThreadPoolExecutor(32) as threads:
        async with (
            Worker(client, task_queue=CLAIMS, workflows=[Bare], workflow_runner=runner),
            Worker(client, task_queue=WORK, activities=[insert, nothing], activity_executor=threads),
        ):
            print("ready", flush=True)  # noqa: T201 - the process that started it waits for this line
            await stop.wait()


if __name__ == "__main__":
    asyncio.run(_serve(sys.argv[1]))
