"""Agreements, looked up over the ledger: their versions, and the keys that each version lists."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import bindparam, func
from sqlalchemy import select as columns
from sqlmodel import Session, col, select

from tallystick.crypto.envelope import (
    Envelope,
    body_of,
    check_signatures_kept,
    kind_of,
    parse_envelope,
    statement_id,
)
from tallystick.crypto.keys import key_id
from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.codec import decode
from tallystick.domain.errors import TallystickError
from tallystick.domain.ids import AgreementId, Digest, PersonId, PublicKey
from tallystick.domain.kinds import Kind
from tallystick.domain.statements.header import Header
from tallystick.limits.documents import AGREEMENT_SIZE_BYTES_MAX
from tallystick.limits.logs import (
    EVIDENCE_KEYS_MAX,
    EVIDENCE_SIGNATURES_AGAIN_MAX,
    EVIDENCE_VERSIONS_BYTES_MAX,
    EVIDENCE_VERSIONS_MAX,
)
from tallystick.proof.reading import SignedAgreement, read_agreement
from tallystick.proof.work import verified_again
from tallystick.store.damage import LedgerCorruptError, as_written
from tallystick.store.database.tables import AgreementRow, EntryRow, PersonKeyRow
from tallystick.store.ledger.entry import LedgerEntry
from tallystick.store.ledger.ledger import append, entries, named_entry

# Statements are built once: to build one takes several times as long as to execute it.
_NEWEST: Final = (
    columns(col(AgreementRow.agreement_id), func.max(col(AgreementRow.version)))
    .where(col(AgreementRow.agreement_id).in_(bindparam("among", expanding=True)))
    .group_by(col(AgreementRow.agreement_id))
)
_VERSION_PLACES: Final = (
    columns(col(AgreementRow.version), col(AgreementRow.digest), col(EntryRow.index))
    .where(col(EntryRow.agreement_id) == col(AgreementRow.agreement_id))
    .where(col(EntryRow.statement_id) == col(AgreementRow.digest))
    .where(col(AgreementRow.agreement_id) == bindparam("agreement"))
    .order_by(col(AgreementRow.version))
)
_PERSON_KEYS: Final = (
    columns(
        col(AgreementRow.agreement_id),
        col(AgreementRow.version),
        col(AgreementRow.digest),
        col(PersonKeyRow.person),
        col(PersonKeyRow.public_key),
    )
    .where(col(PersonKeyRow.agreement_digest) == col(AgreementRow.digest))
    .where(col(PersonKeyRow.fingerprint) == bindparam("fingerprint"))
    .order_by(col(AgreementRow.agreement_id), col(AgreementRow.version).desc())
)


class VersionOutOfOrderError(TallystickError):
    """A version of an agreement that does not follow the registered one."""

    code = "version-out-of-order"
    why = "Version N+1 names the digest of version N, so that an agreement has one history."
    advice = "Fetch the latest version, and build on that one."


class VersionsExhaustedError(TallystickError):
    """One version of an agreement more than an evidence file can hold, with what revokes its keys."""

    code = "versions-exhausted"
    why = (
        "An evidence file holds the versions of its agreement, so that anyone can verify who agreed to what."
    )
    advice = "Register what you agreed as the first version of an agreement with another id; claims run on."


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredAgreement:
    """A registered version: `envelope` is the canonical envelope, signed by every party."""

    agreement_id: AgreementId
    version: int
    digest: Digest
    envelope: bytes
    registered_at: datetime
    index: int

    def signed(self) -> SignedAgreement:
        """Return what the version says and who signed it, verified anew.

        Raises:
            LedgerCorruptError: The stored bytes were altered.
        """
        with as_written(self.index):
            return read_agreement(self.statement())

    def statement(self) -> Envelope:
        """Return the envelope, parsed; `signed` verifies it.

        Raises:
            LedgerCorruptError: The stored bytes were altered.
        """
        with as_written(self.index):
            envelope = parse_envelope(self.envelope, body_size_bytes_max=AGREEMENT_SIZE_BYTES_MAX)
        if statement_id(envelope) != self.digest:
            raise LedgerCorruptError("a row has another statement than it names", index=self.index)
        return envelope


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionPlace:
    """Where a version of an agreement is in its log."""

    version: int
    digest: Digest
    index: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonKey:
    """Whose key one key is in one version of an agreement."""

    agreement_id: AgreementId
    version: int
    agreement_digest: Digest
    person: PersonId
    public_key: PublicKey


def register(session: Session, envelope: Envelope, registered_at: datetime) -> RegisteredAgreement:
    """Register a version of an agreement that was checked and is fully signed; harmless if repeated.

    Its ledger entry, its row and its persons' keys are written together.

    Raises:
        MalformedError: Not an agreement's statement.
        SignatureNotRecordedError: It is registered, without a signature that is sent now.
        VersionOutOfOrderError: Not the first version, nor the one after the latest.
        VersionsExhaustedError: Too many versions, bytes or keys of them, or too many after revocations.
    """
    assert kind_of(envelope) == Kind.AGREEMENT, "only an agreement is registered as one"
    agreement = decode(Agreement, body_of(envelope))
    digest = statement_id(envelope)
    if (present := by_digest(session, digest)) is not None:
        check_signatures_kept(envelope, present.statement())
        return present
    check_follows(agreement, latest(session, agreement.id))
    before = versions(session, agreement.id)
    _check_room(before, envelope)
    _check_keys(session, agreement, before)
    _check_revocations(session, agreement.id, envelope)
    entry = append(session, agreement.id, envelope, registered_at, claim=None)
    row = AgreementRow(digest=digest, agreement_id=agreement.id, version=agreement.version)
    session.add_all([row, *_person_keys(agreement, digest)])
    session.flush()
    return _registered(row, entry)


def by_digest(session: Session, digest: Digest) -> RegisteredAgreement | None:
    """Return the version that claims pin as `digest`."""
    row = session.get(AgreementRow, digest)
    return (
        None if row is None else _registered(row, named_entry(session, AgreementId(row.agreement_id), digest))
    )


def named_by(session: Session, header: Header) -> RegisteredAgreement:
    """Return the version that a statement is under, as its header names it.

    Raises:
        NoSuchAgreementError: None with this digest is registered, or it is another agreement's.
    """
    registered = by_digest(session, header.agreement_digest)
    if registered is None or registered.agreement_id != header.agreement:
        raise NoSuchAgreementError("the claim's agreement is not registered", digest=header.agreement_digest)
    return registered


def latest(session: Session, agreement_id: AgreementId) -> RegisteredAgreement | None:
    """Return the newest version of an agreement."""
    query = select(AgreementRow).where(col(AgreementRow.agreement_id) == agreement_id)
    row = session.exec(query.order_by(col(AgreementRow.version).desc()).limit(1)).first()
    return None if row is None else _registered(row, named_entry(session, agreement_id, Digest(row.digest)))


def versions(session: Session, agreement_id: AgreementId, *, after: int = 0) -> list[RegisteredAgreement]:
    """Return the versions of an agreement, oldest first: all, or those with a higher number than `after`."""
    query = select(AgreementRow).where(col(AgreementRow.agreement_id) == agreement_id)
    query = query.where(col(AgreementRow.version) > after)
    rows = session.exec(query.order_by(col(AgreementRow.version))).all()
    return [_registered(row, named_entry(session, agreement_id, Digest(row.digest))) for row in rows]


def log_keys(session: Session, agreement_id: AgreementId) -> Collection[PublicKey]:
    """Return the log keys of every version; each version is signed by all its parties.

    Raises:
        LedgerCorruptError: A stored version was altered.
    """
    read = [version.signed().agreement for version in versions(session, agreement_id)]
    return sorted({agreement.engine.log_key for agreement in read}, key=key_id)


def places(session: Session, agreement_id: AgreementId) -> list[VersionPlace]:
    """Return which versions an agreement has and where, oldest first; no version is read."""
    rows = session.connection().execute(_VERSION_PLACES, {"agreement": agreement_id})
    return [
        VersionPlace(version=version, digest=Digest(digest), index=index) for version, digest, index in rows
    ]


def agreement_ids(session: Session) -> list[AgreementId]:
    """Return every agreement's id: for the engine itself, never for a person."""
    query = select(AgreementRow.agreement_id).distinct().order_by(col(AgreementRow.agreement_id))
    return [AgreementId(name) for name in session.exec(query)]


def newest_versions(session: Session, ids: Collection[AgreementId]) -> Mapping[AgreementId, int]:
    """Return the number of the newest version of each of these agreements."""
    rows = session.connection().execute(_NEWEST, {"among": list(ids)})
    return {AgreementId(name): version for name, version in rows}


def person_keys(session: Session, fingerprint: Digest) -> list[PersonKey]:
    """Return whose a key is, by its fingerprint (SHA-256 of the raw key), newest versions first."""
    return [
        PersonKey(
            agreement_id=AgreementId(agreement),
            version=version,
            agreement_digest=Digest(digest),
            person=PersonId(person),
            public_key=PublicKey(key),
        )
        for agreement, version, digest, person, key in session.connection().execute(
            _PERSON_KEYS, {"fingerprint": fingerprint}
        )
    ]


def public_keys(session: Session, fingerprints: Collection[Digest]) -> Mapping[Digest, PublicKey]:
    """Return those of some keys that a version of an agreement lists, by fingerprint."""
    query = columns(col(PersonKeyRow.fingerprint), col(PersonKeyRow.public_key)).where(
        col(PersonKeyRow.fingerprint).in_(list(fingerprints))
    )
    return {Digest(one): PublicKey(key) for one, key in session.connection().execute(query)}


def check_follows(agreement: Agreement, before: RegisteredAgreement | None) -> None:
    """Refuse a version that does not follow the newest one.

    Raises:
        VersionOutOfOrderError: Neither the first version, nor the one after `before`.
    """
    version, digest = (0, None) if before is None else (before.version, before.digest)
    if (agreement.version, agreement.supersedes) != (version + 1, digest):
        raise VersionOutOfOrderError(
            "this is not the agreement's next version",
            given=agreement.version,
            expected=version + 1,
            supersedes=digest,
        )


def _check_room(before: Collection[RegisteredAgreement], envelope: Envelope) -> None:
    number = len(before) + 1
    size_bytes = envelope.size_bytes + sum(len(version.envelope) for version in before)
    if number > EVIDENCE_VERSIONS_MAX or size_bytes > EVIDENCE_VERSIONS_BYTES_MAX:
        raise VersionsExhaustedError(
            "the agreement has as many versions as an evidence file holds",
            versions=number,
            size_bytes=size_bytes,
            limit=EVIDENCE_VERSIONS_MAX,
            limit_bytes=EVIDENCE_VERSIONS_BYTES_MAX,
        )


def _check_keys(session: Session, agreement: Agreement, before: Collection[RegisteredAgreement]) -> None:
    """Bound the keys of all versions: each may be revoked, which is never refused, by many signatures."""
    of_them = col(PersonKeyRow.agreement_digest).in_([version.digest for version in before])
    keys = {*session.exec(select(PersonKeyRow.fingerprint).where(of_them).distinct())}
    keys |= {key_id(person.signing_key) for person in agreement.persons}
    if len(keys) > EVIDENCE_KEYS_MAX:
        raise VersionsExhaustedError(
            "the versions of the agreement list more keys than an evidence file can revoke",
            keys=len(keys),
            limit=EVIDENCE_KEYS_MAX,
        )


def _check_revocations(session: Session, agreement_id: AgreementId, envelope: Envelope) -> None:
    """Bound what is verified again: each revocation, by the rules of each version after it."""
    if not entries(session, agreement_id, kinds=[Kind.KEY_REVOCATION], limit=1):
        return  # nearly always: then no version is read for this
    kinds = [Kind.AGREEMENT, Kind.KEY_REVOCATION]
    known = [entry.statement() for entry in entries(session, agreement_id, kinds=kinds)]
    again = verified_again([*known, envelope])
    if again > EVIDENCE_SIGNATURES_AGAIN_MAX:
        raise VersionsExhaustedError(
            "too many revocations would be verified again for this version",
            signatures=again,
            limit=EVIDENCE_SIGNATURES_AGAIN_MAX,
        )


def _person_keys(agreement: Agreement, digest: Digest) -> list[PersonKeyRow]:
    """Return one row for each key: a key under two names still is one person, who sees the same."""
    keys = {person.signing_key: person.id for person in reversed(agreement.persons)}
    return [
        PersonKeyRow(fingerprint=key_id(key), agreement_digest=digest, public_key=key, person=person)
        for key, person in keys.items()
    ]


def _registered(row: AgreementRow, entry: LedgerEntry) -> RegisteredAgreement:
    return RegisteredAgreement(
        agreement_id=entry.agreement_id,
        version=row.version,
        digest=Digest(row.digest),
        envelope=entry.envelope,
        registered_at=entry.accepted_at,
        index=entry.index,
    )


class NoSuchAgreementError(TallystickError):
    """There is no such agreement, or it does not name you."""

    code = "no-such-agreement"
    why = "No registered agreement has this id or digest, or it does not name you."
    advice = "Register the agreement, or ask one of its parties for its id."
