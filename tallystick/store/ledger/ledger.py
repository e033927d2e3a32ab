"""The ledger: one append-only log for each agreement, row and leaf in one transaction.

An entry is a signed envelope with the time of its acceptance; its index is its position in
the log, without gaps. What an entry is and by which names it is found are in `entry`;
checkpoints, proofs and the audit in `checkpoints`.
"""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import select as columns
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, func, select

from tallystick.crypto.envelope import (
    Envelope,
    check_signatures_kept,
    envelope_bytes,
)
from tallystick.crypto.log.leaf import leaf_bytes, new_salt
from tallystick.crypto.log.merkle import HASH_SIZE_BYTES, Frontier, LogRangeError, leaf_hash
from tallystick.domain.codec import instant_text
from tallystick.domain.errors import TallystickError
from tallystick.domain.ids import AgreementId, Digest, StageId
from tallystick.store.damage import LedgerCorruptError
from tallystick.store.database.session import database_now
from tallystick.store.database.tables import (
    DecisionRow,
    EntryRow,
    LogRow,
)
from tallystick.store.ledger.entry import LedgerEntry, Names, entry_of, names_of

_COLUMNS: Final = columns(
    col(EntryRow.agreement_id),
    col(EntryRow.index),
    col(EntryRow.accepted_at),
    col(EntryRow.kind),
    col(EntryRow.statement_id),
    col(EntryRow.claim),
    col(EntryRow.envelope),
    col(EntryRow.salt),
)
"""What an entry is read from: as rows, not as mapped objects, because each look at a claim reads many."""


class TooEarlyError(TallystickError):
    """An entry that may not be made yet, by the database's clock."""

    code = "too-early"
    why = "A window is over only when the workflow's timer, the database's clock and the gate's clock agree."
    advice = "Try again at `not_before`; if the clocks differ by more than seconds, correct them."
    retryable = True


class DecisionExistsError(TallystickError):
    """A second decision on a stage of a claim.

    Attributes:
        entry: The first decision, which counts.
    """

    code = "decision-exists"
    why = "A stage of a claim is decided once, for ever."
    advice = "Read the decision that was made; after a crash, act on that one."

    def __init__(self, message: str, /, *, entry: LedgerEntry) -> None:
        super().__init__(message, index=entry.index, statement=entry.statement_id)
        self.entry = entry


def append(
    session: Session,
    agreement_id: AgreementId,
    envelope: Envelope,
    accepted_at: datetime,
    *,
    claim: Digest | None,
    decision: tuple[Digest, StageId] | None = None,
    not_before: datetime | None = None,
) -> LedgerEntry:
    """Append a verified statement, in the caller's transaction; sent again, it is recorded once.

    `claim` must be what the statement names (its own digest for a claim), and
    `decision` what a releasing decision decides: both are asserted.

    Raises:
        DecisionExistsError: Another statement decided this stage; the error carries it.
        SignatureNotRecordedError: It is on record, without a signature that is sent now.
        TooEarlyError: The database's clock says that `not_before` has not come.
    """
    names = names_of(envelope)
    assert claim == names.claim, "an entry is filed under the claim that its statement names"
    assert decision == names.decision, "an entry decides what its statement decides"
    log = session.get(LogRow, agreement_id, with_for_update=True) or LogRow(
        agreement_id=agreement_id, size=0, frontier=b""
    )
    if present := entry_by_statement(session, agreement_id, names.statement_id):
        check_signatures_kept(envelope, present.statement())
        return present
    _check_undecided(session, decision)
    _check_time(session, not_before)
    at = accepted_at.astimezone(UTC).replace(microsecond=0)
    return _write(session, log, names, at, envelope_bytes(envelope))


def entries(
    session: Session,
    agreement_id: AgreementId,
    *,
    claim: Digest | None = None,
    kinds: Collection[str] | None = None,
    after: int | None = None,
    limit: int | None = None,
) -> list[LedgerEntry]:
    """Return entries in ledger order: all, or those that pass every filter given.

    `claim` selects that claim's entries; `after` is an index, and selects later entries. `limit` bounds
    their number.
    """
    query = _COLUMNS.where(col(EntryRow.agreement_id) == agreement_id)
    if claim is not None:
        query = query.where(col(EntryRow.claim) == claim)
    if kinds is not None:
        query = query.where(col(EntryRow.kind).in_([str(kind) for kind in kinds]))
    if after is not None:
        query = query.where(col(EntryRow.index) > after)
    rows = session.connection().execute(query.order_by(col(EntryRow.index)).limit(limit))
    return [
        LedgerEntry(
            agreement_id=AgreementId(log),
            index=index,
            accepted_at=accepted_at,
            kind=kind,
            statement_id=Digest(statement),
            claim=None if about is None else Digest(about),
            envelope=envelope,
            salt=salt,
        )
        for log, index, accepted_at, kind, statement, about, envelope, salt in rows
    ]


def places(
    session: Session, agreement_id: AgreementId, *, kinds: Collection[str], after: int | None = None
) -> list[tuple[int, str]]:
    """Return the index and kind of every statement of some kinds, without reading their envelopes."""
    query = select(EntryRow.index, EntryRow.kind).where(
        col(EntryRow.agreement_id) == agreement_id, col(EntryRow.kind).in_([str(kind) for kind in kinds])
    )
    if after is not None:
        query = query.where(col(EntryRow.index) > after)
    return [(index, kind) for index, kind in session.exec(query.order_by(col(EntryRow.index)))]


def sizes(session: Session, agreement_ids: Collection[AgreementId]) -> dict[AgreementId, int]:
    """Return how many entries these agreements' logs have: until one has more, they say the same."""
    query = select(LogRow.agreement_id, LogRow.size).where(col(LogRow.agreement_id).in_(list(agreement_ids)))
    return {AgreementId(name): size for name, size in session.exec(query)}


def heads(session: Session) -> dict[Digest, int]:
    """Return the index of each claim's latest entry."""
    query = select(EntryRow.claim, func.max(col(EntryRow.index))).where(col(EntryRow.claim).is_not(None))
    latest = session.exec(query.group_by(col(EntryRow.claim)))
    return {Digest(claim): index for claim, index in latest if claim is not None}


def entry_by_statement(session: Session, agreement_id: AgreementId, statement: Digest) -> LedgerEntry | None:
    """Return the entry of `statement`, if it is on record."""
    query = select(EntryRow).where(
        col(EntryRow.agreement_id) == agreement_id, col(EntryRow.statement_id) == statement
    )
    row = session.exec(query).first()
    return None if row is None else entry_of(row)


def named_entry(session: Session, agreement_id: AgreementId, statement: Digest) -> LedgerEntry:
    """Return the entry of a statement that a row names; if there is none, the database was damaged."""
    if (entry := entry_by_statement(session, agreement_id, statement)) is None:
        raise LedgerCorruptError("a row names a statement that is not on record", statement=statement)
    return entry


def agreements_with(session: Session, kind: str, among: Collection[AgreementId]) -> frozenset[AgreementId]:
    """Return which of some agreements have a statement of `kind` on record, by one query."""
    query = (
        select(EntryRow.agreement_id)
        .where(col(EntryRow.agreement_id).in_(list(among)), col(EntryRow.kind) == kind)
        .distinct()
    )
    return frozenset(AgreementId(name) for name in session.exec(query))


def decision_entry(session: Session, claim: Digest, stage: StageId) -> LedgerEntry | None:
    """Return the decision that released `stage` of `claim`, if it was made."""
    decided = session.get(DecisionRow, (claim, stage))
    if decided is None:
        return None
    row = session.get(EntryRow, (decided.agreement_id, decided.entry_index))
    assert row is not None, "a decision points to its entry (a foreign key makes sure)"
    return entry_of(row)


def frontier_of(session: Session, agreement_id: AgreementId) -> Frontier:
    """Return the log as it stands: its size and root."""
    log = session.get(LogRow, agreement_id)
    return Frontier() if log is None else stored_frontier(log.size, log.frontier)


def stored_frontier(size: int, stored: bytes) -> Frontier:
    """Return the frontier that a row holds: hashes of 32 bytes, one after the other.

    Raises:
        LedgerCorruptError: The row was damaged.
    """
    starts = range(0, len(stored), HASH_SIZE_BYTES)
    try:
        return Frontier(size, tuple(stored[start : start + HASH_SIZE_BYTES] for start in starts))
    except LogRangeError as error:
        raise LedgerCorruptError("the stored tree is damaged", index=size) from error


def _check_undecided(session: Session, decision: tuple[Digest, StageId] | None) -> None:
    if decision is not None and (decided := decision_entry(session, *decision)) is not None:
        raise DecisionExistsError("this stage was decided before", entry=decided)


def _check_time(session: Session, not_before: datetime | None) -> None:
    if not_before is not None and (now := database_now(session)) < not_before:
        raise TooEarlyError(
            "it is too early by the database's clock",
            not_before=instant_text(not_before),
            now=instant_text(now),
        )


def _write(session: Session, log: LogRow, names: Names, at: datetime, envelope: bytes) -> LedgerEntry:
    salt, index = new_salt(), log.size
    leaf = leaf_hash(leaf_bytes(accepted_at=at, envelope=envelope, salt=salt))
    tree = stored_frontier(log.size, log.frontier)
    grown = tree.append(leaf)
    row = EntryRow(
        agreement_id=log.agreement_id,
        index=index,
        accepted_at=at,
        kind=names.kind,
        statement_id=names.statement_id,
        claim=names.claim,
        node_hashes=b"".join(tree.completed_by(leaf)),
        salt=salt,
        envelope=envelope,
    )
    log.size, log.frontier = grown.size, b"".join(grown.hashes)
    session.add_all([row, log, *_decisions(names, row)])
    try:
        session.flush()
    except IntegrityError as error:
        # Writers take turns, so only an altered row can be where this entry belongs.
        raise LedgerCorruptError("the log's size does not fit its entries", index=index) from error
    return entry_of(row)


def _decisions(names: Names, row: EntryRow) -> Sequence[DecisionRow]:
    if names.decision is None:
        return ()
    claim, stage = names.decision
    return [DecisionRow(claim=claim, stage=stage, agreement_id=row.agreement_id, entry_index=row.index)]
