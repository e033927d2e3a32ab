"""The trust file next to a key: which agreements and logs its owner believes. It needs a key's care.

Anyone who can change it decides whom the owner believes, so only the owner may change it. It is read
strictly, and only one command at a time changes it.
"""

import errno
import fcntl
import os
import stat
from collections.abc import Generator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Final

from tallystick.crypto.json.canonical import canonical_bytes, parse
from tallystick.crypto.json.members import UnexpectedShapeError, members_of, text_of
from tallystick.crypto.log.merkle import Frontier
from tallystick.domain.codec import Prose, decode, encode_object
from tallystick.domain.errors import TallystickError
from tallystick.domain.ids import AgreementId, Digest, digest, name
from tallystick.domain.json import JsonObject, JsonValue
from tallystick.durable import write_durably
from tallystick.limits.desk import TRUST_FILE_BYTES_MAX
from tallystick.regular import OTHERS_WRITE, NotRegularError, open_lock, place_fault, read_with_facts

_FORMAT: Final = "tallystick.trust/v1"
_ROOT: Final = 0
_NO_FILE: Final = frozenset({errno.ELOOP, errno.EINVAL, errno.EISDIR, errno.ENXIO})
"""What opening a link, or something else than a file, ends with."""


class TrustFileExposedError(TallystickError):
    """A trust file that others may change, or that is no file."""

    code = "trust-file-exposed"
    why = "Anyone who can change the trust file decides which agreement and which log you believe."
    advice = (
        "Compare what it pins with the other parties, then run `chmod 600` on it. If it is a link, put the "
        "file itself in its place; if it is another user's, or lies where others may write, move your key "
        "to a folder of your own."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PinnedLog:
    """The longest checkpoint of a log that was verified.

    Attributes:
        size: How many entries it had.
        edge: The roots of its perfect subtrees, largest first, in hexadecimal.
        note: The signed checkpoint, as the server gave it: what the log key can be held to.
        verified_at: When it was verified, by this machine's clock.
    """

    size: int
    edge: tuple[str, ...]
    note: Prose
    verified_at: datetime

    @property
    def tree(self) -> Frontier:
        """Return the tree that was verified.

        Raises:
            MalformedError: No log has such a size and edge.
        """
        try:
            return Frontier(self.size, tuple(map(bytes.fromhex, self.edge)))
        except ValueError as error:
            raise UnexpectedShapeError("an edge is not in hexadecimal", at="/checkpoints") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Pins:
    """What is trusted: an agreement's digest, and the longest log that was seen, by agreement."""

    agreements: Mapping[str, Digest] = field(default_factory=dict[str, Digest])
    logs: Mapping[str, PinnedLog] = field(default_factory=dict[str, PinnedLog])


@dataclass(slots=True, kw_only=True)
class OpenPins:
    """The pins of a file that no other command changes meanwhile."""

    file: Path
    pins: Pins

    def pin_agreement(self, agreement: AgreementId, trusted: Digest) -> None:
        """Trust a version of an agreement from now on."""
        self._write(replace(self.pins, agreements={**self.pins.agreements, agreement: trusted}))

    def pin_log(self, agreement: AgreementId, seen: PinnedLog) -> None:
        """Remember the log of an agreement as far as it was verified."""
        self._write(replace(self.pins, logs={**self.pins.logs, agreement: seen}))

    def _write(self, pins: Pins) -> None:
        logs = {of: encode_object(log) for of, log in pins.logs.items()}
        document: JsonObject = {"agreements": dict(pins.agreements), "checkpoints": logs, "format": _FORMAT}
        write_durably(self.file, canonical_bytes(document) + b"\n")
        self.pins = pins


@contextmanager
def changing_pins(file: Path) -> Generator[OpenPins]:
    """Give the pins of a trust file, to read and to add to; another command waits meanwhile.

    Raises:
        TrustFileExposedError: Others may change it, or it is no regular file.
        MalformedError: It is not a trust file.
    """
    with ExitStack() as held:
        _lock(file.with_name(f".{file.name}.lock"), held)
        yield OpenPins(file=file, pins=read_pins(file))


def read_pins(file: Path) -> Pins:
    """Return what a trust file pins: nothing if there is no such file.

    Raises:
        TrustFileExposedError: Others may change it, or it is no regular file.
        MalformedError: It is not a trust file.
    """
    if file.is_symlink():
        raise TrustFileExposedError("the trust file is a link", file=file.name)
    if (fault := place_fault(file)) is not None:
        raise TrustFileExposedError(f"{file} {fault}", file=file.name)
    try:
        facts, content = read_with_facts(file, TRUST_FILE_BYTES_MAX)
    except FileNotFoundError:
        return Pins()
    except (NotRegularError, IsADirectoryError) as error:
        raise TrustFileExposedError(f"{file} is not a regular file", file=file.name) from error
    _check_own(facts, file)
    value = parse(content, size_bytes_max=TRUST_FILE_BYTES_MAX)
    members = members_of(value, where="", required={"agreements", "checkpoints", "format"})
    if members["format"] != _FORMAT:
        raise UnexpectedShapeError("unknown format", at="/format")
    agreements, logs = _object(members, "agreements"), _object(members, "checkpoints")
    return Pins(
        agreements={name(of): digest(text_of(agreements, of, where="/agreements")) for of in agreements},
        logs={name(of): _log(log, f"/checkpoints/{of}") for of, log in logs.items()},
    )


def _check_own(facts: os.stat_result, file: Path) -> None:
    if facts.st_uid not in {os.geteuid(), _ROOT}:
        raise TrustFileExposedError("another user owns the trust file", file=file.name, owner=facts.st_uid)
    if facts.st_mode & OTHERS_WRITE:
        raise TrustFileExposedError(
            "others may change the trust file", file=file.name, mode=f"{stat.S_IMODE(facts.st_mode):04o}"
        )


def _lock(lock: Path, held: ExitStack) -> None:
    try:
        opened = held.enter_context(open_lock(lock))
    except OSError as error:
        if error.errno in _NO_FILE:
            raise TrustFileExposedError(
                f"the trust file's lock, {lock}, is a link or no regular file", file=lock.name
            ) from error
        return  # a folder that cannot be written: nothing can be changed there anyway
    fcntl.flock(opened, fcntl.LOCK_EX)


def _object(members: JsonObject, member: str) -> JsonObject:
    value = members[member]
    if not isinstance(value, Mapping):
        raise UnexpectedShapeError("the member is not an object", at=f"/{member}")
    return value


def _log(value: JsonValue, where: str) -> PinnedLog:
    log = decode(PinnedLog, value, where)
    log.tree.root()  # refuses a size and an edge that no log has
    return log
