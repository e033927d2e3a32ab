"""A moment that a workflow waits for, while everything else changes."""

import asyncio
from datetime import datetime, timedelta

from temporalio import workflow


class Alarm:
    """One timer of Temporal's, started anew only when it is set to another moment.

    Most entries move no deadline; stopping and starting a timer for each would add two
    events to the history for every act, for as long as the claim runs. When the alarm is set
    to another moment, the old timer is left to run out: that has no effect, and stopping it
    would cost an event.
    """

    def __init__(self) -> None:
        self._moment: datetime | None = None
        self._timer: asyncio.Task[None] | None = None

    def set(self, moment: datetime | None) -> None:
        """Ring at `moment`, or at once if it has passed; None: never ring."""
        if moment == self._moment and not self.rings():
            return
        self._moment = moment
        self._timer = None if moment is None else asyncio.create_task(_sleep_until(moment))

    def rings(self) -> bool:
        """Return whether the moment has come."""
        return self._timer is not None and self._timer.done()


async def _sleep_until(moment: datetime) -> None:
    await asyncio.sleep(max(moment - workflow.now(), timedelta(0)).total_seconds())
