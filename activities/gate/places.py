"""Places for reading sealed bytes: one agreement's stages, however large, leave other agreements theirs.

A stage may be terabytes, and each quorum that is reached, taken back and reached again has it read once more.
"""

import threading
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

from tallystick.domain.errors import TallystickError
from tallystick.domain.ids import AgreementId
from tallystick.limits.processes import GATE_STEPS_EACH_MAX


class GateBusyError(TallystickError):
    """The gate reads as many stages of one agreement as it reads at a time."""

    code = "gate-busy"
    why = "The gate reads only some stages of an agreement at a time, so that no other one waits for them."
    advice = "Nothing to do: the stage is read once an earlier one is, and the claim stays as it is."
    retryable = True


class ReadingPlaces:
    """How many stages of each agreement are being read, in one process."""

    def __init__(self, each: int = GATE_STEPS_EACH_MAX) -> None:
        """Have `each` for one agreement."""
        self._each: Final = each
        self._taken = Counter[AgreementId]()
        self._lock = threading.Lock()

    @contextmanager
    def place(self, agreement: AgreementId) -> Generator[None]:
        """Have a place of an agreement's own while the block reads.

        Raises:
            GateBusyError: All of them are taken.
        """
        with self._lock:
            if self._taken[agreement] >= self._each:
                raise GateBusyError("earlier stages are being read", agreement=agreement, limit=self._each)
            self._taken[agreement] += 1
        try:
            yield
        finally:
            with self._lock:
                self._taken[agreement] -= 1
