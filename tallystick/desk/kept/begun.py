"""Work that is begun once: sealed files and the statement about them, kept until it is answered.

Sealing the same folder again gives other bytes, and the server has none of them yet. So a repeated command
continues with the files that it has sealed before, if they were sealed from the same content.
"""

import fcntl
import hashlib
import shutil
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Final

from tallystick.bag.tar import ArchiveSink
from tallystick.crypto.envelope import Envelope, body_of, envelope_from_json, envelope_json
from tallystick.crypto.json.canonical import canonical_bytes, parse
from tallystick.crypto.json.members import members_of
from tallystick.desk.files import unwritable
from tallystick.desk.kept.unsent import is_expired, is_open
from tallystick.domain.errors import MalformedError, TallystickError
from tallystick.domain.ids import Digest, as_digest
from tallystick.domain.json import JsonObject
from tallystick.durable import make_private, write_durably
from tallystick.limits.documents import AGREEMENT_SIZE_BYTES_MAX
from tallystick.regular import open_lock, open_regular, ownership_fault, read_regular

_FORMAT: Final = "tallystick.begun/v1"
_SIZE_BYTES_MAX: Final = 2 * AGREEMENT_SIZE_BYTES_MAX


class WorkUnderWayError(TallystickError):
    """Another command does the same work now."""

    code = "work-under-way"
    why = "Two commands that seal into one folder would spoil each other's files."
    advice = "Wait until the other command ends, or stop it; then repeat this one: it continues from there."
    retryable = True


class WorkFolderExposedError(TallystickError):
    """A folder for sealed files that is not this user's alone."""

    code = "work-folder-exposed"
    why = "What lies in this folder is sent as yours when the command is repeated; others could put it there."
    advice = "Name a folder of your own with `--scratch`, or remove this one if you know who made it."


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """What an earlier command did with the files in the folder.

    Attributes:
        plain: What each file was sealed from, in words of the work's own.
        envelope: What was signed about them; None if nothing was yet.
    """

    plain: Mapping[str, str]
    envelope: Envelope | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """A folder of sealed files, held by this process alone."""

    folder: Path

    def unanswered(self, at: datetime) -> Envelope | None:
        """Return what was signed about the files before and may still be sent; None if nothing may."""
        begun = self._earlier()
        if begun is None or begun.envelope is None or is_expired(body_of(begun.envelope), at):
            return None
        return begun.envelope

    def sealed_from(self) -> Mapping[str, str]:
        """Return what each file was sealed from before, in words of the work's own."""
        begun = self._earlier()
        return {} if begun is None else begun.plain

    @contextmanager
    def kept_if_open(self) -> Generator[None]:
        """Remove every file if the server refuses what the block sends, unless it may still take it later."""
        try:
            yield
        except TallystickError as error:
            if not is_open(error):
                self.clear()
            raise

    def keep(self, begun: Begun) -> None:
        """Note what was done, durably; the files are whole."""
        signed = {} if begun.envelope is None else {"envelope": envelope_json(begun.envelope)}
        document: JsonObject = {"format": _FORMAT, "plain": dict(begun.plain), **signed}
        write_durably(self._note, canonical_bytes(document) + b"\n")

    def has(self, file: str, sealed: Digest) -> bool:
        """Whether the folder has this very file."""
        return self.digest_of(file) == sealed

    def digest_of(self, file: str) -> Digest | None:
        """Return the SHA-256 of a file in the folder; None if it cannot be read."""
        try:
            with open_regular(self.folder / file) as source:
                return as_digest(hashlib.file_digest(source, "sha256").digest())
        except OSError:
            return None

    def clear(self) -> None:
        """Remove every file."""
        self._note.unlink(missing_ok=True)  # first, because a note without its files would be wrong
        shutil.rmtree(self.folder)
        make_private(self.folder)

    def _earlier(self) -> Begun | None:
        """Return what was begun before; None if nothing was, or its note is not whole."""
        try:
            content = read_regular(self._note, _SIZE_BYTES_MAX)
            value = parse(content, size_bytes_max=_SIZE_BYTES_MAX)
            members = members_of(value, where="", required={"format", "plain"}, optional={"envelope"})
            plain = members["plain"]
            if not isinstance(plain, Mapping):
                return None
            signed = members.get("envelope")
            return Begun(
                plain={name: str(text) for name, text in plain.items()},
                envelope=None if signed is None else envelope_from_json(signed),
            )
        except (OSError, MalformedError):
            return None

    @property
    def _note(self) -> Path:
        return self.folder / "begun.json"


class Hashing:
    """Hashes what goes through it on its way to another sink, if there is one."""

    def __init__(self, sink: ArchiveSink | None = None) -> None:
        """Pass on to `sink`."""
        self._sink, self._hash = sink, hashlib.sha256()

    def write(self, data: bytes, /) -> int:
        """Take the next bytes."""
        self._hash.update(data)
        return len(data) if self._sink is None else self._sink.write(data)

    def digest(self) -> str:
        """Return the SHA-256 of all of them."""
        return as_digest(self._hash.digest())


def file_of(sealed: str) -> str:
    """Return the name of the file of a sealed component or document."""
    return f"{sealed}.age"


@contextmanager
def working_in(folder: Path) -> Generator[Work]:
    """Give a folder for sealed files, which no other process uses meanwhile; it is removed if nothing stays.

    Raises:
        WorkUnderWayError: Another command works in it.
        WorkFolderExposedError: It was there before, and others may change what is in it.
    """
    make_private(folder)
    if (fault := ownership_fault(folder)) is not None:
        raise WorkFolderExposedError(f"{folder} {fault}", folder=str(folder))
    with _opened(folder.with_name(folder.name + ".lock")) as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise WorkUnderWayError("another command works there", folder=str(folder)) from None
        try:
            yield Work(folder=folder)
        finally:
            if not (folder / "begun.json").exists():
                shutil.rmtree(folder, ignore_errors=True)


def _opened(lock: Path) -> BinaryIO:
    """Open a lock file, but follow no link to one: others may write to the folder that it is in."""
    try:
        return open_lock(lock)
    except OSError as error:
        raise unwritable(lock, error) from error
