"""Custody epochs, looked up over the ledger: which are live, which are spent, which must still be dealt.

A component's live epoch is its latest, unless a release has used it: after that, the
receiver of the release has its key, so the next deposit needs a new epoch.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlmodel import Session

from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.deposit.provenance import custody_fault
from tallystick.domain.deposit.recording import CustodyRefusedError
from tallystick.domain.ids import AgreementId, ComponentId, Digest
from tallystick.domain.kinds import Kind
from tallystick.domain.statements.custody import Custody
from tallystick.domain.statements.deposits import DepositedComponent
from tallystick.domain.statements.engine import DecisionStatement
from tallystick.domain.statements.signed import expect
from tallystick.proof.reading import read_signed
from tallystick.store.damage import unless_damaged
from tallystick.store.ledger import ledger
from tallystick.store.ledger.entry import LedgerEntry
from tallystick.store.registers import agreements, claims, deposits


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedEpoch:
    """A custody epoch on record; `digest` is what deposits name."""

    digest: Digest
    body: Custody
    entry: LedgerEntry


def epochs(session: Session, agreement_id: AgreementId) -> list[RecordedEpoch]:
    """Return every epoch on record under an agreement, in the order in which they were dealt.

    Raises:
        LedgerCorruptError: The stored bytes were altered.
    """
    dealt = ledger.entries(session, agreement_id, kinds=[Kind.CUSTODY])
    return [_recorded(entry) for entry in dealt]


def epoch_of(session: Session, agreement_id: AgreementId, custody: Digest) -> RecordedEpoch | None:
    """Return the epoch whose custody statement has this digest, if it is on record.

    Raises:
        LedgerCorruptError: The stored bytes were altered.
    """
    entry = ledger.entry_by_statement(session, agreement_id, custody)
    return _recorded(entry) if entry is not None and entry.kind == Kind.CUSTODY else None


def find_epoch(
    session: Session, agreement_id: AgreementId, component: ComponentId, number: int
) -> RecordedEpoch | None:
    """Return one epoch of a component, if it was dealt."""
    for epoch in epochs(session, agreement_id):
        if (epoch.body.component, epoch.body.epoch) == (component, number):
            return epoch
    return None


def latest_epochs(session: Session, agreement_id: AgreementId) -> Mapping[ComponentId, RecordedEpoch]:
    """Return each component's last epoch, spent or not."""
    return {epoch.body.component: epoch for epoch in epochs(session, agreement_id)}


def live_epochs(session: Session, agreement_id: AgreementId) -> Mapping[ComponentId, RecordedEpoch]:
    """Return each component's live epoch; a component without one cannot be deposited now."""
    spent = spent_custody(session, agreement_id)
    latest = latest_epochs(session, agreement_id)
    return {component: epoch for component, epoch in latest.items() if epoch.digest not in spent}


def readable_live_epochs(
    session: Session, agreement_id: AgreementId
) -> Mapping[ComponentId, RecordedEpoch] | None:
    """Return each component's live epoch; None if the record of them is damaged, which is logged.

    For answers that say more than custody: people act under the agreement meanwhile. What is deposited or
    decided is checked against `live_epochs`.
    """
    with unless_damaged("custody epochs are unreadable", agreement=agreement_id):
        return live_epochs(session, agreement_id)
    return None


def live_custody(session: Session, agreement_id: AgreementId) -> Mapping[ComponentId, Digest]:
    """Return the custody statement to which each component must be sealed now (for `check_deposit`)."""
    return {component: epoch.digest for component, epoch in live_epochs(session, agreement_id).items()}


def missing_epochs(
    session: Session, agreement_id: AgreementId, agreement: Agreement
) -> list[tuple[ComponentId, int]]:
    """Return the epochs that must be dealt now: the next one of each component without a live one."""
    live = live_epochs(session, agreement_id)
    latest = latest_epochs(session, agreement_id)
    return [
        (component.id, latest[component.id].body.epoch + 1 if component.id in latest else 1)
        for component in agreement.components
        if component.id not in live
    ]


def spent_custody(session: Session, agreement_id: AgreementId) -> frozenset[Digest]:
    """Return the custody statements whose key a release has given away; no refusal is read.

    Raises:
        LedgerCorruptError: The stored bytes were altered.
    """
    spent: set[Digest] = set()
    for entry in ledger.releasing(session, agreement_id):
        decision = entry.says(DecisionStatement)
        used = {contribution.component for contribution in decision.contributions}
        spent |= {c.custody for c in _deposited(session, agreement_id, decision) if c.component in used}
    return frozenset(spent)


def verified_custody(
    session: Session, agreement_id: AgreementId, digest: Digest, component: ComponentId
) -> RecordedEpoch:
    """Return a custody epoch of `component` that the gate dealt under the agreement version that it names.

    Raises:
        CustodyRefusedError: There is none, or the gate of that version did not sign it.
        TallystickError: Its bytes, or those of the version, are not valid.
    """
    entry = ledger.entry_by_statement(session, agreement_id, digest)
    if entry is None or entry.kind != Kind.CUSTODY:
        raise CustodyRefusedError("no such custody epoch is on record", custody=digest)
    recorded = _recorded(entry)
    version = agreements.by_digest(session, recorded.body.agreement_digest)
    if version is None or version.agreement_id != agreement_id:
        raise CustodyRefusedError("dealt under no version of this agreement", custody=digest)
    signed_version = version.signed()
    signed = expect(read_signed(entry.statement(), signed_version.agreement), Custody)
    if (signed.id, signed_version.terms.digest) != (digest, recorded.body.agreement_digest):
        raise CustodyRefusedError("not the bytes that its row names", custody=digest)
    if (fault := custody_fault(signed_version.agreement, signed, component)) is not None:
        raise CustodyRefusedError(fault, custody=digest)
    return recorded


def _deposited(
    session: Session, agreement_id: AgreementId, decision: DecisionStatement
) -> tuple[DepositedComponent, ...]:
    claim = claims.by_digest(session, decision.claim)
    if claim is None:
        return ()
    stored = deposits.by_digest(session, agreement_id, claim.filing().deposit)
    return () if stored is None else stored.body().components


def _recorded(entry: LedgerEntry) -> RecordedEpoch:
    return RecordedEpoch(digest=entry.statement_id, body=entry.says(Custody), entry=entry)
