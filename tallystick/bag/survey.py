"""What is in a folder that is to become a bag, and under which path the bag keeps each file.

One refusal names everything that cannot be deposited, so that nobody has to mend one file at a time.
"""

import errno
import hashlib
import io
import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from tallystick.bag.links import faults_of_links
from tallystick.bag.paths import BagPathRefusedError, PathRegister
from tallystick.bag.tree import EntryKind, TreeEntry, name_fault, tree_bytes
from tallystick.domain.errors import TallystickError
from tallystick.domain.ids import as_digest
from tallystick.limits.bags import BAG_ENTRIES_MAX, BAG_FILES_MAX, BAG_REFUSALS_NAMED_MAX

PAYLOAD: Final = "data/"
RENAMED: Final = "tallystick-names"
_PERMISSIONS: Final = 0o777


class BagSourceRefusedError(TallystickError):
    """A directory that cannot become a bag."""

    code = "bag-source-refused"
    why = (
        "A component has at least one file, and otherwise directories and links to something inside itself. "
        "All of it must fit in a bag."
    )
    advice = "Remove or replace what `refused` names; a link may be replaced by what it points to."


class BagSourceChangedError(TallystickError):
    """A file changed while the bag was being written."""

    code = "bag-source-changed"
    why = "A file changed between the moment its digest was taken and the moment it was archived."
    advice = "Deposit from a directory that nothing writes to, such as a snapshot or a fresh checkout."
    retryable = True


@dataclass(frozen=True, kw_only=True, slots=True)
class SourceFile:
    """A file to deposit, as it was when it was surveyed, and where the bag keeps it."""

    path: str
    place: bytes
    sha256: str
    size_bytes: int
    executable: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Survey:
    """What a folder holds.

    Attributes:
        files: By the order of their bag paths.
        empty_directories: Bag paths of the directories that have no entries.
        entries: The whole tree, by the order of the names.
    """

    files: tuple[SourceFile, ...]
    empty_directories: tuple[str, ...]
    entries: tuple[TreeEntry, ...]

    @property
    def content_digest(self) -> str:
        """SHA-256 of names, kinds, targets, modes and bytes: times alone change no content."""
        sums = {file.path: file.sha256 for file in self.files}
        digest = hashlib.sha256()
        for entry in self.entries:
            digest.update(tree_bytes([replace(entry, mtime_ns=0)]))
            digest.update(b"" if entry.path is None else sums[entry.path].encode())
        return as_digest(digest.digest())


def survey(source: Path) -> Survey:
    """Return what is in `source`, with the digest of every file.

    Raises:
        BagSourceRefusedError: Some of it cannot be deposited, or there is no file, or there are too many.
        BagSourceChangedError: Something vanished meanwhile.
    """
    root, refused = os.fsencode(source), list[tuple[bytes, str]]()
    entries = sorted(_walk(root, b"", refused), key=lambda entry: entry.name)
    refused += ((entry.name, fault) for entry, fault in faults_of_links(entries))
    if refused:
        raise _refusal(source, refused)
    _check_number(source, entries)
    register, placed = PathRegister(), list[TreeEntry]()
    for entry in entries:
        placed.append(_placed(entry, len(placed), register))
    files = [_source_file(root, entry) for entry in placed if entry.path is not None]
    return Survey(
        files=tuple(sorted(files, key=lambda file: file.path.encode())),
        empty_directories=tuple(_empty(placed, register)),
        entries=tuple(placed),
    )


def opened(path: str, place: bytes) -> io.FileIO:
    """Open a file that was a regular one a moment ago and still is.

    Raises:
        BagSourceChangedError: It is not.
    """
    try:
        descriptor = os.open(place, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        if error.errno in {errno.ENOENT, errno.ELOOP}:
            raise BagSourceChangedError("a file vanished or became a link", path=path) from error
        raise
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise BagSourceChangedError("a file became something else", path=path)
    return io.FileIO(descriptor)


def _refusal(source: Path, refused: Sequence[tuple[bytes, str]]) -> BagSourceRefusedError:
    named = [(ascii(name)[1:], fault) for name, fault in sorted(refused)[:BAG_REFUSALS_NAMED_MAX]]
    first, why = named[0]
    return BagSourceRefusedError(
        f"{first} in {source} cannot be deposited: {why}; {len(refused)} such entries in all",
        refused=[{"path": name, "reason": fault} for name, fault in named],
        count=len(refused),
    )


def _check_number(source: Path, entries: Sequence[TreeEntry]) -> None:
    files = sum(entry.kind is EntryKind.FILE for entry in entries)
    if not files:
        raise BagSourceRefusedError(f"{source} has no file to deposit")
    if files > BAG_FILES_MAX or len(entries) > BAG_ENTRIES_MAX:
        raise BagSourceRefusedError(
            f"{source} has too many files, directories and links",
            most=BAG_FILES_MAX,
            entries_most=BAG_ENTRIES_MAX,
        )


def _walk(root: bytes, below: bytes, refused: list[tuple[bytes, str]]) -> Iterator[TreeEntry]:
    """Yield everything below `root`/`below`; add what cannot be deposited to `refused`."""
    with os.scandir(root + b"/" + below) as found:
        entries = list(found)
    for one in entries:
        name = below + b"/" + one.name if below else one.name
        entry = _entry(name, one)
        if isinstance(entry, str):
            refused.append((name, entry))
            continue
        yield entry
        if entry.kind is EntryKind.DIRECTORY:
            yield from _walk(root, name, refused)


def _entry(name: bytes, found: "os.DirEntry[bytes]") -> TreeEntry | str:
    """Return an entry of the tree, or why it cannot be one."""
    if (fault := name_fault(name)) is not None:
        return fault
    facts = found.stat(follow_symlinks=False)
    kind = _KINDS.get(stat.S_IFMT(facts.st_mode))
    if kind is None:
        return "neither a file, a directory nor a link"
    return TreeEntry(
        name=name,
        kind=kind,
        mode=facts.st_mode & _PERMISSIONS,
        mtime_ns=facts.st_mtime_ns,
        target=_target(found) if kind is EntryKind.LINK else None,
    )


def _target(found: "os.DirEntry[bytes]") -> bytes:
    return os.readlink(found.path)  # noqa: PTH115 - a Path would not give it as it is written


_KINDS: Final = {
    stat.S_IFREG: EntryKind.FILE,
    stat.S_IFDIR: EntryKind.DIRECTORY,
    stat.S_IFLNK: EntryKind.LINK,
}


def _placed(entry: TreeEntry, number: int, register: PathRegister) -> TreeEntry:
    """Return a file with the path under which the bag keeps it: its own, if that is the same everywhere."""
    if entry.kind is not EntryKind.FILE:
        return entry
    path = _portable(entry.name)
    if path is not None:
        try:
            register.admit_file(path)
        except BagPathRefusedError:
            path = None
    if path is None:
        path = f"{PAYLOAD}{RENAMED}/{number:07}"
        register.admit_file(path)
    return replace(entry, path=path)


def _portable(name: bytes) -> str | None:
    """Return the bag path that a true name asks for, or None if it is not text or is reserved."""
    try:
        path = PAYLOAD + name.decode()
    except UnicodeDecodeError:
        return None
    return None if path.split("/")[1].casefold() == RENAMED else path


def _empty(entries: Sequence[TreeEntry], register: PathRegister) -> Iterator[str]:
    """Yield the bag paths of the directories without entries, as far as a bag can have them."""
    parents = {entry.parent for entry in entries}
    for entry in entries:
        if entry.kind is not EntryKind.DIRECTORY or entry.name in parents:
            continue
        path = _portable(entry.name)
        if path is not None:
            try:
                register.admit_directory(path)
            except BagPathRefusedError:
                continue  # the tree file has it
            yield path


def _source_file(root: bytes, entry: TreeEntry) -> SourceFile:
    assert entry.path is not None
    place = root + b"/" + entry.name
    with opened(entry.path, place) as file:
        facts = os.fstat(file.fileno())
        return SourceFile(
            path=entry.path,
            place=place,
            sha256=hashlib.file_digest(file, "sha256").hexdigest(),
            size_bytes=facts.st_size,
            executable=bool(facts.st_mode & stat.S_IXUSR),
        )
