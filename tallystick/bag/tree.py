"""The tag file that says what a bag's own form cannot: true names, links, modes and times.

It is one JSON document with an entry on each line, in the order of the names' bytes, so that it is read
line by line. The tag manifest covers it. Names and targets are base64, because a file name is bytes.
"""

import base64
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO, Final

from tallystick.domain.errors import MalformedError
from tallystick.domain.statements.deposits import TREE
from tallystick.limits.bags import BAG_DEPTH_MAX, BAG_ENTRIES_MAX, BAG_NAME_BYTES_MAX, BAG_PATH_BYTES_MAX
from tallystick.regular import open_regular

TREE_FILE: Final = "tallystick-tree.json"
_HEAD: Final = f'{{"schema":"tallystick.tree/{TREE}","entries":[\n'.encode()
_TAIL: Final = b"]}\n"
_LINE_BYTES_MAX: Final = 8 * BAG_PATH_BYTES_MAX
_MODE_MAX: Final = 0o777
_NANOSECONDS: Final = 10**9
_TIME: Final = re.compile(r"(-?\d{1,12})\.(\d{9})")


class EntryKind(StrEnum):
    """What an entry of a tree is."""

    FILE = "file"
    DIRECTORY = "directory"
    LINK = "link"


class TreeRefusedError(MalformedError):
    """A tree file that does not describe one sound tree."""

    code = "tree-refused"
    why = "In a tree file each entry comes after its parent, has a name of its own, and what its kind needs."
    advice = "Nothing was kept. Ask the depositor for a new deposit."


@dataclass(frozen=True, kw_only=True, slots=True)
class TreeEntry:
    """A file, directory or symbolic link of a component.

    Attributes:
        name: Its true path below the component's folder, in bytes, with `/` between the segments.
        mode: Its permission bits; of a link, 0o777.
        mtime_ns: When it was last changed, in nanoseconds since 1970.
        path: Where the bag keeps a file's content; None for what has none.
        target: What a link points to, as it is written; None for what is not a link.
    """

    name: bytes
    kind: EntryKind
    mode: int
    mtime_ns: int
    path: str | None = None
    target: bytes | None = None

    @property
    def parent(self) -> bytes:
        """The name of the directory that it is in; empty at the top."""
        return self.name.rpartition(b"/")[0]


def tree_bytes(entries: Iterable[TreeEntry]) -> bytes:
    """Return the tree file of `entries`."""
    ordered = sorted(entries, key=lambda entry: entry.name)
    return _HEAD + b",\n".join(map(_line, ordered)) + (b"\n" if ordered else b"") + _TAIL


def read_tree(file: Path) -> Iterator[TreeEntry]:
    """Yield the entries of a tree file in its one form, each after the directory that it is in.

    Raises:
        TreeRefusedError: The file has another form, or an entry that no tree can have there.
    """
    directories, last = {b""}, b""
    with open_regular(file, follow=False) as source:
        for count, entry in enumerate(_entries(source)):
            if count >= BAG_ENTRIES_MAX:
                raise TreeRefusedError("the tree file has too many entries", limit=BAG_ENTRIES_MAX)
            if entry.name <= last or entry.parent not in directories:
                raise TreeRefusedError(
                    "an entry of the tree file is out of order", name=ascii(entry.name[:200])
                )
            if entry.kind is EntryKind.DIRECTORY:
                directories.add(entry.name)
            last = entry.name
            yield entry


def name_fault(name: bytes) -> str | None:
    """Return why no entry of a tree may have this true path, or None."""
    segments = name.split(b"/")
    if len(name) > BAG_PATH_BYTES_MAX or len(segments) > BAG_DEPTH_MAX:
        return "too long or too deep"
    if any(len(segment) > BAG_NAME_BYTES_MAX for segment in segments):
        return "a segment that is too long"
    if b"\0" in name or any(segment in {b"", b".", b".."} for segment in segments):
        return "absolute, empty segment, . or .."
    return None


def _entries(source: BinaryIO) -> Iterator[TreeEntry]:
    if source.readline(_LINE_BYTES_MAX) != _HEAD:
        raise TreeRefusedError("the tree file does not begin as its schema asks")
    comma: bool | None = None  # after the entry before; None before the first one
    while (line := source.readline(_LINE_BYTES_MAX)) != _TAIL:
        if comma is False or not line.endswith(b"\n"):
            raise TreeRefusedError("the tree file is cut off, or has a line that is too long")
        comma = line.endswith(b",\n")
        yield _entry(line.removesuffix(b"\n").removesuffix(b","))
    if comma:
        raise TreeRefusedError("the tree file has a comma after its last entry")
    if source.read(1):
        raise TreeRefusedError("the tree file has bytes after its end")


def _line(entry: TreeEntry) -> bytes:
    members: dict[str, str | int] = {
        "name": base64.b64encode(entry.name).decode(),
        "kind": entry.kind.value,
        "mode": entry.mode,
        "mtime": "{}.{:09}".format(*divmod(entry.mtime_ns, _NANOSECONDS)),
    }
    if entry.path is not None:
        members["path"] = entry.path
    if entry.target is not None:
        members["target"] = base64.b64encode(entry.target).decode()
    return json.dumps(members, separators=(",", ":"), ensure_ascii=True).encode()


def _entry(line: bytes) -> TreeEntry:
    try:
        entry = _parsed(json.loads(line))
        fault = _entry_fault(entry) if _line(entry) == line else "not in its one form"
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise TreeRefusedError("the tree file has a malformed entry", line=ascii(line[:200])) from error
    if fault is not None:
        raise TreeRefusedError(
            "the tree file has an entry that no tree can have", line=ascii(line[:200]), reason=fault
        )
    return entry


def _parsed(members: Mapping[str, object]) -> TreeEntry:
    mode, time, path = members["mode"], _TIME.fullmatch(_text(members, "mtime")), members.get("path")
    if not isinstance(mode, int) or time is None:
        raise TypeError
    return TreeEntry(
        name=base64.b64decode(_text(members, "name"), validate=True),
        kind=EntryKind(_text(members, "kind")),
        mode=mode,
        mtime_ns=int(time[1]) * _NANOSECONDS + int(time[2]),
        path=None if path is None else _text(members, "path"),
        target=base64.b64decode(_text(members, "target"), validate=True) if "target" in members else None,
    )


def _text(members: Mapping[str, object], name: str) -> str:
    value = members[name]
    if not isinstance(value, str):
        raise TypeError
    return value


def _entry_fault(entry: TreeEntry) -> str | None:
    needs = (entry.kind is EntryKind.FILE, entry.kind is EntryKind.LINK)
    if (entry.path is not None, entry.target is not None) != needs:
        return "content or target of another kind"
    if isinstance(entry.mode, bool) or not 0 <= entry.mode <= _MODE_MAX:
        return "not permission bits"
    return name_fault(entry.name)
