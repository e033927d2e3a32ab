"""Agreements and what's found under them: versions, who may see them, deposits by number."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select as columns
from sqlmodel import Session, col, select

from tallystick.crypto.keys import key_id
from tallystick.crypto.statement import Envelope, body_of, kind_of, statement_id
from tallystick.domain.agreement import Agreement
from tallystick.domain.codec import decode
from tallystick.domain.errors import TallystickError
from tallystick.domain.ids import AgreementId, Digest, PersonId, PublicKey
from tallystick.domain.kinds import Kind
from tallystick.domain.statements import Deposit
from tallystick.store.ledger import LedgerCorruptError, LedgerEntry, append, entry_of
from tallystick.store.tables import AgreementRow, DepositRow, EntryRow, PersonKeyRow


class VersionOutOfOrderError(TallystickError):
    """A version of an agreement that doesn't follow the one that's registered."""

    code = "version-out-of-order"
    why = "Version N+1 names the digest of N, so that an agreement has one history."
    advice = "Fetch the latest version, and build on that one."


class DepositOutOfOrderError(TallystickError):
    """A deposit that doesn't follow the one before it."""

    code = "deposit-out-of-order"
    why = "Deposits are numbered 1, 2, 3 … without a gap, and each names the one before."
    advice = "List the deposits, and sign again with the next number and the last deposit's digest."


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredAgreement:
    """A registered version: `envelope` is the canonical envelope, signed by every party."""

    agreement_id: AgreementId
    version: int
    digest: Digest
    envelope: bytes
    registered_at: datetime
    index: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonKey:
    """What one key is in one version of an agreement."""

    agreement_id: AgreementId
    version: int
    agreement_digest: Digest
    person: PersonId
    public_key: PublicKey


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredDeposit:
    """A deposit: its number under the agreement, and the entry that holds its statement."""

    agreement_id: AgreementId
    number: int
    digest: Digest
    entry: LedgerEntry


def register(session: Session, envelope: Envelope, registered_at: datetime) -> RegisteredAgreement:
    """Register a version of an agreement that was checked and is fully signed; again is harmless.

    Its ledger entry, its row and its persons' keys are written together.

    Raises:
        MalformedError: Not the statement of an agreement.
        VersionOutOfOrderError: Not the first version, nor the one after the latest.
    """
    assert kind_of(envelope) == Kind.AGREEMENT, "only an agreement is registered as one"
    agreement = decode(Agreement, body_of(envelope))
    digest = statement_id(envelope)
    if (present := by_digest(session, digest)) is not None:
        return present
    _check_follows(agreement, latest(session, agreement.id))
    entry = append(session, agreement.id, envelope, registered_at, claim=None)
    row = AgreementRow(digest=digest, agreement_id=agreement.id, version=agreement.version)
    session.add_all([row, *_person_keys(agreement, digest)])
    session.flush()
    return _registered(row, entry)


def by_digest(session: Session, digest: Digest) -> RegisteredAgreement | None:
    """Return the version that claims pin as `digest`."""
    row = session.get(AgreementRow, digest)
    return None if row is None else _registered(row, _entry(session, row.agreement_id, digest))


def latest(session: Session, agreement_id: AgreementId) -> RegisteredAgreement | None:
    """Return the newest version of an agreement."""
    query = select(AgreementRow).where(col(AgreementRow.agreement_id) == agreement_id)
    row = session.exec(query.order_by(col(AgreementRow.version).desc()).limit(1)).first()
    return None if row is None else _registered(row, _entry(session, agreement_id, Digest(row.digest)))


def versions(session: Session, agreement_id: AgreementId) -> list[RegisteredAgreement]:
    """Return all versions of an agreement, oldest first."""
    query = select(AgreementRow).where(col(AgreementRow.agreement_id) == agreement_id)
    rows = session.exec(query.order_by(col(AgreementRow.version))).all()
    return [_registered(row, _entry(session, agreement_id, Digest(row.digest))) for row in rows]


def agreement_ids(session: Session) -> list[AgreementId]:
    """Return every agreement's id: for the engine itself, never for a person."""
    query = select(AgreementRow.agreement_id).distinct().order_by(col(AgreementRow.agreement_id))
    return [AgreementId(found) for found in session.exec(query)]


def person_keys(session: Session, fingerprint: Digest) -> list[PersonKey]:
    """Return whose a key is, by its fingerprint (SHA-256 of the raw key), newest versions first."""
    query = (
        columns(
            col(AgreementRow.agreement_id),
            col(AgreementRow.version),
            col(AgreementRow.digest),
            col(PersonKeyRow.person),
            col(PersonKeyRow.public_key),
        )
        .where(col(PersonKeyRow.agreement_digest) == col(AgreementRow.digest))
        .where(col(PersonKeyRow.fingerprint) == fingerprint)
        .order_by(col(AgreementRow.agreement_id), col(AgreementRow.version).desc())
    )
    return [
        PersonKey(
            agreement_id=AgreementId(agreement),
            version=version,
            agreement_digest=Digest(digest),
            person=PersonId(person),
            public_key=PublicKey(key),
        )
        for agreement, version, digest, person, key in session.connection().execute(query)
    ]


def record_deposit(
    session: Session, envelope: Envelope, accepted_at: datetime, *, not_before: datetime | None = None
) -> StoredDeposit:
    """Record a verified deposit statement under its own number; the same again is harmless.

    Raises:
        MalformedError: Not a deposit's statement.
        DepositOutOfOrderError: Not the next number, or it names another deposit as the one before.
        TooEarlyError: As `append`.
    """
    assert kind_of(envelope) == Kind.DEPOSIT, "only a deposit is recorded as one"
    deposit = decode(Deposit, body_of(envelope))
    digest = statement_id(envelope)
    present = deposit_by_number(session, deposit.agreement, deposit.number)
    if present is not None and present.digest == digest:
        return present
    _check_next(deposit, latest_deposit(session, deposit.agreement))
    entry = append(session, deposit.agreement, envelope, accepted_at, claim=None, not_before=not_before)
    row = DepositRow(agreement_id=deposit.agreement, number=deposit.number, digest=digest)
    session.add(row)
    session.flush()
    return _deposit(row, entry)


def deposit_by_number(session: Session, agreement_id: AgreementId, number: int) -> StoredDeposit | None:
    """Return deposit `number` of an agreement."""
    row = session.get(DepositRow, (agreement_id, number))
    return None if row is None else _deposit(row, _entry(session, agreement_id, Digest(row.digest)))


def deposit_by_digest(session: Session, agreement_id: AgreementId, digest: Digest) -> StoredDeposit | None:
    """Return the deposit that a claim names as `digest`."""
    query = select(DepositRow).where(
        col(DepositRow.agreement_id) == agreement_id, col(DepositRow.digest) == digest
    )
    row = session.exec(query).first()
    return None if row is None else _deposit(row, _entry(session, agreement_id, digest))


def latest_deposit(session: Session, agreement_id: AgreementId) -> StoredDeposit | None:
    """Return the newest deposit of an agreement."""
    return next(iter(deposits(session, agreement_id, limit=1)), None)


def deposits(session: Session, agreement_id: AgreementId, *, limit: int | None = None) -> list[StoredDeposit]:
    """Return an agreement's deposits, newest first."""
    query = select(DepositRow).where(col(DepositRow.agreement_id) == agreement_id)
    rows = session.exec(query.order_by(col(DepositRow.number).desc()).limit(limit)).all()
    return [_deposit(row, _entry(session, agreement_id, Digest(row.digest))) for row in rows]


def _check_follows(agreement: Agreement, before: RegisteredAgreement | None) -> None:
    version, digest = (0, None) if before is None else (before.version, before.digest)
    if (agreement.version, agreement.supersedes) != (version + 1, digest):
        raise VersionOutOfOrderError(
            "not the next version", given=agreement.version, expected=version + 1, supersedes=digest
        )


def _check_next(deposit: Deposit, before: StoredDeposit | None) -> None:
    number, digest = (0, None) if before is None else (before.number, before.digest)
    if (deposit.number, deposit.previous) != (number + 1, digest):
        raise DepositOutOfOrderError(
            "not the next deposit", given=deposit.number, expected=number + 1, previous=digest
        )


def _person_keys(agreement: Agreement, digest: Digest) -> list[PersonKeyRow]:
    """Return a row a key: under two names it still is one person, and sees the same."""
    keys = {person.signing_key: person.id for person in reversed(agreement.persons)}
    return [
        PersonKeyRow(fingerprint=key_id(key), agreement_digest=digest, public_key=key, person=person)
        for key, person in keys.items()
    ]


def _entry(session: Session, agreement_id: str, digest: Digest) -> LedgerEntry:
    query = select(EntryRow).where(
        col(EntryRow.agreement_id) == agreement_id, col(EntryRow.statement_id) == digest
    )
    row = session.exec(query).one_or_none()
    if row is None:
        raise LedgerCorruptError("a row names a statement that is not on record", statement=digest)
    return entry_of(row)


def _registered(row: AgreementRow, entry: LedgerEntry) -> RegisteredAgreement:
    return RegisteredAgreement(
        agreement_id=entry.agreement_id,
        version=row.version,
        digest=Digest(row.digest),
        envelope=entry.envelope,
        registered_at=entry.accepted_at,
        index=entry.index,
    )


def _deposit(row: DepositRow, entry: LedgerEntry) -> StoredDeposit:
    return StoredDeposit(
        agreement_id=entry.agreement_id, number=row.number, digest=Digest(row.digest), entry=entry
    )
