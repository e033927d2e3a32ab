"""Files and names that survive a power cut: one place for everything that is written to be kept.

Use `write_durably` to replace a file, `keep_durably` to keep the first of several writers,
`create_durably` for a file that must be new, `creating_durably` for one that is also written piece by
piece, and `make_folder` or `make_private` for a folder.
To stream into a file of your own, use `sync_file`, then `rename_durably` or `sync_folder`.

When one of these returns, the content and the name are on disk. If the machine stops before
that, the name has its old content, its new content or none; only a file from
`create_durably` may be unfinished. The name of a draft that a stopped process has left begins with
a dot, and nothing reads it.

The system calls, in this order: open a draft beside the file, write, fsync the draft, rename or
link it, fsync the folder. A rename alone survives a process that stops, not a machine that does.

What is not solved here:
* After an fsync error the kernel may drop the pages and call them clean, so that reading them
  back proves nothing. Write everything again from the beginning.
* An fsync of the folder may fail after the rename. The caller gets the error, yet the new content
  may be there, now or after the next start: repeat the same write.
* Nothing here notices a disk or a network file system that claims to have written and has not.
* Two writers of `write_durably` do not wait for each other: the later rename wins.
"""

import os
import secrets
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Final

Fsync = Callable[[int], None]
"""What makes an open file durable: `os.fsync`, or what a test gives in its place."""

_DRAFT: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_PRIVATE: Final = 0o600
_OWNERS_FOLDER: Final = 0o700


def write_durably(path: Path, content: bytes, *, mode: int = _PRIVATE, fsync: Fsync = os.fsync) -> None:
    """Replace or make the file `path`, with all of `content`.

    Raises:
        OSError: The write may not be durable; `path` is as it was, or has `content`.
    """
    with _drafted(path, content, mode, fsync) as draft:
        draft.replace(path)
    sync_folder(path.parent, fsync=fsync)


def keep_durably(path: Path, content: bytes, *, fsync: Fsync = os.fsync) -> None:
    """Give `path` this content, unless the file exists: then leave its content, and make it durable.

    For notes of which the first counts. The file system must support hard links.

    Raises:
        OSError: The file may not be durable.
    """
    # The content of an existing file was durable before it was linked; its name may not be.
    with _drafted(path, content, _PRIVATE, fsync) as draft, suppress(FileExistsError):
        path.hardlink_to(draft)
    sync_folder(path.parent, fsync=fsync)


def create_durably(path: Path, content: bytes, *, mode: int = _PRIVATE, fsync: Fsync = os.fsync) -> None:
    """Make a new file, written under its own name: some file systems have no hard links.

    Raises:
        FileExistsError: The name is taken; what has it is left alone.
        OSError: The file could not be written; it is deleted again.
    """
    descriptor = os.open(path, _DRAFT, _PRIVATE)
    try:
        _fill(descriptor, content, mode, fsync)
        sync_folder(path.parent, fsync=fsync)
    except OSError:
        path.unlink(missing_ok=True)
        raise


@contextmanager
def creating_durably(path: Path, *, fsync: Fsync = os.fsync) -> Generator[BinaryIO]:
    """Yield a private draft; if the block ends well, `path` is a new file with what was written to it.

    If the machine stops just before that, an empty file may have the name.

    Raises:
        FileExistsError: The name is taken, if only by a broken link; what has it is left alone.
        OSError: The file could not be written; there is none.
    """
    draft = path.with_name(f".{secrets.token_hex(8)}")
    try:
        with os.fdopen(os.open(draft, _DRAFT, _PRIVATE), "wb") as file:
            yield file
            sync_file(file, fsync=fsync)
        os.close(os.open(path, _DRAFT, _PRIVATE))  # only a name that is free; not every system has links
        rename_durably(draft, path, fsync=fsync)
    finally:
        draft.unlink(missing_ok=True)


def rename_durably(source: Path, target: Path, *, fsync: Fsync = os.fsync) -> None:
    """Rename a file within its folder, after `sync_file` has made its content durable."""
    source.replace(target)
    sync_folder(target.parent, fsync=fsync)


def sync_file(file: BinaryIO, *, fsync: Fsync = os.fsync) -> None:
    """Make the content of an open file durable, but not its name."""
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
    """Make a folder, and those above it that are missing, and return it; leave an existing one as it is."""
    missing = [part for part in (folder, *folder.parents) if not part.is_dir()]
    for part in reversed(missing):
        part.mkdir(mode=mode if part == folder else 0o777, exist_ok=True)
        sync_folder(part.parent, fsync=fsync)
    return folder


def make_private(folder: Path, *, fsync: Fsync = os.fsync) -> Path:
    """Make a folder that only its owner may enter, and return it; leave an existing one as it is."""
    return make_folder(folder, mode=_OWNERS_FOLDER, fsync=fsync)


@contextmanager
def _drafted(path: Path, content: bytes, mode: int, fsync: Fsync) -> Generator[Path]:
    """Yield a durable draft next to `path`; its name is removed afterwards, whatever happens."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        _fill(os.open(draft, _DRAFT, _PRIVATE), content, mode, fsync)
        yield draft
    finally:
        draft.unlink(missing_ok=True)


def _fill(descriptor: int, content: bytes, mode: int, fsync: Fsync) -> None:
    with os.fdopen(descriptor, "wb") as file:
        os.fchmod(file.fileno(), mode)  # exactly this mode, whatever the umask
        file.write(content)
        sync_file(file, fsync=fsync)


def reason_of(error: OSError) -> str:
    """Return the system's words for a failure, without the path, which may be nobody else's to know."""
    return os.strerror(error.errno) if error.errno else "input/output"
