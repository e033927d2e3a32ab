"""When a log is not the one that was verified before: in what it differs, and believing it all the same.

An older copy of a database may have to take the newer one's place, and what came after the copy is gone. The
parties agree to go on with the older log, and each of them accepts it here, once they know what is missing.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from tallystick.crypto.envelope import Envelope, body_of, statement_id
from tallystick.crypto.json.base64 import base64_text
from tallystick.crypto.log.merkle import Frontier
from tallystick.desk.desk import Desk
from tallystick.desk.kept.pins import PinnedLog, changing_pins, read_pins
from tallystick.desk.logs.reading import LogRead, read_log
from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.amounts import counted
from tallystick.domain.codec import instant_text
from tallystick.domain.errors import TallystickError
from tallystick.domain.ids import AgreementId, Digest, as_digest
from tallystick.domain.json import JsonObject
from tallystick.durable import create_durably
from tallystick.proof.contradiction import FORMAT, TwoCheckpoints, contradiction_bytes
from tallystick.proof.reading import kind_read

_NEVER: Final = datetime.min.replace(tzinfo=UTC)


class LogMovedMeanwhileError(TallystickError):
    """Another command of the same key verified the log while the question stood."""

    code = "log-moved-meanwhile"
    why = "What was shown and accepted is no longer what differs."
    advice = "Run the command again, and read what it shows."
    retryable = True


@dataclass(frozen=True, slots=True, kw_only=True)
class LogDifference:
    """The log that was verified before, and the log as it is.

    Attributes:
        agreeing: How many entries at the beginning are certainly the same; there may be a few more.
        gone: Statements of this person that were recorded, and are not in the log.
        leaves: The leaf hashes of the log as it is, one after the other.
    """

    agreement: AgreementId
    before: PinnedLog
    now: LogRead
    agreeing: int
    gone: tuple[Envelope, ...]
    leaves: bytes

    @property
    def extends(self) -> bool:
        """Whether the log only continues what was verified: then there is nothing to accept."""
        return self.agreeing == self.before.size

    @property
    def root(self) -> Digest:
        """Return the root of the log as it is."""
        return as_digest(self.now.tree.root())

    def told(self) -> JsonObject:
        """Return the difference for programs."""
        return {
            "agreement": self.agreement,
            "agreeing": self.agreeing,
            "extends": self.extends,
            "gone": [statement_id(envelope) for envelope in self.gone],
            "root": self.root,
            "root_before": as_digest(self.before.tree.root()),
            "size": self.now.tree.size,
            "size_before": self.before.size,
            "verified_at": instant_text(self.before.verified_at),
        }

    def lines(self) -> Iterator[str]:
        """Say in plain words what differs."""
        yield f"you verified {_entries(self.before.size)} on {instant_text(self.before.verified_at)}"
        yield f"             root {as_digest(self.before.tree.root())}"
        yield f"the log has  {_entries(self.now.tree.size)}"
        yield f"             root {self.root}"
        yield f"{_wherein(self)}: the first {_entries(self.agreeing)} are surely those that you verified"
        yield f"statements of yours that the log has lost: {len(self.gone) or 'none that is kept here'}"
        yield from map(_statement_line, self.gone)


def compare(desk: Desk, agreement: Agreement) -> LogDifference:
    """Return in what the log that the server shows differs from the one that was verified before.

    Raises:
        LedgerInconsistentError: The log contradicts its own checkpoint: no such log is accepted.
        TallystickError: The server refused or did not answer.
    """
    nothing = PinnedLog(size=0, edge=(), note="", verified_at=_NEVER)
    before = read_pins(desk.trust_file).logs.get(agreement.id, nothing)
    beginnings = tuple(_beginnings(before.tree))
    mine = {statement_id(kept): kept for kept in desk.unsent.sent.statements() if _under(kept, agreement)}
    leaves = bytearray()

    def take(envelope: Envelope | None, leaf: bytes) -> None:
        if envelope is not None:
            mine.pop(statement_id(envelope), None)
        leaves.extend(leaf)

    now = read_log(desk, agreement, sizes={tree.size for tree in beginnings}, take=take)
    return LogDifference(
        agreement=agreement.id,
        before=before,
        now=now,
        agreeing=max(tree.size for tree in beginnings if now.begins_with(tree)),
        gone=tuple(mine.values()),
        leaves=bytes(leaves),
    )


def accept(desk: Desk, difference: LogDifference, at: datetime) -> Path | None:
    """Believe the log as it is from now on; return the file that has both signed checkpoints.

    There is no file if the log only continues what was verified before.

    Raises:
        LogMovedMeanwhileError: What was verified is no longer what was compared.
        OSError: A file could not be written.
    """
    with changing_pins(desk.trust_file) as pins:
        if pins.pins.logs.get(difference.agreement, difference.before) != difference.before:
            raise LogMovedMeanwhileError("another command verified the log", agreement=difference.agreement)
        proof = None if difference.extends else _kept(desk, difference, at)
        pins.pin_log(difference.agreement, difference.now.pinned(at))
    return proof


def _kept(desk: Desk, difference: LogDifference, at: datetime) -> Path:
    two = TwoCheckpoints(
        format=FORMAT,
        agreement=difference.agreement,
        before=difference.before.note,
        before_at=difference.before.verified_at,
        now=difference.now.note.decode(),
        now_at=at,
        leaves=base64_text(difference.leaves),
    )
    moment = f"{at:%Y%m%dT%H%M%SZ}"
    file = desk.trust_file.with_name(f"{desk.trust_file.name}.{difference.agreement}.{moment}.json")
    create_durably(file, contradiction_bytes(two))
    return file


def _beginnings(tree: Frontier) -> Iterator[Frontier]:
    """Yield the empty tree, and those over its largest perfect subtree, its two largest, and so on."""
    for place in range(len(tree.hashes) + 1):
        levels = [level for level in reversed(range(tree.size.bit_length())) if tree.size >> level & 1]
        yield Frontier(sum(1 << level for level in levels[:place]), tree.hashes[:place])


def _under(envelope: Envelope, agreement: Agreement) -> bool:
    return body_of(envelope).get("agreement") == agreement.id


def _wherein(difference: LogDifference) -> str:
    if difference.extends:
        return "it continues what you verified"
    if difference.now.tree.size < difference.before.size:
        return f"it is shorter by {_entries(difference.before.size - difference.now.tree.size)}"
    return "it has other entries"


def _statement_line(envelope: Envelope) -> str:
    body = body_of(envelope)
    about = f" about {body['claim']}" if "claim" in body else ""
    return f"  {kind_read(envelope).value} of {body.get('issued_at')}{about}: {statement_id(envelope)}"


def _entries(size: int) -> str:
    return counted(size, "entry", "entries")
