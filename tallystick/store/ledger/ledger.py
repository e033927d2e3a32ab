"""The ledger: one append-only log for each agreement, row and leaf in one transaction.

An entry is a signed envelope with the time of its acceptance; its index is its position in
the log, without gaps. What an entry is and by which names it is found are in `entry`;
checkpoints, proofs and the audit in `checkpoints`.
"""

from collections.abc import Collection
from dataclasses import asdict
from datetime import UTC, datetime
from functools import cache
from typing import Final

from sqlalchemy import Select, bindparam, insert, update
from sqlalchemy import select as columns
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, func, select

from tallystick.crypto.envelope import (
    Envelope,
    check_signatures_kept,
    envelope_bytes,
)
from tallystick.crypto.hints import check_named
from tallystick.crypto.log.leaf import new_salt
from tallystick.crypto.log.merkle import HASH_SIZE_BYTES, Frontier, LogRangeError
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
from tallystick.store.ledger.entry import COLUMNS, LedgerEntry, Stored, entry_of, names_of

_FILTERS: Final = {
    "agreement": col(EntryRow.agreement_id) == bindparam("agreement"),
    "claim": col(EntryRow.claim) == bindparam("claim"),
    "kinds": col(EntryRow.kind).in_(bindparam("kinds", expanding=True)),
    "unclaimed": col(EntryRow.claim).is_(None),
    "causes": col(EntryRow.cause).in_(bindparam("causes", expanding=True)),
    "after": col(EntryRow.index) > bindparam("after"),
}
"""What `entries` and `places` select by, under the names of their parameters."""

# Statements are built once: to build one takes several times as long as to execute it.
_BY_STATEMENT: Final = columns(*COLUMNS).where(
    _FILTERS["agreement"], col(EntryRow.statement_id) == bindparam("statement")
)
_WITH_KIND: Final = (
    columns(col(EntryRow.agreement_id))
    .where(col(EntryRow.agreement_id).in_(bindparam("among", expanding=True)))
    .where(col(EntryRow.kind) == bindparam("kind"))
    .distinct()
)
_DECIDED: Final = (
    columns(*COLUMNS)
    .where(col(EntryRow.agreement_id) == col(DecisionRow.agreement_id))
    .where(col(EntryRow.index) == col(DecisionRow.entry_index))
    .where(col(DecisionRow.claim) == bindparam("claim"), col(DecisionRow.stage) == bindparam("stage"))
)
_RELEASING: Final = (
    columns(*COLUMNS)
    .where(col(EntryRow.agreement_id) == col(DecisionRow.agreement_id))
    .where(col(EntryRow.index) == col(DecisionRow.entry_index))
    .where(col(DecisionRow.agreement_id) == bindparam("agreement"))
    .order_by(col(EntryRow.index))
)
_LOG: Final = columns(col(LogRow.size), col(LogRow.frontier)).where(
    col(LogRow.agreement_id) == bindparam("agreement")
)
_LOG_TO_GROW: Final = _LOG.with_for_update()
_ADD_ENTRY: Final = insert(EntryRow)
_ADD_LOG: Final = insert(LogRow)
_GROW_LOG: Final = (
    update(LogRow)
    .where(col(LogRow.agreement_id) == bindparam("log"))
    .values(size=bindparam("size"), frontier=bindparam("frontier"))
)


class TooEarlyError(TallystickError):
    """An entry that may not be made yet, by the database's clock."""

    code = "too-early"
    why = "A window or a wait is over only when the clocks of workflow, database and gate agree."
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
        SignatureUnnamedError: A signature does not name its key.
        TooEarlyError: The database's clock says that `not_before` has not come.
    """
    names = names_of(envelope)
    assert claim == names.claim, "an entry is filed under the claim that its statement names"
    assert decision == names.decision, "an entry decides what its statement decides"
    before = frontier_of(session, agreement_id, to_grow=True)
    if present := entry_by_statement(session, agreement_id, names.statement_id):
        check_signatures_kept(envelope, present.statement())
        return present
    check_named(envelope)
    _check_undecided(session, decision)
    _check_time(session, not_before)
    entry = LedgerEntry(
        agreement_id=agreement_id,
        index=before.size,
        accepted_at=accepted_at.astimezone(UTC).replace(microsecond=0),
        kind=names.kind,
        statement_id=names.statement_id,
        claim=names.claim,
        cause=names.cause,
        envelope=envelope_bytes(envelope),
        salt=new_salt(),
    )
    _write(session, entry, before)
    if decision is not None:
        _write_decision(session, entry, *decision)
    return entry


def entries(
    session: Session,
    agreement_id: AgreementId,
    *,
    claim: Digest | None = None,
    unclaimed: bool | None = None,
    kinds: Collection[str] | None = None,
    causes: Collection[Digest] | None = None,
    after: int | None = None,
    limit: int | None = None,
) -> list[LedgerEntry]:
    """Return entries in ledger order: all, or those that pass every filter given.

    `claim` selects that claim's entries, `unclaimed=True` those about no claim, and `causes` the events
    about no claim that follow from one of them; `after` is an index, and selects later entries. `limit`
    bounds their number.
    """
    caused = None if causes is None else list(causes)
    wanted = _given(agreement_id, claim=claim, unclaimed=unclaimed, kinds=kinds, causes=caused, after=after)
    query = _selected(frozenset(wanted))
    rows = session.connection().execute(query if limit is None else query.limit(limit), wanted)
    return [entry_of(row) for row in rows]


def places(
    session: Session, agreement_id: AgreementId, *, kinds: Collection[str], after: int | None = None
) -> list[tuple[int, str]]:
    """Return the index and kind of every statement of some kinds, without reading their envelopes."""
    wanted = _given(agreement_id, kinds=kinds, after=after)
    rows = session.connection().execute(_places(frozenset(wanted)), wanted)
    return [(index, kind) for index, kind in rows]


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
    wanted = {"agreement": agreement_id, "statement": statement}
    row = session.connection().execute(_BY_STATEMENT, wanted).first()
    return None if row is None else entry_of(row)


def named_entry(session: Session, agreement_id: AgreementId, statement: Digest) -> LedgerEntry:
    """Return the entry of a statement that a row names; if there is none, the database was damaged."""
    if (entry := entry_by_statement(session, agreement_id, statement)) is None:
        raise LedgerCorruptError("a row names a statement that is not on record", statement=statement)
    return entry


def agreements_with(session: Session, kind: str, among: Collection[AgreementId]) -> frozenset[AgreementId]:
    """Return which of some agreements have a statement of `kind` on record, by one query."""
    names = session.connection().execute(_WITH_KIND, {"among": list(among), "kind": kind}).scalars()
    return frozenset(map(AgreementId, names))


def decision_entry(session: Session, claim: Digest, stage: StageId) -> LedgerEntry | None:
    """Return the decision that released `stage` of `claim`, if it was made."""
    row = session.connection().execute(_DECIDED, {"claim": claim, "stage": stage}).first()
    return None if row is None else entry_of(row)


def releasing(session: Session, agreement_id: AgreementId) -> list[LedgerEntry]:
    """Return the decisions under an agreement that released something, in ledger order."""
    rows = session.connection().execute(_RELEASING, {"agreement": agreement_id})
    return [entry_of(row) for row in rows]


def frontier_of(session: Session, agreement_id: AgreementId, *, to_grow: bool = False) -> Frontier:
    """Return the log as it stands: its size and root.

    Args:
        to_grow: Hold the row until the transaction ends.

    Raises:
        LedgerCorruptError: The row was damaged.
    """
    query = _LOG_TO_GROW if to_grow else _LOG
    log = session.connection().execute(query, {"agreement": agreement_id}).first()
    return Frontier() if log is None else stored_frontier(*log)


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


def _given(
    agreement_id: AgreementId, *, kinds: Collection[str] | None, **asked: str | int | list[Digest] | None
) -> dict[str, object]:
    """Return the values of the filters that were given, by name."""
    words = None if kinds is None else [str(kind) for kind in kinds]
    given = {"agreement": agreement_id, "kinds": words, **asked}
    return {name: value for name, value in given.items() if value is not None}


@cache
def _selected(filters: frozenset[str]) -> Select[*Stored]:
    query = columns(*COLUMNS).where(*(_FILTERS[name] for name in sorted(filters)))
    return query.order_by(col(EntryRow.index))


@cache
def _places(filters: frozenset[str]) -> Select[int, str]:
    return _selected(filters).with_only_columns(col(EntryRow.index), col(EntryRow.kind))


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


def _write(session: Session, entry: LedgerEntry, before: Frontier) -> None:
    leaf = entry.leaf()
    nodes, grown = before.completed_by(leaf), before.append(leaf)
    log = {
        "log": entry.agreement_id,
        "agreement_id": entry.agreement_id,
        "size": grown.size,
        "frontier": b"".join(grown.hashes),
    }
    database = session.connection()
    try:
        database.execute(_ADD_ENTRY, {**asdict(entry), "node_hashes": b"".join(nodes)})
        database.execute(_GROW_LOG if before.size else _ADD_LOG, log)
    except IntegrityError as error:
        # Writers take turns, so only an altered row can be where this entry belongs.
        raise LedgerCorruptError("the log's size does not fit its entries", index=entry.index) from error


def _write_decision(session: Session, entry: LedgerEntry, claim: Digest, stage: StageId) -> None:
    decided = DecisionRow(claim=claim, stage=stage, agreement_id=entry.agreement_id, entry_index=entry.index)
    session.add(decided)
    session.flush()
