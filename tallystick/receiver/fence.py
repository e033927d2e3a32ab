"""One receiver at a time in one folder, and never one that was overtaken.

The lock keeps a second receiver out while the first one lives. The *turn* keeps the first one out if it wakes
up after its lock was lost (a restored machine, a file system that forgets locks). It is a folder with a name
that was never used before: the next receiver renames it. Whatever changes the receiver's folder is moved out
of the turn, or into it, by one rename. So the system itself refuses a receiver that was overtaken, even one
that slept between its last look and the change.
"""

import contextlib
import fcntl
import secrets
import shutil
from collections.abc import Generator
from pathlib import Path
from typing import Final

from tallystick.domain.errors import TallystickError
from tallystick.durable import create_durably, make_private, sync_folder
from tallystick.regular import open_lock

_TURN: Final = "turn."
_TOKEN_BYTES: Final = 16


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
    """The right to change one folder, until a later receiver begins."""

    def __init__(self, turn: Path) -> None:
        """Have the folder `turn`, which is gone once a later receiver has begun."""
        self._turn = turn

    @property
    def token(self) -> str:
        """What no other receiver's turn has in its name."""
        return self._turn.name.removeprefix(_TURN)

    def check(self) -> None:
        """Let this receiver go ahead, so that it finds out before it does what takes long.

        Raises:
            ReceiverOvertakenError: A later one has begun.
        """
        if not self._turn.is_dir():
            raise ReceiverOvertakenError("a later receiver has taken over", own=self._turn.name)

    def write(self, path: Path, content: bytes) -> None:
        """Replace or make the file `path`, durably.

        Raises:
            ReceiverOvertakenError: A later receiver has begun; `path` is as it was.
        """
        draft = self._turn / secrets.token_hex(_TOKEN_BYTES)
        with self._refusing():
            create_durably(draft, content)
            draft.replace(path)
        sync_folder(path.parent)

    def link(self, path: Path, target: Path) -> None:
        """Make `path` a symbolic link to `target`, in one step that readers see whole or not at all.

        Raises:
            ReceiverOvertakenError: A later receiver has begun; `path` is as it was.
        """
        draft = self._turn / secrets.token_hex(_TOKEN_BYTES)
        with self._refusing():
            draft.symlink_to(target)
            draft.replace(path)
        sync_folder(path.parent)

    def move(self, source: Path, target: Path) -> None:
        """Rename a folder on the same file system; `target` must be missing.

        Raises:
            ReceiverOvertakenError: A later receiver has begun; `target` is as it was.
        """
        with self._refusing():
            self._taken(source).replace(target)
        sync_folder(target.parent)

    def remove(self, path: Path) -> None:
        """Delete a folder or a link, which is gone for its readers in one step; it may be missing.

        Raises:
            ReceiverOvertakenError: A later receiver has begun; `path` is as it was.
        """
        with self._refusing():
            if path.is_symlink() or path.exists():
                taken = self._taken(path)
                sync_folder(path.parent)
                taken.unlink() if taken.is_symlink() else shutil.rmtree(taken)
            self.check()

    def _taken(self, path: Path) -> Path:
        return path.replace(self._turn / secrets.token_hex(_TOKEN_BYTES))

    @contextlib.contextmanager
    def _refusing(self) -> Generator[None]:
        """Tell a name that is missing with the turn from one that is missing by itself."""
        try:
            yield
        except FileNotFoundError:
            self.check()
            raise


@contextlib.contextmanager
def fenced(folder: Path) -> Generator[Fence]:
    """Hold the lock of the existing `folder`, and its turn.

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
        yield Fence(_taken_over(folder))


def _taken_over(folder: Path) -> Path:
    """Return the turn under a new name, and empty: what was left in it was on its way, or deleted."""
    turn, found = _named_anew(folder), sorted(folder.glob(f"{_TURN}*"))
    if not found:
        return make_private(turn)
    try:
        found[0].replace(turn)
    except FileNotFoundError:  # two began at once, and the lock kept neither out
        raise ReceiverOvertakenError("another receiver has taken over", own=turn.name) from None
    sync_folder(folder)
    for left in (*found[1:], *turn.iterdir()):  # a folder that was restored may have several
        shutil.rmtree(left) if left.is_dir() and not left.is_symlink() else left.unlink()
    return turn


def _named_anew(folder: Path) -> Path:
    return folder / f"{_TURN}{secrets.token_hex(_TOKEN_BYTES)}"
