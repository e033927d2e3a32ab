"""How a validated bag's payload becomes the tree that was deposited: true names, links, modes and times.

Every name is one that the tree file lists, below a directory that this module made. Links come last, after
each was resolved inside the finished tree, so that nothing is ever written through one.
"""

import os
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from tallystick.bag.links import faults_of_links
from tallystick.bag.tree import EntryKind, TreeEntry, TreeRefusedError, read_tree
from tallystick.domain.errors import TallystickError

_OWNER_ENTERS: Final = 0o700  # without these bits its owner could neither fill nor remove it
_OWNER_READS: Final = 0o400
_DRAFT: Final = "data%tree"  # no bag may have a path with a %, so nothing that was unpacked lies there


class NamesNotKeptApartError(TallystickError):
    """The disk takes two names of what was deposited for one."""

    code = "names-not-kept-apart"
    why = "A disk that ignores case or the form of accents would keep one of two files and lose the other."
    advice = "Nothing was kept or reported. Receive into a folder on a disk that keeps such names apart."


def restore_tree(into: Path, tree_file: Path, payload: Iterable[str]) -> None:
    """Give `into`/data the tree of `tree_file`; its files lie at `payload`, the bag paths below `into`.

    Raises:
        TreeRefusedError: The tree file is malformed, has other files than the bag, or a link that leads out.
        NamesNotKeptApartError: The disk takes two of the names for one.
    """
    entries = list(read_tree(tree_file))
    _check_files(entries, set(payload))
    for entry, fault in faults_of_links(entries):
        raise TreeRefusedError(fault, name=ascii(entry.name[:200]))
    draft = into / _DRAFT
    draft.mkdir(mode=_OWNER_ENTERS)
    for entry in entries:
        _place(entry, into, draft)
    for entry in entries:
        if entry.target is not None:
            _free(draft, entry).symlink_to(os.fsdecode(entry.target))
    for entry in reversed(entries):  # what is inside a directory before the directory
        _finish(entry, draft)
    shutil.rmtree(into / "data")
    draft.rename(into / "data")


def _check_files(entries: Sequence[TreeEntry], payload: set[str]) -> None:
    listed = [entry.path for entry in entries if entry.path is not None]
    if len(listed) != len(payload) or set(listed) != payload:
        raise TreeRefusedError(
            "the tree has other files than the bag", listed=len(listed), found=len(payload)
        )


def _place(entry: TreeEntry, into: Path, draft: Path) -> None:
    if entry.kind is EntryKind.DIRECTORY:
        _free(draft, entry).mkdir(mode=_OWNER_ENTERS)
    elif entry.path is not None:
        (into / entry.path).rename(_free(draft, entry))


def _free(draft: Path, entry: TreeEntry) -> Path:
    """Return the place of an entry. No two entries have one name, so only the disk can think it taken."""
    place = _below(draft, entry)
    if os.path.lexists(place):
        name = ascii(entry.name)[1:]
        raise NamesNotKeptApartError(f"this disk takes {name} for another name beside it", name=name)
    return place


def _finish(entry: TreeEntry, draft: Path) -> None:
    place = _below(draft, entry)
    if entry.target is None:
        needed = _OWNER_ENTERS if entry.kind is EntryKind.DIRECTORY else _OWNER_READS
        place.chmod(entry.mode | needed)
    os.utime(place, ns=(entry.mtime_ns, entry.mtime_ns), follow_symlinks=False)


def _below(draft: Path, entry: TreeEntry) -> Path:
    return draft / os.fsdecode(entry.name)
