"""The time-skipping server's clock, as threads and the database see it."""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry
from sqlmodel import Session
from temporalio.testing import WorkflowEnvironment

from tests.support.worlds.gate_worlds import World


@dataclass(kw_only=True)
class ServerClock:
    """The test server's clock, for threads."""

    environment: WorkflowEnvironment
    loop: asyncio.AbstractEventLoop
    behind: timedelta = timedelta(0)

    def read(self) -> datetime:
        told = asyncio.run_coroutine_threadsafe(self.environment.get_current_time(), self.loop).result(10)
        return told.replace(microsecond=0) - self.behind

    def of_database(self, _: Session) -> datetime:
        return self.read()

    def drive(self, world: World) -> None:
        """Let the world's SQLite file tell this time."""

        def set_clock(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
            connection.create_function(  # a sqlite3.Connection
                "current_timestamp", 0, lambda: self.read().strftime("%Y-%m-%d %H:%M:%S")
            )

        event.listen(world.database, "connect", set_clock)
        world.database.dispose()
