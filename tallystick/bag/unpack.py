"""Unpacking a bag where the beneficiary runs it: inside one directory, and nothing unverified stays.

A bag must be complete and valid in the sense of RFC 8493 §3, and more: SHA-256 only, no fetch.txt,
every tag file in the tag manifest, a Payload-Oxum, no two names that differ only in case.
"""

import hashlib
import os
import re
import shutil
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tallystick.bag.paths import PathRegister, check_path
from tallystick.bag.restore import restore_tree
from tallystick.bag.survey import PAYLOAD
from tallystick.bag.tar import ArchiveSource, Member, TarReader
from tallystick.bag.tree import TREE_FILE
from tallystick.bag.write import (
    DECLARATION,
    DECLARATION_FILE,
    INFO_FILE,
    MANIFEST_FILE,
    TAG_MANIFEST_FILE,
    BagSummary,
    oxum,
)
from tallystick.domain.errors import MalformedError, TallystickError
from tallystick.domain.ids import as_digest
from tallystick.durable import sync_file, sync_folder
from tallystick.limits.bags import (
    BAG_ENTRIES_MAX,
    BAG_FILES_MAX,
    BAG_PATH_BYTES_MAX,
    BAG_PAYLOAD_BYTES_MAX,
    BAG_TAG_FILE_BYTES_MAX,
    BAG_TAG_FILES_MAX,
)

_MANIFEST_LINE: Final = re.compile(r"([0-9a-fA-F]{64})[ \t]+([^ \t*].*)")
_ANY_MANIFEST: Final = re.compile(r"(?:tag)?manifest-[^/]*\.txt")
_LINE_BYTES_MAX: Final = 2 * BAG_PATH_BYTES_MAX  # of a digest and a path; a longer one is malformed in pieces
_FLAGS: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW


class BagInvalidError(MalformedError):
    """An archive that is not one complete and valid bag."""

    code = "bag-invalid"
    why = "A file is missing, unlisted, altered or too large, or a tag file breaks a rule of RFC 8493."
    advice = "Nothing was kept. If the sealed file has its signed digest, the deposit itself is bad."


class UnpackTargetError(TallystickError):
    """The directory to unpack into is not empty."""

    code = "unpack-target-not-empty"
    why = "A bag is unpacked only into a new or empty directory, so that nothing is overwritten."
    advice = "Name a directory that does not exist yet."


@dataclass(frozen=True, kw_only=True, slots=True)
class _Stored:
    sha256: str
    size_bytes: int


def unpack_bag(
    source: ArchiveSource,
    into: Path,
    *,
    files_max: int = BAG_FILES_MAX,
    payload_bytes_max: int = BAG_PAYLOAD_BYTES_MAX,
) -> BagSummary:
    """Unpack the tar from `source` into `into`, which gets `bagit.txt`, `data/` and so on.

    When this returns, every file has the content that the manifests list, and is on disk (fsync). When it
    raises, everything that it wrote is gone again.

    Args:
        source: The archive; it need not be seekable.
        into: A directory that does not exist, or is empty.
        files_max: How many payload files there may be; give what the deposit statement says.
        payload_bytes_max: How large they may be together; give what the deposit statement says.

    Raises:
        UnpackTargetError: `into` is not empty.
        TarRefusedError: The archive is not a plain tar of files and directories.
        BagPathRefusedError: A path leaves the bag, or collides with another.
        BagInvalidError: The bag is not complete and valid, or larger than allowed.
        TreeRefusedError: The bag's tree file is not sound.
        NamesNotKeptApartError: The disk takes two names of the tree for one.
    """
    with _only_if_whole(into):
        unpacking = _Unpacking(into, files_max=files_max, payload_bytes_max=payload_bytes_max)
        unpacking.take_all(TarReader(source))
        validated = _validated(into, unpacking.stored)
        if TREE_FILE in unpacking.stored:
            payload = (path for path in unpacking.stored if path.startswith(PAYLOAD))
            restore_tree(into, into / TREE_FILE, payload)
        _sync_directories(into)
    return validated


class _Unpacking:
    """Writes members below one directory, and remembers the digest and size of each file."""

    def __init__(self, into: Path, *, files_max: int, payload_bytes_max: int) -> None:
        self.stored: dict[str, _Stored] = {}
        self._into = into
        self._files_left = files_max
        self._directories_left = BAG_ENTRIES_MAX
        self._payload_bytes_left = payload_bytes_max
        self._tag_files_left = BAG_TAG_FILES_MAX
        self._register = PathRegister()
        self._bag_name: str | None = None

    def take_all(self, tar: TarReader) -> None:
        while (member := tar.next_member()) is not None:
            self._take(member, tar.content(member))

    def _take(self, member: Member, content: Iterator[bytes]) -> None:
        bag_name, _, path = member.path.partition("/")
        check_path(bag_name)
        self._bag_name = self._bag_name or bag_name
        if bag_name != self._bag_name:
            raise BagInvalidError("more than one bag", member=ascii(member.path[:200]))
        if member.is_directory:
            self._take_directory(path)
        else:
            self._take_file(path, member, content)

    def _take_directory(self, path: str) -> None:
        self._directories_left -= 1
        if self._directories_left < 0:
            raise BagInvalidError("too many directories", limit=BAG_ENTRIES_MAX)
        if path:
            self._register.admit_directory(path)
            (self._into / path).mkdir(parents=True, exist_ok=True)

    def _take_file(self, path: str, member: Member, content: Iterator[bytes]) -> None:
        self._register.admit_file(path)
        self._check_allowed(path, member.size_bytes)
        place = self._into / path
        place.parent.mkdir(parents=True, exist_ok=True)
        digest = hashlib.sha256()
        with os.fdopen(os.open(place, _FLAGS, 0o755 if member.executable else 0o644), "wb") as file:
            for piece in content:
                digest.update(piece)
                file.write(piece)
            sync_file(file)
        self.stored[path] = _Stored(sha256=digest.hexdigest(), size_bytes=member.size_bytes)

    def _check_allowed(self, path: str, size_bytes: int) -> None:
        if path.startswith(PAYLOAD):
            self._files_left -= 1
            self._payload_bytes_left -= size_bytes
        else:
            self._tag_files_left -= 1
            _check_tag_file(path, size_bytes)
        if min(self._files_left, self._payload_bytes_left, self._tag_files_left) < 0:
            raise BagInvalidError("larger than it may be", path=path, size_bytes=size_bytes)


def _check_tag_file(path: str, size_bytes: int) -> None:
    if path.lower() == "fetch.txt":
        raise BagInvalidError("the bag names files to fetch from elsewhere (fetch.txt)")
    if _ANY_MANIFEST.fullmatch(path.lower()) and path not in {MANIFEST_FILE, TAG_MANIFEST_FILE}:
        raise BagInvalidError("a manifest of another algorithm", path=path)
    if size_bytes > BAG_TAG_FILE_BYTES_MAX:
        raise BagInvalidError("a tag file is too large", path=path, size_bytes=size_bytes)


def _validated(into: Path, stored: Mapping[str, _Stored]) -> BagSummary:
    """Return the summary of a bag that is complete and valid (RFC 8493 §3)."""
    missing = {DECLARATION_FILE, INFO_FILE, MANIFEST_FILE, TAG_MANIFEST_FILE} - stored.keys()
    if missing:
        raise BagInvalidError("tag files are missing", missing=sorted(missing))
    if (into / DECLARATION_FILE).read_bytes() != DECLARATION:
        raise BagInvalidError("the bag is not a BagIt 1.0 bag in UTF-8")
    payload = {path: file for path, file in stored.items() if path.startswith(PAYLOAD)}
    if not payload:
        raise BagInvalidError("a bag without payload")
    tag_files = {
        path: file for path, file in stored.items() if path not in payload and path != TAG_MANIFEST_FILE
    }
    _check_manifest(into / TAG_MANIFEST_FILE, tag_files)
    _check_manifest(into / MANIFEST_FILE, payload)
    tags = _parse_info((into / INFO_FILE).read_bytes())
    payload_bytes = sum(file.size_bytes for file in payload.values())
    stated = [value for label, value in tags if label.lower() == "payload-oxum"]
    if stated != [oxum(files=len(payload), payload_bytes=payload_bytes)]:
        raise BagInvalidError("the Payload-Oxum does not fit the files", files=len(payload))
    digest = as_digest(bytes.fromhex(stored[MANIFEST_FILE].sha256))
    return BagSummary(manifest_digest=digest, files=len(payload), payload_bytes=payload_bytes)


def _check_manifest(manifest: Path, files: Mapping[str, _Stored]) -> None:
    """Check that `manifest` lists exactly `files`, each once and with its digest.

    A line at a time is held: a manifest may be as large as all that is remembered of the files.
    """
    left = dict(files)
    with manifest.open("rb") as lines:
        while line := lines.readline(_LINE_BYTES_MAX):
            path, sha256 = _listed(manifest, line)
            if (stored := left.pop(path, None)) is None:
                what = "a repeated line" if path in files else "a file is listed and missing"
                raise BagInvalidError(what, manifest=manifest.name, path=path)
            if stored.sha256 != sha256:
                raise BagInvalidError("a file has another digest", manifest=manifest.name, path=path)
    if left:
        raise BagInvalidError("files are unlisted", manifest=manifest.name, count=len(left), first=min(left))


def _listed(manifest: Path, raw: bytes) -> tuple[str, str]:
    """Return the path and the digest of one line of a manifest."""
    line = _text(raw.replace(b"\r\n", b"\n").removesuffix(b"\n"))
    match = _MANIFEST_LINE.fullmatch(line)
    if match is None:
        raise BagInvalidError("a malformed line", manifest=manifest.name, line=ascii(line[:200]))
    return match[2], match[1].lower()


def _parse_info(raw: bytes) -> list[tuple[str, str]]:
    """Return labels and values; a line that begins with a blank continues the value before it."""
    tags: list[tuple[str, str]] = []
    for line in _lines(raw):
        label, colon, value = line.partition(":")
        if line[:1] in {" ", "\t"} and tags:
            tags[-1] = (tags[-1][0], f"{tags[-1][1]} {line.strip()}")
        elif colon and label.strip():
            tags.append((label.strip(), value.strip()))
        else:
            raise BagInvalidError("a malformed line", file=INFO_FILE, line=ascii(line[:200]))
    return tags


def _lines(raw: bytes) -> list[str]:
    text = _text(raw)
    return text.replace("\r\n", "\n").removesuffix("\n").split("\n") if text else []


def _text(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise BagInvalidError("a tag file is not UTF-8") from error


@contextmanager
def _only_if_whole(into: Path) -> Generator[None, None, None]:
    """Make sure that `into` is empty at first, and is empty again if anything fails."""
    is_new = not into.exists()
    into.mkdir(mode=0o700, parents=True, exist_ok=True)
    if any(into.iterdir()):
        raise UnpackTargetError(f"{into} is not empty", into=into.name)
    try:
        yield
    except BaseException:
        for entry in list(into.iterdir()):
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
        if is_new:
            into.rmdir()
        raise


def _sync_directories(into: Path) -> None:
    for directory, _, _ in os.walk(into):
        sync_folder(Path(directory))
