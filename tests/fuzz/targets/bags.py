"""Archives, the bags in them, and their trees. The twins: tarfile, the Library of Congress's bagit, Linux."""

import io
import logging
import os
import re
import tarfile
import tempfile
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Final

import bagit  # type: ignore[import-untyped]

from tallystick.bag.paths import BagPathRefusedError
from tallystick.bag.restore import restore_tree
from tallystick.bag.tar import Member, TarReader, TarRefusedError, TarWriter
from tallystick.bag.tree import EntryKind, TreeEntry, TreeRefusedError, read_tree, tree_bytes
from tallystick.bag.unpack import BagInvalidError, unpack_bag
from tallystick.bag.write import write_bag
from tests.fuzz.target import Target

_LONG: Final = "data/" + "long/" * 40 + "ö.txt"
_CONTENT_BYTES_MAX: Final = 1 << 20
_BAG_PATH: Final = re.compile(r"data/[a-z]{1,8}")


def judge_tar(data: bytes) -> bool:
    """An archive that is accepted has the members, in order, with the contents that tarfile finds."""
    reader, found = TarReader(io.BytesIO(data)), list[tuple[str, bytes | None]]()
    try:
        while (member := reader.next_member()) is not None:
            content = b"".join(reader.content(member))
            found.append((member.path, None if member.is_directory else content))
    except TarRefusedError:
        return False
    assert found == _read_by_tarfile(data)
    return True


def _read_by_tarfile(data: bytes) -> list[tuple[str, bytes | None]]:
    found = list[tuple[str, bytes | None]]()
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as archive:
        for info in archive:
            opened = archive.extractfile(info)
            found.append((info.name, None if opened is None else opened.read(_CONTENT_BYTES_MAX)))
    return found


def judge_bag(data: bytes) -> bool:
    """A bag that is unpacked is valid for bagit, and nothing of a refused one is left behind."""
    with tempfile.TemporaryDirectory(dir=_fast_folder()) as folder:
        into = Path(folder) / "into"
        try:
            unpack_bag(io.BytesIO(data), into, files_max=64, payload_bytes_max=_CONTENT_BYTES_MAX)
        except (TarRefusedError, BagPathRefusedError, BagInvalidError):
            assert not list(Path(folder).iterdir()), "something is left"
            return False
        assert [entry.name for entry in Path(folder).iterdir()] == ["into"], "something was written beside it"
        bagit.Bag(str(into)).validate()
        return True


def judge_tree(data: bytes) -> bool:
    """A tree that is restored has the entries of its file; the kernel follows no link out of it."""
    with tempfile.TemporaryDirectory(dir=_fast_folder()) as folder:
        into, file = Path(folder) / "into", Path(folder) / "tree"
        (into / "data").mkdir(parents=True)
        file.write_bytes(data)
        try:
            entries = list(read_tree(file))
            restore_tree(into, file, _contents(into, entries))
        except TreeRefusedError:
            return False
        assert tree_bytes(entries) == data
        _check_restored((into / "data").resolve(), entries)
        return True


def _contents(into: Path, entries: Iterable[TreeEntry]) -> Iterable[str]:
    """Make the files that the entries name, as a bag would have them."""
    paths = {entry.path for entry in entries if entry.path is not None}
    for path in filter(_BAG_PATH.fullmatch, paths):
        (into / path).write_bytes(path.encode())
    return filter(_BAG_PATH.fullmatch, paths)


def _check_restored(root: Path, entries: Iterable[TreeEntry]) -> None:
    listed = {entry.name for entry in entries}
    found = {os.fsencode(place.relative_to(root)) for place in root.rglob("*")}
    assert found == listed, "another entry than those of the file"
    for entry in entries:
        place = root / os.fsdecode(entry.name)
        place.stat()  # the kernel finds what a link leads to
        assert place.resolve().is_relative_to(root), "a link leads out"
        if entry.path is not None:
            assert place.read_bytes() == entry.path.encode(), "a file has another's content"


def _fast_folder() -> str | None:
    return "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - a folder of its own is made in it


def _archives() -> Iterable[bytes]:
    yield _archive({"bag/a.txt": b"alpha", f"bag/{_LONG}": b"x" * 700, "bag/empty": b""})
    yield _archive({})
    stock = io.BytesIO()
    with tarfile.open(fileobj=stock, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for kind in (tarfile.REGTYPE, tarfile.DIRTYPE, tarfile.SYMTYPE):
            info = tarfile.TarInfo("n" * 120)
            info.type = kind
            archive.addfile(info)
    yield stock.getvalue()


def _archive(files: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    writer = TarWriter(out)
    for path, content in files.items():
        writer.add(Member(path=path, size_bytes=len(content)), [content])
    writer.finish()
    return out.getvalue()


def _bags() -> Iterable[bytes]:
    with tempfile.TemporaryDirectory() as folder:
        for path, content in {"a.txt": b"alpha", "b/run.sh": b"#!/bin/sh\n", "b/ö": b""}.items():
            (Path(folder) / path).parent.mkdir(exist_ok=True)
            (Path(folder) / path).write_bytes(content)
        out = io.BytesIO()
        write_bag(Path(folder), out, name="c", external_identifier="x", bagged_on=date(2026, 11, 27))
        yield out.getvalue()


def _trees() -> Iterable[bytes]:
    plain = tree_bytes([_entry(b"a", path="data/a"), _entry(b"b"), _entry(b"b/c", path="data/c")])
    yield plain
    yield tree_bytes([])
    yield tree_bytes([_entry(b"a"), _entry(b"a/up", target=b"../b/./c"), _entry(b"b"), _entry(b"b/c")])
    yield tree_bytes(
        [_entry(b"l", target=b"../etc"), _entry(b"m", target=b"/etc"), _entry(b"n", target=b"n")]
    )
    yield plain.replace(b"data/c", b"data/a")


def _entry(name: bytes, *, path: str | None = None, target: bytes | None = None) -> TreeEntry:
    kind = EntryKind.LINK if target else EntryKind.FILE if path else EntryKind.DIRECTORY
    return TreeEntry(name=name, kind=kind, mode=0o755, mtime_ns=10**18 + 1, path=path, target=target)


logging.getLogger("bagit").setLevel(logging.CRITICAL)  # it tells of each file
TARGETS: Final = (
    Target(name="tar", judge=judge_tar, seeds=_archives),
    Target(name="bag", judge=judge_bag, seeds=_bags),
    Target(name="tree", judge=judge_tree, seeds=_trees),
)
