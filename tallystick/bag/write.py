"""A deposit's files as one BagIt 1.0 bag (RFC 8493) in one deterministic tar.

Standard tools can read it: `tar -xf`, then `sha256sum -c manifest-sha256.txt`.
Writing reads every file twice, first for the manifest and then into the archive.
Only the beneficiary unpacks a bag; a server never does.
"""

import errno
import hashlib
import io
import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from tallystick.bag.paths import PathRegister
from tallystick.bag.tar import READ_BYTES, ArchiveSink, Member, TarWriter
from tallystick.domain.errors import TallystickError
from tallystick.domain.ids import Digest
from tallystick.domain.ids import name as checked_name
from tallystick.limits import BAG_FILES_MAX, BAG_TAG_FILE_BYTES_MAX, TEXT_LENGTH_MAX

DECLARATION_FILE: Final = "bagit.txt"
INFO_FILE: Final = "bag-info.txt"
MANIFEST_FILE: Final = "manifest-sha256.txt"
TAG_MANIFEST_FILE: Final = "tagmanifest-sha256.txt"
PAYLOAD: Final = "data/"
DECLARATION: Final = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
_OWNER_EXECUTES: Final = 0o100


class BagSourceRefusedError(TallystickError):
    """A directory that cannot become a bag."""

    code = "bag-source-refused"
    why = "A deposit may have only regular files, at least one, and no more than fit in a bag."
    advice = "Replace links by what they point to, and remove sockets, pipes and devices."


class BagSourceChangedError(TallystickError):
    """A file changed while the bag was being written."""

    code = "bag-source-changed"
    why = "A file changed between the moment its digest was taken and the moment it was archived."
    advice = "Deposit from a directory that nothing writes to, such as a snapshot or a fresh checkout."
    retryable = True


@dataclass(frozen=True, kw_only=True, slots=True)
class BagSummary:
    """What a bag is known by.

    Attributes:
        manifest_digest: SHA-256 of manifest-sha256.txt, which lists the digest of every file.
        files: How many payload files there are.
        payload_bytes: Their total size.
    """

    manifest_digest: Digest
    files: int
    payload_bytes: int


@dataclass(frozen=True, kw_only=True, slots=True)
class _SourceFile:
    path: str
    place: Path
    sha256: str
    size_bytes: int
    executable: bool


def write_bag(
    source: Path, out: ArchiveSink, *, name: str, external_identifier: str, bagged_on: date
) -> BagSummary:
    """Write everything in the directory `source` as one bag in one tar to `out`.

    The same files, name, identifier and date give the same bytes. Empty directories are
    in the archive, but not in the manifest, which lists only files.

    Args:
        source: What to deposit; nothing may write to it meanwhile.
        out: Takes the archive; a `SealingWriter` seals it in the same pass.
        name: The bag's directory inside the archive.
        external_identifier: The depositor's name for the bag, one line.
        bagged_on: The day on which the bag says it was made.

    Raises:
        MalformedNameError: `name` is not a name.
        BagPathRefusedError: A file name does not mean the same file on every system.
        BagSourceRefusedError: There are links, special files, no file, or too many.
        BagSourceChangedError: A file changed meanwhile; what `out` has taken is void.
    """
    checked_name(name)
    files, empty_directories = _survey(source)
    tags = _tags(files, external_identifier, bagged_on)
    manifest = manifest_bytes({file.path: file.sha256 for file in files})
    tar = TarWriter(out)
    for path, content in _tag_files(tags, manifest).items():
        tar.add(Member(path=f"{name}/{path}", size_bytes=len(content)), [content])
    for path in empty_directories:
        tar.add(Member(path=f"{name}/{path}", is_directory=True))
    for file in files:
        member = Member(path=f"{name}/{file.path}", size_bytes=file.size_bytes, executable=file.executable)
        tar.add(member, _unchanged(file))
    tar.finish()
    return summary(manifest, files=len(files), payload_bytes=sum(file.size_bytes for file in files))


def summary(manifest: bytes, *, files: int, payload_bytes: int) -> BagSummary:
    """Return the summary of a bag whose payload manifest is `manifest`."""
    digest = Digest("sha256:" + hashlib.sha256(manifest).hexdigest())
    return BagSummary(manifest_digest=digest, files=files, payload_bytes=payload_bytes)


def manifest_bytes(digests: Mapping[str, str]) -> bytes:
    """Return a manifest (RFC 8493 §2.1.3) of hexadecimal SHA-256 by path, as `sha256sum` writes it."""
    raw = "".join(f"{digests[path]}  {path}\n" for path in sorted(digests, key=str.encode)).encode()
    if len(raw) > BAG_TAG_FILE_BYTES_MAX:
        raise BagSourceRefusedError(
            "the manifest is too large", size_bytes=len(raw), most=BAG_TAG_FILE_BYTES_MAX
        )
    return raw


def oxum(*, files: int, payload_bytes: int) -> str:
    """Return the Payload-Oxum (RFC 8493 §2.2.2): octets, then streams."""
    return f"{payload_bytes}.{files}"


def _tags(files: list[_SourceFile], external_identifier: str, bagged_on: date) -> list[tuple[str, str]]:
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


def _tag_files(tags: Iterable[tuple[str, str]], manifest: bytes) -> dict[str, bytes]:
    info = "".join(f"{label}: {value}\n" for label, value in tags).encode()
    covered = {DECLARATION_FILE: DECLARATION, INFO_FILE: info, MANIFEST_FILE: manifest}
    digests = {path: hashlib.sha256(content).hexdigest() for path, content in covered.items()}
    return {**covered, TAG_MANIFEST_FILE: manifest_bytes(digests)}


def _survey(source: Path) -> tuple[list[_SourceFile], list[str]]:
    register = PathRegister()
    files: list[_SourceFile] = []
    empty_directories: list[str] = []
    for path, entry in _walk(source, PAYLOAD.rstrip("/"), register):
        if entry is None:
            empty_directories.append(path)
        else:
            files.append(_source_file(path, entry))
        if len(files) + len(empty_directories) > BAG_FILES_MAX:
            raise BagSourceRefusedError("too many files", most=BAG_FILES_MAX)
    if not files:
        raise BagSourceRefusedError(f"{source} has no file to deposit")
    return sorted(files, key=lambda file: file.path.encode()), sorted(empty_directories, key=str.encode)


def _walk(directory: Path, path: str, register: PathRegister) -> Iterator[tuple[str, Path | None]]:
    """Yield every file below `directory`, and with None every directory that is empty."""
    entries = sorted(os.scandir(directory), key=lambda entry: entry.name)
    if not entries:
        yield path, None
    for entry in entries:
        below = f"{path}/{entry.name}"
        if entry.is_dir(follow_symlinks=False):
            register.admit_directory(below)
            yield from _walk(Path(entry.path), below, register)
        elif entry.is_file(follow_symlinks=False):
            register.admit_file(below)
            yield below, Path(entry.path)
        else:
            kind = "a symbolic link" if entry.is_symlink() else "not a regular file"
            raise BagSourceRefusedError(f"{below!a} is {kind}", path=ascii(below))


def _source_file(path: str, place: Path) -> _SourceFile:
    with _opened(path, place) as file:
        facts = os.fstat(file.fileno())
        return _SourceFile(
            path=path,
            place=place,
            sha256=hashlib.file_digest(file, "sha256").hexdigest(),
            size_bytes=facts.st_size,
            executable=bool(facts.st_mode & _OWNER_EXECUTES),
        )


def _unchanged(surveyed: _SourceFile) -> Iterator[bytes]:
    """Yield the file's content; fail before one byte too many, and at the end if the content changed."""
    digest, rest = hashlib.sha256(), surveyed.size_bytes
    with _opened(surveyed.path, surveyed.place) as file:
        while piece := file.read(READ_BYTES):
            rest -= len(piece)
            digest.update(piece)
            if rest < 0:
                break
            yield piece
    if rest or digest.hexdigest() != surveyed.sha256:
        raise BagSourceChangedError("a file changed while it was read", path=surveyed.path)


def _opened(path: str, place: Path) -> io.FileIO:
    """Open a file that was a regular one a moment ago and still is."""
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
