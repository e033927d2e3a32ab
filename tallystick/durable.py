"""Files and names that survive a power cut: one room for everything that is written to be kept.

Use `write_durably` to replace a file, `keep_durably` to keep the first of several writers,
`create_durably` for a file that must be new, and `make_folder` or `make_private` for a folder.
Who streams into a file of its own uses `sync_file`, then `rename_durably` or `sync_folder`.

When one of these returns, the content and the name are on disk. If the machine stops before
that, the name stands for what it stood for before, or for nothing; only a file of
`create_durably` may be there and unfinished. A draft that a stopped process has left begins with
a dot and is never read.

The system calls, in this order: open a draft beside the file, write, fsync the draft, rename or
link it, fsync the folder. A rename alone survives a process that stops, not a machine that does.

What is not solved here:
* After an fsync error the kernel may drop the pages and call them clean, so that reading them
  back proves nothing. Draft and error are all that is left: write anew from the beginning.
* An fsync of the folder may fail after the rename. The caller hears of it and the new content
  may be there all the same, now or after the next start: do the same write again.
* A disk or a network file system that says it has written and has not is not found out.
* Two writers of `write_durably` do not wait for each other: the later rename stands.
"""

import os
import secrets
import stat
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Final

Fsync = Callable[[int], None]
"""What makes an open file durable: `os.fsync`, or what a test gives in its place."""

_DRAFT: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_READ: Final = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK  # a FIFO must not block the open
_PRIVATE: Final = 0o600
_OWNERS_FOLDER: Final = 0o700


def write_durably(path: Path, content: bytes, *, mode: int = _PRIVATE, fsync: Fsync = os.fsync) -> None:
    """Replace `path`, or make it: a file that has `content`, whole.

    Raises:
        OSError: It is not known to be durable; `path` is as it was, or has `content`.
    """
    with _drafted(path, content, mode, fsync) as draft:
        draft.replace(path)
    sync_folder(path.parent, fsync=fsync)


def keep_durably(path: Path, content: bytes, *, fsync: Fsync = os.fsync) -> None:
    """Give `path` this content unless a file stands there, which is left as it is and made durable.

    For notes of which the first counts. The file system must know hard links.

    Raises:
        OSError: Neither is known to be durable.
    """
    # What stands there was durable before it was linked; its name may not be.
    with _drafted(path, content, _PRIVATE, fsync) as draft, suppress(FileExistsError):
        path.hardlink_to(draft)
    sync_folder(path.parent, fsync=fsync)


def create_durably(path: Path, content: bytes, *, mode: int = _PRIVATE, fsync: Fsync = os.fsync) -> None:
    """Make a new file; it is written under its own name, for some disks know no hard links.

    Raises:
        FileExistsError: Something of that name is there; it is left alone.
        OSError: Not written; what had been written is gone again.
    """
    descriptor = os.open(path, _DRAFT, _PRIVATE)
    try:
        _fill(descriptor, content, mode, fsync)
        sync_folder(path.parent, fsync=fsync)
    except OSError:
        path.unlink(missing_ok=True)
        raise


def rename_durably(source: Path, target: Path, *, fsync: Fsync = os.fsync) -> None:
    """Give a file, whose content was made durable with `sync_file`, another name in the same folder."""
    source.replace(target)
    sync_folder(target.parent, fsync=fsync)


def sync_file(file: BinaryIO, *, fsync: Fsync = os.fsync) -> None:
    """Make what was written to an open file durable; its name is not."""
    file.flush()
    fsync(file.fileno())


def sync_folder(folder: Path, *, fsync: Fsync = os.fsync) -> None:
    """Make the names in `folder` durable."""
    descriptor = os.open(folder, _FOLDER)
    try:
        fsync(descriptor)
    finally:
        os.close(descriptor)


def make_folder(folder: Path, *, mode: int = 0o777, fsync: Fsync = os.fsync) -> Path:
    """Make a folder and those above it that are missing, and return it; a standing one stays as it is."""
    missing = [part for part in (folder, *folder.parents) if not part.is_dir()]
    for part in reversed(missing):
        part.mkdir(mode=mode if part == folder else 0o777, exist_ok=True)
        sync_folder(part.parent, fsync=fsync)
    return folder


def make_private(folder: Path, *, fsync: Fsync = os.fsync) -> Path:
    """Make a folder that only its owner may enter, and return it; a standing one stays as it is."""
    return make_folder(folder, mode=_OWNERS_FOLDER, fsync=fsync)


def read_with_mode(path: Path, size_bytes_max: int) -> tuple[int, bytes]:
    """Return the mode of the very file that was opened, and its content up to one byte more than allowed.

    The name may be swapped between a look at it and the open: judge this mode. Of anything but a
    regular file nothing is read, and no FIFO is waited for.
    """
    with os.fdopen(os.open(path, _READ), "rb") as file:
        mode = os.fstat(file.fileno()).st_mode
        return mode, file.read(size_bytes_max + 1) if stat.S_ISREG(mode) else b""


@contextmanager
def _drafted(path: Path, content: bytes, mode: int, fsync: Fsync) -> Generator[Path]:
    """Yield a durable draft beside `path`; its name is gone afterwards, whatever happens."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        _fill(os.open(draft, _DRAFT, _PRIVATE), content, mode, fsync)
        yield draft
    finally:
        draft.unlink(missing_ok=True)


def _fill(descriptor: int, content: bytes, mode: int, fsync: Fsync) -> None:
    with os.fdopen(descriptor, "wb") as file:
        os.fchmod(file.fileno(), mode)  # whatever the umask took away
        file.write(content)
        sync_file(file, fsync=fsync)
