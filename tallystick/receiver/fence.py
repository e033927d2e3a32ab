"""One receiver at a time in one folder, and none that has been overtaken.

The lock keeps a second receiver out while the first lives. The generation number
keeps the first out if it wakes up after its lock was lost (a restored machine, a
file system that forgets locks): it reads the number before whatever it changes.
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
    why = "Two receivers in one folder would switch versions under each other."
    advice = "Let the running one go on, or stop it first; it goes on where it stopped."
    retryable = True


class ReceiverOvertakenError(TallystickError):
    """A later receiver has taken over this folder."""

    code = "receiver-overtaken"
    why = "A receiver that lost its lock must not switch anything any more."
    advice = "Nothing to do: the later receiver goes on."


class Fence:
    """The right to change one folder, as long as `check` lets pass."""

    def __init__(self, file: Path, generation: int) -> None:
        """Belong to `generation`, which `file` holds as long as nobody came later."""
        self._file, self._generation = file, generation

    def check(self) -> None:
        """Let the present receiver pass.

        Raises:
            ReceiverOvertakenError: A later one has begun.
        """
        if (found := _generation(self._file)) != self._generation:
            raise ReceiverOvertakenError("overtaken", own=self._generation, found=found)


@contextlib.contextmanager
def fenced(folder: Path) -> Generator[Fence]:
    """Hold the lock of `folder`, which exists, as its next generation.

    Raises:
        ReceiverBusyError: Somebody else holds it.
    """
    lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ReceiverBusyError("another receiver is at work", folder=folder.parent.name) from None
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
