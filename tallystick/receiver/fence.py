"""One receiver at a time in one folder, and never one that was overtaken.

The lock keeps a second receiver out while the first one lives. The generation number
keeps the first one out if it wakes up after its lock was lost (a restored machine, a
file system that forgets locks): it reads the number before each change.
"""

import contextlib
import fcntl
from collections.abc import Generator
from pathlib import Path
from typing import Final

from tallystick.domain.errors import TallystickError
from tallystick.durable import write_durably
from tallystick.regular import open_lock, read_regular

_NUMBER_BYTES_MAX: Final = 20


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


class FenceDamagedError(TallystickError):
    """The file that counts the receivers of a folder is damaged."""

    code = "fence-damaged"
    why = "Without its number, an earlier receiver could keep working beside this one."
    advice = "Stop every receiver of this folder, then remove the file that the facts name."


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
    with open_lock(folder / "lock") as lock:
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


def _generation(file: Path) -> int:
    try:
        return int(read_regular(file, _NUMBER_BYTES_MAX))
    except FileNotFoundError:
        return 0
    except ValueError as error:
        raise FenceDamagedError(f"{file} has no number", file=str(file)) from error
