"""Symbolic links of a tree: a link is taken only if it leads to something inside the same tree.

It is decided over the names alone, without a file system, and by the rule that the kernel has: `..` is the
parent of where a link has led, and not of how it was written.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from tallystick.bag.tree import EntryKind, TreeEntry

_HOPS_MAX: Final = 40  # as Linux has it
_TARGET_BYTES_MAX: Final = 4095


def faults_of_links(entries: Iterable[TreeEntry]) -> Iterator[tuple[TreeEntry, str]]:
    """Yield each link that does not resolve inside the tree that `entries` make, and why."""
    found = {entry.name: entry for entry in entries}
    for entry in found.values():
        if entry.target is not None and (fault := _fault(entry, entry.target, found)) is not None:
            yield entry, fault


def _fault(link: TreeEntry, target: bytes, tree: Mapping[bytes, TreeEntry]) -> str | None:
    if not target or len(target) > _TARGET_BYTES_MAX or b"\0" in target:
        return "a link without a target, or with one that is too long"
    if target.startswith(b"/"):
        return "a link to an absolute path"
    return _walk(_segments(link.parent), _segments(target), tree)


def _walk(at: list[bytes], rest: list[bytes], tree: Mapping[bytes, TreeEntry]) -> str | None:
    """Follow `rest` from the directory `at`, as the kernel would; return why it does not end inside."""
    hops = 1
    while rest:
        segment, *rest = rest
        if segment == b"..":
            if not at:
                return "a link that leads out of the component"
            at = at[:-1]
            continue
        entry = tree.get(b"/".join([*at, segment]))
        if entry is None:
            return "a link to something that is not there"
        if entry.target is None:
            at = [*at, segment]
            if rest and entry.kind is not EntryKind.DIRECTORY:
                return "a link through something that is not a directory"
            continue
        hops += 1
        if hops > _HOPS_MAX:
            return "a link that leads to itself"
        if entry.target.startswith(b"/"):
            return "a link to an absolute path"
        rest = [*_segments(entry.target), *rest]
    return None


def _segments(path: bytes) -> list[bytes]:
    return [segment for segment in path.split(b"/") if segment not in {b"", b"."}]
