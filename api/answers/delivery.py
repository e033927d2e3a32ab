"""What the receiver must do: which stages to provision, with what, and which to undo, in order."""

from collections.abc import Iterator

from sqlmodel import Session

from api.answers.claim_views import envelope
from api.answers.claims import ContributionView, DeliveredComponent, DeliveredStage, Delivery
from api.answers.shapes import Json
from tallystick.crypto.envelope import Envelope
from tallystick.domain.claim.claim import StageProgress
from tallystick.domain.claim.disclosure import contributions_to
from tallystick.domain.ids import ComponentId, Digest
from tallystick.domain.inbox.waiting import to_undo
from tallystick.domain.statements.deposits import DepositedComponent
from tallystick.domain.statements.header import Contribution
from tallystick.store.blobs import uploads
from tallystick.store.cases.casefile import CaseFile
from tallystick.store.ledger import ledger
from tallystick.store.registers import deposits
from tallystick.store.registers.deposits import StoredDeposit


def delivery_of(session: Session, case: CaseFile) -> Delivery:
    """Return what the receiver must do about `case` now."""
    stored = deposit_of(session, case)
    return Delivery(
        claim=case.claim.id,
        digest=case.claim.digest,
        state=case.claim.state.value,
        undo=to_undo(case.agreement, case.claim),
        stages=[
            _stage(session, case, stored, progress)
            for progress in case.claim.stages
            if _is_contributed(session, case, progress)
        ],
        filing_envelope=envelope(case.envelope_of(case.claim.digest)),
        agreement_envelope=envelope(case.agreement_statement()),
        deposit_envelope=envelope(stored.entry.statement()),
    )


def deposit_of(session: Session, case: CaseFile) -> StoredDeposit:
    """Return the deposit that the claim pins."""
    stored = deposits.by_digest(session, case.agreement.id, case.claim.filing.deposit)
    assert stored is not None, "a claim is filed on a recorded deposit only"
    return stored


def _is_contributed(session: Session, case: CaseFile, progress: StageProgress) -> bool:
    """Return whether a stage's contributions are in the stores: they follow a moment after the decision."""
    given = contributions_to(case.agreement, case.claim, progress.stage)
    return all(uploads.find_blob(session, case.agreement.id, share.sealed_digest) for share in given)


def _stage(
    session: Session, case: CaseFile, stored: StoredDeposit, progress: StageProgress
) -> DeliveredStage:
    wanted = case.agreement.stage(progress.stage).components
    deposited = [component for component in stored.body().components if component.component in wanted]
    shares = contributions_to(case.agreement, case.claim, progress.stage)
    return DeliveredStage(
        stage=progress.stage,
        state=progress.state.value,
        decision=progress.decision,
        decision_envelope=_decision(case, progress),
        components=[_component(session, case, component, shares) for component in deposited],
    )


def _decision(case: CaseFile, progress: StageProgress) -> Json | None:
    return None if progress.decision is None else envelope(case.envelope_of(progress.decision))


def _component(
    session: Session, case: CaseFile, component: DepositedComponent, shares: tuple[Contribution, ...]
) -> DeliveredComponent:
    return DeliveredComponent(
        component=component.component,
        sealed_digest=component.sealed_digest,
        sealed_bytes=component.sealed_bytes,
        manifest_digest=component.manifest_digest,
        custody=component.custody,
        custody_envelope=envelope(_custody(session, case, component.custody)),
        contributions=list(_contributions(shares, component.component)),
    )


def _custody(session: Session, case: CaseFile, custody: Digest) -> Envelope:
    entry = ledger.entry_by_statement(session, case.agreement.id, custody)
    assert entry is not None, "a deposit is sealed to a recorded custody epoch only"
    return entry.statement()


def _contributions(shares: tuple[Contribution, ...], component: ComponentId) -> Iterator[ContributionView]:
    for share in shares:
        if share.component == component:
            yield ContributionView(leaf=share.leaf, sealed_digest=share.sealed_digest)
