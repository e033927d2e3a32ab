"""Places for what takes long: one agreement's or person's steps leave others theirs.

A stage may be terabytes, and each quorum that is reached, taken back and reached again has it read once more.
A depositor may send ninety deposits in an hour, each of which is read whole, in every store. A depositor's
webhook may answer byte by byte, so that each notice of each claim takes minutes.
"""

import threading
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

from tallystick.domain.errors import TallystickError


class ReadingBusyError(TallystickError):
    """As many sealed files of one agreement or person are being read as may be at a time."""

    code = "reading-busy"
    why = "Few stages or deposits of one agreement or person are read at a time, to leave others a place."
    advice = "Nothing to do: this one is read as soon as an earlier one has been; nothing changes until then."
    retryable = True


class NoticeBusyError(TallystickError):
    """As many notices of one agreement's claims are on their way as may be at a time."""

    code = "notice-busy"
    why = "Only some notices of an agreement are sent at a time: slow recipients hold up no other's."
    advice = "Nothing to do: this one is sent once an earlier one is through, and counts from then on."
    retryable = True


class Places:
    """How much of each owner's is under way, in one process."""

    def __init__(self, each: int, busy: type[TallystickError]) -> None:
        """Have `each` for one owner: an agreement, or a person's key.

        Args:
            busy: What one gets for whom there is no place.
        """
        self._each: Final = each
        self._busy: Final = busy
        self._taken = Counter[str]()
        self._lock = threading.Lock()

    @contextmanager
    def place(self, *owners: str) -> Generator[None]:
        """Have a place of each of `owners` while the block works.

        Raises:
            TallystickError: All places of one of them are taken: the kind that these places were made with.
        """
        with self._lock:
            for owner in owners:
                if self._taken[owner] >= self._each:
                    raise self._busy("earlier ones are under way", owner=owner, limit=self._each)
            self._taken.update(owners)
        try:
            yield
        finally:
            with self._lock:
                self._taken.subtract(owners)
                self._taken += Counter()  # forgets those who have none
