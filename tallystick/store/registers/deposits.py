"""Deposits, looked up over the ledger by number and by digest."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Final, cast

from sqlalchemy import select as columns
from sqlalchemy.orm import InstrumentedAttribute, defer
from sqlmodel import Session, col, select

from tallystick.crypto.envelope import Envelope, body_of, check_signatures_kept, kind_of, statement_id
from tallystick.domain.codec import decode
from tallystick.domain.deposit.pace import EarlierDeposit, named_bytes
from tallystick.domain.deposit.provenance import chain_fault
from tallystick.domain.errors import TallystickError
from tallystick.domain.ids import AgreementId, Digest, PersonId
from tallystick.domain.kinds import Kind
from tallystick.domain.statements.deposits import Deposit
from tallystick.limits.storage import DEPOSITS_READ_MAX
from tallystick.store.damage import unless_damaged
from tallystick.store.database.tables import DepositRow
from tallystick.store.ledger.entry import LedgerEntry
from tallystick.store.ledger.ledger import append, named_entry

_ACCEPTED_AT = cast("InstrumentedAttribute[datetime]", DepositRow.accepted_at)
_UNTIMED: Final = defer(_ACCEPTED_AT)
"""A time that is damaged would hide every row that is read with it."""


class DepositOutOfOrderError(TallystickError):
    """A deposit that does not follow the one before it."""

    code = "deposit-out-of-order"
    why = "Deposits are numbered 1, 2, 3 … without a gap, and each names the one before."
    advice = "List the deposits, and sign again with the next number and the last deposit's digest."


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredDeposit:
    """A deposit: its number under the agreement, and the entry of its statement."""

    agreement_id: AgreementId
    number: int
    digest: Digest
    entry: LedgerEntry

    def body(self) -> Deposit:
        """Return what the deposit says; it was verified before it was recorded.

        Raises:
            LedgerCorruptError: The stored bytes were altered.
        """
        return self.entry.says(Deposit)


@dataclass(frozen=True, slots=True, kw_only=True)
class DepositPage:
    """Some deposits of an agreement, newest first.

    Attributes:
        unreadable: The numbers of those whose record is damaged.
        before: The next page has the deposits with lower numbers than this; None if this is the last.
    """

    deposits: Sequence[StoredDeposit]
    unreadable: Sequence[int]
    before: int | None


def record(
    session: Session, envelope: Envelope, accepted_at: datetime, *, not_before: datetime | None = None
) -> StoredDeposit:
    """Record a verified deposit statement under its own number; harmless if repeated.

    Raises:
        MalformedError: Not a deposit's statement.
        DepositOutOfOrderError: Not the next number, or it names another deposit as the one before.
        TooEarlyError: As `append`.
    """
    assert kind_of(envelope) == Kind.DEPOSIT, "only a deposit is recorded as one"
    deposit = decode(Deposit, body_of(envelope))
    digest = statement_id(envelope)
    present = by_number(session, deposit.agreement, deposit.number)
    if present is not None and present.digest == digest:
        check_signatures_kept(envelope, present.entry.statement())
        return present
    before = latest(session, deposit.agreement)
    fault = chain_fault(deposit, None if before is None else (before.digest, before.body()))
    if fault is not None:
        raise DepositOutOfOrderError(fault, number=deposit.number)
    entry = append(session, deposit.agreement, envelope, accepted_at, claim=None, not_before=not_before)
    row = DepositRow(
        agreement_id=deposit.agreement,
        number=deposit.number,
        digest=digest,
        accepted_at=entry.accepted_at,
        person=deposit.person,
        size_bytes=named_bytes(deposit),
    )
    session.add(row)
    session.flush()
    return _deposit(row.number, entry)


def by_number(session: Session, agreement_id: AgreementId, number: int) -> StoredDeposit | None:
    """Return deposit `number` of an agreement."""
    row = session.get(DepositRow, (agreement_id, number))
    return (
        None if row is None else _deposit(row.number, named_entry(session, agreement_id, Digest(row.digest)))
    )


def by_digest(session: Session, agreement_id: AgreementId, digest: Digest) -> StoredDeposit | None:
    """Return the deposit that a claim names as `digest`."""
    query = select(DepositRow).where(
        col(DepositRow.agreement_id) == agreement_id, col(DepositRow.digest) == digest
    )
    row = session.exec(query).first()
    return None if row is None else _deposit(row.number, named_entry(session, agreement_id, digest))


def latest(session: Session, agreement_id: AgreementId) -> StoredDeposit | None:
    """Return the newest deposit of an agreement."""
    return next(iter(listed(session, agreement_id, limit=1)), None)


def newest(session: Session, agreement_id: AgreementId, *, limit: int) -> list[EarlierDeposit]:
    """Return what counts towards a day of the newest deposits, newest first; no statement is read."""
    query = columns(col(DepositRow.accepted_at), col(DepositRow.person), col(DepositRow.size_bytes))
    query = query.where(col(DepositRow.agreement_id) == agreement_id)
    rows = session.connection().execute(query.order_by(col(DepositRow.number).desc()).limit(limit))
    return [
        EarlierDeposit(accepted_at=accepted_at, person=PersonId(person), size_bytes=size_bytes)
        for accepted_at, person, size_bytes in rows
    ]


def listed(session: Session, agreement_id: AgreementId, *, limit: int | None = None) -> list[StoredDeposit]:
    """Return an agreement's deposits, newest first."""
    query = select(DepositRow).where(col(DepositRow.agreement_id) == agreement_id)
    rows = session.exec(query.order_by(col(DepositRow.number).desc()).limit(limit)).all()
    return [_deposit(row.number, named_entry(session, agreement_id, Digest(row.digest))) for row in rows]


def readable(
    session: Session, agreement_id: AgreementId, *, before: int | None = None, limit: int | None = None
) -> Iterator[StoredDeposit]:
    """Return an agreement's deposits, newest first: one that cannot be read is logged, and hides no other.

    Args:
        before: Only deposits with a lower number.
        limit: How many are looked at, at most.
    """
    looked = _looked_at(session, agreement_id, before=before, limit=limit)
    return (stored for _, stored in looked if stored is not None)


def _looked_at(
    session: Session, agreement_id: AgreementId, *, before: int | None, limit: int | None
) -> Iterator[tuple[int, StoredDeposit | None]]:
    """Yield the numbers of deposits, newest first, each with the deposit unless it is damaged."""
    for row in islice(_newest_first(session, agreement_id, before), limit):
        stored: StoredDeposit | None = None
        with unless_damaged("a deposit is unreadable", agreement=agreement_id, deposit=row.digest):
            found = _deposit(row.number, named_entry(session, agreement_id, Digest(row.digest)))
            found.body()
            stored = found
        yield row.number, stored


def _newest_first(session: Session, agreement_id: AgreementId, before: int | None) -> Iterator[DepositRow]:
    """Yield the rows of deposits with a lower number than `before`, a few of them at a time."""
    query = select(DepositRow).where(col(DepositRow.agreement_id) == agreement_id)
    query = query.options(_UNTIMED)
    query = query.order_by(col(DepositRow.number).desc()).limit(DEPOSITS_READ_MAX)
    wanted = query if before is None else query.where(col(DepositRow.number) < before)
    while rows := session.exec(wanted).all():
        yield from rows
        wanted = query.where(col(DepositRow.number) < rows[-1].number)


def page(session: Session, agreement_id: AgreementId, *, before: int | None, limit: int) -> DepositPage:
    """Return the newest `limit` deposits; one that is damaged hides no other.

    Args:
        before: Only deposits with a lower number.
    """
    looked = list(_looked_at(session, agreement_id, before=before, limit=limit + 1))
    shown = looked[:limit]
    return DepositPage(
        deposits=[stored for _, stored in shown if stored is not None],
        unreadable=[number for number, stored in shown if stored is None],
        before=shown[-1][0] if len(looked) > limit else None,
    )


def _deposit(number: int, entry: LedgerEntry) -> StoredDeposit:
    return StoredDeposit(
        agreement_id=entry.agreement_id, number=number, digest=entry.statement_id, entry=entry
    )
