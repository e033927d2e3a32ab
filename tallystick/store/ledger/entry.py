"""One entry of a ledger: a statement as it is recorded, and the names that it is found by.

The names are derived from the signed bytes, never taken from the caller.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, TypeAlias, TypeVar

from sqlalchemy import String, type_coerce
from sqlmodel import col

from tallystick.crypto.envelope import Envelope, body_of, kind_of, parse_envelope, statement_id
from tallystick.crypto.log.leaf import leaf_bytes
from tallystick.crypto.log.merkle import leaf_hash
from tallystick.domain.codec import decode, instant
from tallystick.domain.errors import TallystickError
from tallystick.domain.ids import AgreementId, Digest, StageId
from tallystick.domain.kinds import Kind
from tallystick.domain.statements.signed import Body
from tallystick.limits.documents import AGREEMENT_SIZE_BYTES_MAX
from tallystick.store.damage import LedgerCorruptError, as_written
from tallystick.store.database.tables import EntryRow

B = TypeVar("B", bound=Body)


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerEntry:
    """A statement as it is recorded in the ledger.

    Attributes:
        claim: The claim it is about; None for what concerns the whole agreement.
        cause: What an event about no claim follows from, such as a deposit; None for all else.
        envelope: The canonical envelope, signatures included.
        salt: The 32 bytes that hide the envelope in its leaf.
    """

    agreement_id: AgreementId
    index: int
    accepted_at: datetime
    kind: str
    statement_id: Digest
    claim: Digest | None
    cause: Digest | None
    envelope: bytes
    salt: bytes

    def statement(self) -> Envelope:
        """Return the envelope, parsed, with a body that can be read; the caller verifies its signatures.

        Raises:
            LedgerCorruptError: The stored bytes were altered, or are another statement's.
        """
        with as_written(self.index):
            envelope = parse_envelope(self.envelope, body_size_bytes_max=AGREEMENT_SIZE_BYTES_MAX)
            body_of(envelope)
        if statement_id(envelope) != self.statement_id:
            raise LedgerCorruptError("a row has another statement than it names", index=self.index)
        return envelope

    def says(self, form: type[B]) -> B:
        """Return what the statement says; it was verified before it was recorded.

        Raises:
            LedgerCorruptError: The stored bytes were altered.
        """
        with as_written(self.index):
            return decode(form, body_of(self.statement()))

    def leaf(self) -> bytes:
        """Return the 32-byte leaf hash of these bytes."""
        return leaf_hash(leaf_bytes(accepted_at=self.accepted_at, envelope=self.envelope, salt=self.salt))


Stored: TypeAlias = tuple[str, int, str, str, str, str | None, str | None, bytes, bytes]
_NO_MOMENT: Final = datetime.min.replace(tzinfo=UTC)
"""When an entry was accepted whose time is damaged: nobody reads it, because it has no statement."""
COLUMNS: Final = (
    col(EntryRow.agreement_id),
    col(EntryRow.index),
    type_coerce(col(EntryRow.accepted_at), String),  # read row by row: one that is damaged hides no other
    col(EntryRow.kind),
    col(EntryRow.statement_id),
    col(EntryRow.claim),
    col(EntryRow.cause),
    col(EntryRow.envelope),
    col(EntryRow.salt),
)
"""What an entry is read from: rows, not mapped objects, because each look at a claim reads many."""


def entry_of(row: Stored) -> LedgerEntry:
    """Return the entry that a row of `COLUMNS` holds; one with a damaged value has no statement any more."""
    agreement_id, index, accepted_at, kind, statement, claim, cause, envelope, salt = row
    at, stored = _moment(accepted_at), (b"", b"")
    if at is not None and _are_bytes(envelope, salt):
        stored = envelope, salt
    return LedgerEntry(
        agreement_id=AgreementId(agreement_id),
        index=index,
        accepted_at=at or _NO_MOMENT,
        kind=kind,
        statement_id=Digest(statement),
        claim=None if claim is None else Digest(claim),
        cause=None if cause is None else Digest(cause),
        envelope=stored[0],
        salt=stored[1],
    )


def _are_bytes(*stored: object) -> bool:
    return all(isinstance(value, bytes) for value in stored)  # SQLite keeps a value of any type anywhere


def _moment(stored: str) -> datetime | None:
    try:
        return instant(stored)
    except (TallystickError, TypeError):  # SQLite keeps a value of any type in any column
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """What an entry is found by, as its signed bytes say.

    Attributes:
        decision: The claim and stage that the statement releases; None if it releases nothing.
    """

    kind: str
    statement_id: Digest
    claim: Digest | None
    cause: Digest | None
    decision: tuple[Digest, StageId] | None


def names_of(envelope: Envelope) -> Names:
    """Return the names that `envelope` is found by.

    Raises:
        MalformedError: Not a statement's envelope.
    """
    kind, own, body = kind_of(envelope), statement_id(envelope), body_of(envelope)
    claim = own if kind == Kind.CLAIM else body.get("claim")
    stage = body.get("stage")
    named = Digest(claim) if isinstance(claim, str) else None
    decides = kind == Kind.DECISION and body.get("released") is True
    decision = (named, StageId(stage)) if decides and named and isinstance(stage, str) else None
    cause = body.get("cause") if kind == Kind.EVENT and claim is None else None
    caused_by = Digest(cause) if isinstance(cause, str) else None
    return Names(kind=kind, statement_id=own, claim=named, cause=caused_by, decision=decision)
