"""How long a run's history has grown, and when a fresh run is better.

Temporal suggests a fresh run by a history's length alone. A claim with a long record
makes a long history merely by being read, again in each run: if that were a reason to
begin afresh, the claim would begin afresh for ever and never be carried.
"""

from dataclasses import dataclass
from typing import Self

from temporalio import workflow

from tallystick.limits.claims import HISTORY_GROWTH_BYTES_MAX, HISTORY_GROWTH_EVENTS_MAX


@dataclass(frozen=True, slots=True, kw_only=True)
class HistorySize:
    """The length of a run's history, as of the current task."""

    events: int
    size_bytes: int

    @classmethod
    def now(cls) -> Self:
        """Return the length of this run's history; the same in a replay."""
        info = workflow.info()
        return cls(events=info.get_current_history_length(), size_bytes=info.get_current_history_size())

    def is_worth_a_fresh_run(self, begun_with: "HistorySize") -> bool:
        """Return whether enough happened since the claim was read to be worth reading it again."""
        grown_bytes = self.size_bytes - begun_with.size_bytes
        return self.events - begun_with.events >= HISTORY_GROWTH_EVENTS_MAX or grown_bytes >= min(
            begun_with.size_bytes, HISTORY_GROWTH_BYTES_MAX
        )
