"""Places for what takes long: one agreement's or person's steps leave others theirs.

A stage may be terabytes, and each quorum that is reached, taken back and reached again has it read once more.
A depositor may send ninety deposits in an hour, each of which is read whole, in every store. A depositor's
webhook may answer byte by byte, so that each notice of each claim takes minutes.
"""

import threading
import time
from collections import Counter
from collections.abc import Collection, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from tallystick.domain.errors import TallystickError
from tallystick.limits.processes import SLOW_KNOWN_MAX


class ReadingBusyError(TallystickError):
    """As many sealed files of one agreement or person are being read as may be at a time."""

    code = "reading-busy"
    why = "Few stages or deposits of one agreement or person are read at a time, to leave others a place."
    advice = "Nothing to do: this one is read as soon as an earlier one has been; nothing changes until then."
    retryable = True


class NoticeBusyError(TallystickError):
    """As many notices of one agreement, to one depositor or to slow ones are on their way as may be."""

    code = "notice-busy"
    why = "Only some notices of an agreement, to a depositor, or to slow ones are sent at a time."
    advice = "Nothing to do: this one is sent once an earlier one is through, and counts from then on."
    retryable = True


class EvidenceBusyError(TallystickError):
    """As many evidence files under one agreement are being made as may be at a time."""

    code = "evidence-busy"
    why = "Few evidence files of an agreement are made at a time, so that others' notices find a place."
    advice = "Nothing to do: this one is made as soon as an earlier one is."
    retryable = True


@dataclass(frozen=True, slots=True, kw_only=True)
class SlowShare:
    """What those have together who are slow: then the rest of the places is left to all others.

    Attributes:
        after: One is slow whose last piece of work took longer than this, until one takes less.
        places: How many pieces of work they have under way, all of them together.
    """

    after: timedelta
    places: int


class Places:
    """How much of each owner's is under way, in one process."""

    def __init__(self, each: int, busy: type[TallystickError], *, slow: SlowShare | None = None) -> None:
        """Have `each` for one owner: an agreement, or a person's key.

        Args:
            busy: What one gets for whom there is no place.
            slow: What slow owners share; without it, everybody has `each`.
        """
        self._each: Final = each
        self._busy: Final = busy
        self._share: Final = slow
        self._taken = Counter[str]()
        self._slow: dict[str, None] = {}
        self._slow_taken = 0
        self._lock = threading.Lock()

    @contextmanager
    def place(self, *owners: str) -> Generator[None]:
        """Have a place of each of `owners` while the block works.

        Raises:
            TallystickError: All places of one of them are taken: the kind that these places were made with.
        """
        began = time.monotonic()
        with self._lock:
            slow = self._checked(owners)
            self._taken.update(owners)
            self._slow_taken += slow
        try:
            yield
        finally:
            with self._lock:
                self._taken.subtract(owners)
                self._taken += Counter()  # forgets those who have none
                self._slow_taken -= slow
                self._note(owners, timedelta(seconds=time.monotonic() - began))

    def _checked(self, owners: Collection[str]) -> bool:
        """Return whether the place is one of those that slow owners share."""
        for owner in owners:
            if self._taken[owner] >= self._each:
                raise self._busy("earlier ones are under way", owner=owner, limit=self._each)
        slow = not self._slow.keys().isdisjoint(owners)
        if slow and self._share is not None and self._slow_taken >= self._share.places:
            raise self._busy("those of slow recipients are under way", limit=self._share.places)
        return slow

    def _note(self, owners: Collection[str], took: timedelta) -> None:
        """Note who is slow; the one who has been for longest is forgotten when there are too many."""
        for owner in owners:
            self._slow.pop(owner, None)
            if self._share is not None and took > self._share.after:
                self._slow[owner] = None
        while len(self._slow) > SLOW_KNOWN_MAX:
            del self._slow[next(iter(self._slow))]
