"""One receiver at a time in one folder, and never one that was overtaken.

The lock keeps a second receiver out while the first one lives. The generation number
keeps the first one out if it wakes up after its lock was lost (a restored machine, a
file system that forgets locks): it reads the number before each change.
"""

import contextlib
import fcntl
import os
from collections.abc import Generator
from pathlib import Path

from tallystick.domain.errors import TallystickError
from tallystick.durable import write_durably


class ReceiverBusyError(TallystickError):
    """Another receiver works in this folder."""

    code = "receiver-busy"
    why = "Of two receivers in one folder, each could switch versions while the other still works on them."
    advice = "Let the running one finish, or stop it first; the next one resumes where it left off."
    retryable = True


class ReceiverOvertakenError(TallystickError):
    """A later receiver has taken over this folder."""

    code = "receiver-overtaken"
    why = "A receiver that has lost its lock must not switch versions any more."
    advice = "You need not do anything: the later receiver continues."


class Fence:
    """The right to change one folder, as long as `check` returns."""

    def __init__(self, file: Path, generation: int) -> None:
        """Belong to `generation`, which `file` names until a later receiver begins."""
        self._file, self._generation = file, generation

    def check(self) -> None:
        """Let this receiver go ahead.

        Raises:
            ReceiverOvertakenError: A later one has begun.
        """
        if (newest := _generation(self._file)) != self._generation:
            raise ReceiverOvertakenError(
                "a later receiver has taken over", own=self._generation, found=newest
            )


@contextlib.contextmanager
def fenced(folder: Path) -> Generator[Fence]:
    """Hold the lock of the existing `folder`, as its next generation.

    Raises:
        ReceiverBusyError: Another receiver holds it.
    """
    lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ReceiverBusyError(
                f"another receiver works in {folder.parent}", folder=folder.parent.name
            ) from None
        file = folder / "generation"
        generation = _generation(file) + 1
        write_durably(file, str(generation).encode())
        yield Fence(file, generation)
    finally:
        os.close(lock)


def _generation(file: Path) -> int:
    try:
        return int(file.read_bytes())
    except FileNotFoundError:
        return 0
