"""A deposit's files as one BagIt 1.0 bag (RFC 8493) in one deterministic tar.

Standard tools can read it: `tar -xf`, then `sha256sum -c manifest-sha256.txt`.
Writing reads every file twice, first for the manifest and then into the archive.
Only the beneficiary unpacks a bag; a server never does.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Final

from tallystick.bag.survey import (
    BagSourceChangedError,
    BagSourceRefusedError,
    SourceFile,
    Survey,
    opened,
    survey,
)
from tallystick.bag.tar import READ_BYTES, ArchiveSink, Member, TarWriter
from tallystick.bag.tree import TREE_FILE, tree_bytes
from tallystick.domain.ids import Digest, as_digest
from tallystick.domain.ids import name as checked_name
from tallystick.limits.bags import BAG_TAG_FILE_BYTES_MAX
from tallystick.limits.documents import TEXT_LENGTH_MAX

DECLARATION_FILE: Final = "bagit.txt"
INFO_FILE: Final = "bag-info.txt"
MANIFEST_FILE: Final = "manifest-sha256.txt"
TAG_MANIFEST_FILE: Final = "tagmanifest-sha256.txt"
DECLARATION: Final = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"


@dataclass(frozen=True, kw_only=True, slots=True)
class BagSummary:
    """What a bag is known by.

    Attributes:
        manifest_digest: SHA-256 of manifest-sha256.txt, which lists the digest of every file.
        files: How many payload files there are.
        payload_bytes: Their total size.
        content_digest: `Survey.content_digest` of what was written; empty for a bag that was read.
    """

    manifest_digest: Digest
    files: int
    payload_bytes: int
    content_digest: str = field(default="", compare=False)


def write_bag(
    source: Path, out: ArchiveSink, *, name: str, external_identifier: str, bagged_on: date
) -> BagSummary:
    """Write everything in the directory `source` as one bag in one tar to `out`.

    The same files with the same times, name, identifier and date give the same bytes. A tag file has what
    the bag's form cannot say (`tree`): true names, links, modes, times, and directories without a file. A
    name that is not the same on every system is kept there, and its content under a path that is.

    Args:
        source: What to deposit; nothing may write to it meanwhile.
        out: Takes the archive; a `SealingWriter` seals it in the same pass.
        name: The bag's directory inside the archive.
        external_identifier: The depositor's name for the bag, one line.
        bagged_on: The day on which the bag says it was made.

    Raises:
        MalformedNameError: `name` is not a name.
        BagSourceRefusedError: Something cannot be deposited, or there is no file, or there are too many.
        BagSourceChangedError: A file changed meanwhile; what `out` has taken is void.
    """
    checked_name(name)
    found = survey(source)
    files, tags = found.files, _tags(found.files, external_identifier, bagged_on)
    manifest = manifest_bytes({file.path: file.sha256 for file in files})
    tar = TarWriter(out)
    for path, content in _tag_files(tags, manifest, _tree(found)).items():
        tar.add(Member(path=f"{name}/{path}", size_bytes=len(content)), [content])
    for path in found.empty_directories:
        tar.add(Member(path=f"{name}/{path}", is_directory=True))
    for file in files:
        member = Member(path=f"{name}/{file.path}", size_bytes=file.size_bytes, executable=file.executable)
        tar.add(member, _unchanged(file))
    tar.finish()
    made = summary(manifest, files=len(files), payload_bytes=sum(file.size_bytes for file in files))
    return replace(made, content_digest=found.content_digest)


def summary(manifest: bytes, *, files: int, payload_bytes: int) -> BagSummary:
    """Return the summary of a bag whose payload manifest is `manifest`."""
    digest = as_digest(hashlib.sha256(manifest).digest())
    return BagSummary(manifest_digest=digest, files=files, payload_bytes=payload_bytes)


def manifest_bytes(digests: Mapping[str, str]) -> bytes:
    """Return a manifest (RFC 8493 §2.1.3) of hexadecimal SHA-256 by path, as `sha256sum` writes it."""
    raw = "".join(f"{digests[path]}  {path}\n" for path in sorted(digests, key=str.encode)).encode()
    _check_size("the manifest", raw)
    return raw


def oxum(*, files: int, payload_bytes: int) -> str:
    """Return the Payload-Oxum (RFC 8493 §2.2.2): octets, then streams."""
    return f"{payload_bytes}.{files}"


def _tags(files: Sequence[SourceFile], external_identifier: str, bagged_on: date) -> list[tuple[str, str]]:
    if (
        not external_identifier.strip().isprintable()
        or not 0 < len(external_identifier.strip()) <= TEXT_LENGTH_MAX
    ):
        raise BagSourceRefusedError("the identifier is not one printable line")
    payload_bytes = sum(file.size_bytes for file in files)
    return [
        ("Bagging-Date", bagged_on.isoformat()),
        ("External-Identifier", external_identifier.strip()),
        ("Payload-Oxum", oxum(files=len(files), payload_bytes=payload_bytes)),
    ]


def _tree(found: Survey) -> bytes:
    raw = tree_bytes(found.entries)
    _check_size("the tree file", raw)
    return raw


def _check_size(what: str, raw: bytes) -> None:
    if len(raw) > BAG_TAG_FILE_BYTES_MAX:
        raise BagSourceRefusedError(f"{what} is too large", size_bytes=len(raw), most=BAG_TAG_FILE_BYTES_MAX)


def _tag_files(tags: Iterable[tuple[str, str]], manifest: bytes, tree: bytes) -> dict[str, bytes]:
    info = "".join(f"{label}: {value}\n" for label, value in tags).encode()
    covered = {DECLARATION_FILE: DECLARATION, INFO_FILE: info, MANIFEST_FILE: manifest, TREE_FILE: tree}
    digests = {path: hashlib.sha256(content).hexdigest() for path, content in covered.items()}
    return {**covered, TAG_MANIFEST_FILE: manifest_bytes(digests)}


def _unchanged(surveyed: SourceFile) -> Iterator[bytes]:
    """Yield the file's content; fail before one byte too many, and at the end if the content changed."""
    digest, rest = hashlib.sha256(), surveyed.size_bytes
    with opened(surveyed.path, surveyed.place) as file:
        while piece := file.read(READ_BYTES):
            rest -= len(piece)
            digest.update(piece)
            if rest < 0:
                break
            yield piece
    if rest or digest.hexdigest() != surveyed.sha256:
        raise BagSourceChangedError("a file changed while it was read", path=surveyed.path)
