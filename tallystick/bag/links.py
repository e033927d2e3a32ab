"""Symbolic links of a tree: a link is taken only if it leads to something inside the same tree.

This is decided over the names alone, without a file system, and by the kernel's rule: `..` is the parent of
the place to which a link has led, not of the path as it is written. Each link is followed once, however many
others lead through it, so the work grows only with the bytes of the targets: somebody else wrote the tree.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from tallystick.bag.tree import EntryKind, TreeEntry

_HOPS_MAX: Final = 40  # as Linux has it
_TARGET_BYTES_MAX: Final = 4095

_Place: TypeAlias = tuple[bytes, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Led:
    """Where a link leads, and through how many links, itself included; or why it does not end inside."""

    to: _Place = ()
    hops: int = 1
    fault: str | None = None


@dataclass(kw_only=True, slots=True)
class _Way:
    """The way of one link: where it has come to, and the segments that are still to go, the next one last."""

    link: bytes
    at: list[bytes]
    rest: list[bytes]
    hops: int = 1


def faults_of_links(entries: Iterable[TreeEntry]) -> Iterator[tuple[TreeEntry, str]]:
    """Yield each link that does not resolve inside the tree that `entries` make, and why."""
    found = {entry.name: entry for entry in entries}
    links = _Links(found)
    for entry in found.values():
        if entry.target is not None and (fault := links.led(entry).fault) is not None:
            yield entry, fault


class _Links:
    """The links of one tree, and where those that were followed lead."""

    def __init__(self, tree: Mapping[bytes, TreeEntry]) -> None:
        self._tree = tree
        self._led: dict[bytes, _Led] = {}

    def led(self, link: TreeEntry) -> _Led:
        """Return where `link` leads to; the links on its way are followed first."""
        ways, under_way = list[_Way](), set[bytes]()
        following: TreeEntry | None = link
        while following is not None or ways:
            if following is not None and not self._is_settled(following, under_way):
                under_way.add(following.name)
                ways.append(_begun(following))
            following = self._gone_on(ways[-1]) if ways else None
            if following is None and ways:
                under_way.discard(ways.pop().link)
        return self._led[link.name]

    def _is_settled(self, link: TreeEntry, under_way: set[bytes]) -> bool:
        """Return whether a link need not be followed: it was, it cannot be, or it lies on its own way."""
        if link.name in under_way:
            self._led[link.name] = _Led(fault="a link that leads to itself")
        elif (fault := _fault_of_target(link)) is not None:
            self._led[link.name] = _Led(fault=fault)
        return link.name in self._led

    def _gone_on(self, way: _Way) -> TreeEntry | None:
        """Follow a way; return a link on it that must be followed before, or None when the way has ended."""
        while way.rest and way.link not in self._led:
            following = self._step(way, way.rest[-1])
            if following is not None:
                return following
        self._led.setdefault(way.link, _Led(to=tuple(way.at), hops=way.hops))
        return None

    def _step(self, way: _Way, segment: bytes) -> TreeEntry | None:
        entry = None if segment == b".." else self._tree.get(b"/".join([*way.at, segment]))
        if entry is not None and entry.target is not None and entry.name not in self._led:
            return entry
        way.rest.pop()
        fault = _to_parent(way) if segment == b".." else self._into(way, entry)
        if fault is not None:
            self._led[way.link] = _Led(fault=fault)
        return None

    def _into(self, way: _Way, entry: TreeEntry | None) -> str | None:
        """Go to an entry, or to where it leads if it is a link; return why that cannot be, or None."""
        if entry is None:
            return "a link to something that is not there"
        place: _Place = (*_segments(entry.name),)
        if entry.target is not None:
            led = self._led[entry.name]
            place, way.hops = led.to, way.hops + led.hops
            if led.fault is not None or way.hops > _HOPS_MAX:
                return led.fault or "a link that leads to itself"
        way.at = list(place)
        if way.rest and place and self._tree[b"/".join(place)].kind is not EntryKind.DIRECTORY:
            return "a link through something that is not a directory"
        return None


def _to_parent(way: _Way) -> str | None:
    if not way.at:
        return "a link that leads out of the component"
    way.at.pop()
    return None


def _begun(link: TreeEntry) -> _Way:
    assert link.target is not None, "only links are followed"
    return _Way(link=link.name, at=_segments(link.parent), rest=_segments(link.target)[::-1])


def _fault_of_target(link: TreeEntry) -> str | None:
    target = link.target
    if not target or len(target) > _TARGET_BYTES_MAX or b"\0" in target:
        return "a link without a target, or with one that is too long"
    return "a link to an absolute path" if target.startswith(b"/") else None


def _segments(path: bytes) -> list[bytes]:
    return [segment for segment in path.split(b"/") if segment not in {b"", b"."}]
