"""A moment for which a workflow waits, over many changes of mind about everything else."""

import asyncio
from datetime import datetime, timedelta

from temporalio import workflow


class Alarm:
    """One timer of Temporal's, started anew only when it's set to another moment.

    Most of what's recorded moves no deadline; to stop and start a timer each time would
    make two more events of every act, for as long as the claim runs. One that's set to
    another moment is left to run out: nothing comes of it, and it costs no event to stop.
    """

    def __init__(self) -> None:
        self._moment: datetime | None = None
        self._timer: asyncio.Task[None] | None = None

    def set(self, moment: datetime | None) -> None:
        """Ring at `moment`, at once if it has passed; None: never."""
        if moment == self._moment and not self.rings():
            return
        self._moment = moment
        self._timer = None if moment is None else asyncio.create_task(_sleep_until(moment))

    def rings(self) -> bool:
        """Say whether the moment has come."""
        return self._timer is not None and self._timer.done()


async def _sleep_until(moment: datetime) -> None:
    await asyncio.sleep(max(moment - workflow.now(), timedelta(0)).total_seconds())
