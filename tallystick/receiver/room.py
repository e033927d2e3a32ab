"""Whether this machine has what a release needs: room in the folder, and a folder of one's own.

A full disk, a lost mount or a missing right is temporary, like a server that does not answer. The receiver
shows the folder and the figures, and tries again at its next look. This is never a stage's outcome.
"""

import contextlib
import os
from collections.abc import Generator, Iterable
from pathlib import Path

from tallystick.domain.errors import TallystickError
from tallystick.domain.statements.deposits import DepositedComponent
from tallystick.limits.desk import FILE_SYSTEM_BLOCK_BYTES, RECEIVER_SPARE_BYTES
from tallystick.regular import ownership_fault


class ReceiverHinderedError(TallystickError):
    """Something about this machine keeps the receiver from its work."""

    code = "receiver-hindered"
    why = "This machine's disk or folder does not let the receiver work; what was released is not at fault."
    advice = "Nothing was reported. Mend what the facts name; a running receiver tries again by itself."
    retryable = True


class NoRoomError(ReceiverHinderedError):
    """The folder's disk has too little room for what was released."""

    code = "no-room"
    why = (
        "A stage is fetched only if its sealed files and what is unpacked from them fit on the disk together."
    )
    advice = "Nothing was fetched. Free as much as the facts say; a running receiver tries again by itself."


class FolderNotOwnError(ReceiverHinderedError):
    """The folder for released versions is not this user's alone."""

    code = "folder-not-own"
    why = "Anyone who owns the folder, may write to it or made its link could swap what is activated."
    advice = "Nothing was opened. Name a folder of your own that only you may write to, by its real path."


def check_own(folder: Path) -> None:
    """Let pass if `folder` is missing, or a real folder of this user that nobody else may write to.

    Raises:
        FolderNotOwnError: It is a symbolic link, no folder, another user's, or others may write to it.
    """
    with contextlib.suppress(FileNotFoundError):
        if (fault := ownership_fault(folder)) is not None:
            raise FolderNotOwnError(f"{folder} {fault}", folder=str(folder))


def needed_bytes(components: Iterable[DepositedComponent]) -> int:
    """Return what opening these takes on a disk, sealed and open, by the sizes that the depositor signed."""
    return RECEIVER_SPARE_BYTES + sum(
        one.sealed_bytes + one.payload_bytes + one.files * FILE_SYSTEM_BLOCK_BYTES for one in components
    )


def check_room(folder: Path, components: Iterable[DepositedComponent], *, held_bytes: int = 0) -> None:
    """Let pass if the disk of `folder` has room for what opening `components` takes.

    Args:
        held_bytes: How much of them an earlier try has fetched.

    Raises:
        NoRoomError: It has no room; the facts name the folder, what is needed and what is free.
    """
    wanted = list(components)
    needed, free = needed_bytes(wanted) - held_bytes, _free_bytes(folder)
    if free < needed:
        why = f"{folder} has room for {free:,} bytes, and {needed:,} are needed"
        raise NoRoomError(why, folder=str(folder), needed_bytes=needed, free_bytes=free)


def size_below(folder: Path) -> int:
    """Return how many bytes the files directly in `folder` have; it may be missing."""
    with contextlib.suppress(FileNotFoundError):
        return sum(entry.stat(follow_symlinks=False).st_size for entry in os.scandir(folder))
    return 0


@contextlib.contextmanager
def hindrances_told(folder: Path) -> Generator[None]:
    """Turn an error of this machine's files into one that says which folder it is about.

    Raises:
        ReceiverHinderedError: The block met such an error.
    """
    try:
        yield
    except OSError as error:
        place = error.filename if isinstance(error.filename, str) else str(folder)
        why = f"cannot use {place}: {error.strerror or type(error).__name__}"
        free = _free_bytes_if_known(folder)
        raise ReceiverHinderedError(
            why, folder=str(folder), file=place, reason=error.strerror, free_bytes=free
        ) from error


def _free_bytes(folder: Path) -> int:
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize


def _free_bytes_if_known(folder: Path) -> int | None:
    with contextlib.suppress(OSError):
        return _free_bytes(folder)
    return None
