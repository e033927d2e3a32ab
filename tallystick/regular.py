"""Opening what must be a regular file: never waiting for it, and never reading more of it than is allowed.

Use `open_regular` and `read_regular` for every file that a user named or that was found in a folder, and
`open_lock` for a file that is there to be locked. `open_or_pipe` is for what a user may give through a pipe.
`ownership_fault` says why a folder is not one's own, and `place_fault` why another could be put in its place;
both say who may write to it, and how to change that.

A FIFO blocks the program that opens it until somebody writes, and a device may never end. So nothing here
waits: what is opened is looked at before it is read. Another file that takes the name meanwhile changes
nothing.
"""

import contextlib
import errno
import grp
import io
import os
import pwd
import select
import shlex
import stat
from datetime import timedelta
from pathlib import Path
from typing import Final

from tallystick.limits.desk import PIPE_OPENED_MAX

_READ: Final = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK
_LOCK: Final = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOFOLLOW
_PRIVATE: Final = 0o600
_ROOT: Final = 0
OTHERS_WRITE: Final = stat.S_IWGRP | stat.S_IWOTH


class NotRegularError(OSError):
    """A FIFO, a socket or a device where a file is needed; a folder is an `IsADirectoryError`."""


def open_regular(path: Path, *, follow: bool = True) -> io.BufferedReader:
    """Open a file to read it.

    Args:
        path: Its name.
        follow: Whether the name may be a symbolic link.

    Raises:
        OSError: There is none, it is not ours to read, or it is no regular file.
    """
    flags = _READ if follow else _READ | os.O_NOFOLLOW
    return os.fdopen(_checked(os.open(path, flags), path), "rb")


def open_or_pipe(path: Path, *, within: timedelta = PIPE_OPENED_MAX) -> io.BufferedReader:
    """Open a file or a pipe to read it, such as `<(pass show tallystick)`.

    A pipe that nobody opens `within` that time is empty.

    Raises:
        OSError: There is none, or it is not ours to read.
    """
    descriptor = os.open(path, _READ)
    looking = select.poll()
    looking.register(descriptor, select.POLLIN)
    looking.poll(within / timedelta(milliseconds=1))
    os.set_blocking(descriptor, True)  # whoever has opened it to write may take their time
    return os.fdopen(descriptor, "rb")


def read_regular(path: Path, size_bytes_max: int) -> bytes:
    """Return a file's content, up to one byte more than allowed, so that the caller sees that there is more.

    Raises:
        OSError: As `open_regular`.
    """
    return read_with_facts(path, size_bytes_max)[1]


def read_with_facts(path: Path, size_bytes_max: int) -> tuple[os.stat_result, bytes]:
    """Return mode, owner and so on of the very file that was opened, and its content as `read_regular` does.

    Judge these, because another file may take the name between a look at it and the open.

    Raises:
        OSError: As `open_regular`.
    """
    with open_regular(path) as file:
        return os.fstat(file.fileno()), file.read(size_bytes_max + 1)


def open_lock(path: Path) -> io.BufferedRandom:
    """Open a lock file, made with mode 0600 if it is missing; its content stays, and no link is followed.

    Raises:
        OSError: It cannot be made, is a link, or is no regular file.
    """
    return os.fdopen(_checked(os.open(path, _LOCK, _PRIVATE), path), "r+b")


def ownership_fault(folder: Path) -> str | None:
    """Return why others could change what is in a folder, such as that it is a link; None if nobody can.

    Raises:
        OSError: There is none, or it cannot be looked at.
    """
    if (fault := place_fault(folder)) is not None:
        return fault
    found = folder.lstat()
    if stat.S_ISLNK(found.st_mode):
        return "is a symbolic link"
    if not stat.S_ISDIR(found.st_mode):
        return "is not a folder"
    if found.st_uid != os.geteuid():
        return "belongs to another user"
    if (writers := _other_writers(found)) is not None:
        return f"may be written to by {writers}: run `{_closing(folder)}`"
    return None


def place_fault(path: Path) -> str | None:
    """Return why anybody could put something else in the place of `path`; None if only its owner can.

    Anyone who may write to a folder may rename what is in it, whoever owns that, unless the folder is sticky
    as `/tmp` is. A folder that a group may write to is let pass only if nobody else is in that group: many
    users have a group of their own, and folders that it may write to.
    """
    for folder in dict.fromkeys((*path.absolute().parents, *Path(os.path.realpath(path)).parents)):
        with contextlib.suppress(FileNotFoundError):  # it is about to be made
            found = folder.stat()
            if not found.st_mode & stat.S_ISVTX and (writers := _other_writers(found)) is not None:
                return f"lies in {folder}, to which {writers} may write: run `{_closing(folder)}`"
    return None


def has_others(group_id: int, owner: int) -> bool:
    """Return whether this machine knows of anybody in a group but its owner, this user and root.

    Root's own group is root. Members whom a directory service does not list are not known here, and neither
    are those of a group without a name, such as a container's.
    """
    if group_id == _ROOT:
        return False
    with contextlib.suppress(KeyError):
        named = set(grp.getgrgid(group_id).gr_mem)
        people = pwd.getpwall()
        known = {one.pw_uid for one in people if one.pw_gid == group_id or one.pw_name in named}
        return bool(known - {owner, os.geteuid(), _ROOT} or named - {one.pw_name for one in people})
    return False


def _other_writers(found: os.stat_result) -> str | None:
    """Return who else may write to a folder, in words; None if nobody may."""
    if found.st_mode & stat.S_IWOTH:
        return "everybody"
    if found.st_mode & stat.S_IWGRP and has_others(found.st_gid, found.st_uid):
        return f"the group {grp.getgrgid(found.st_gid).gr_name}"
    return None


def _closing(folder: Path) -> str:
    return f"chmod go-w {shlex.quote(str(folder))}"


def _checked(descriptor: int, path: Path) -> int:
    kind = os.fstat(descriptor).st_mode
    if stat.S_ISREG(kind):
        return descriptor
    os.close(descriptor)
    if stat.S_ISDIR(kind):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    raise NotRegularError(errno.EINVAL, "not a regular file", str(path))
