"""What a receiver is shown besides a claim's record: the statements that its deposit and custody rest on.

It holds no order. A receiver folds the record itself, and finds in it what to open and what to undo.
"""

from collections.abc import Iterator

from sqlmodel import Session

from api.answers.claim_views import envelope
from api.answers.claims import DeliveredCustody, Delivery
from tallystick.crypto.envelope import Envelope
from tallystick.domain.claim.disclosure import contributions_to
from tallystick.domain.claim.stages import components_of
from tallystick.domain.claim.state import StageProgress
from tallystick.domain.ids import Digest
from tallystick.store.blobs import uploads
from tallystick.store.blobs.uploads import BlobPurpose
from tallystick.store.cases.casefile import CaseFile, pinned_deposit
from tallystick.store.ledger import ledger
from tallystick.store.registers.deposits import StoredDeposit


def delivery_of(session: Session, case: CaseFile) -> Delivery:
    """Return what the receiver of `case` needs besides its record."""
    stored = pinned_deposit(session, case)
    return Delivery(
        claim=case.claim.id,
        digest=case.claim.digest,
        contributed=[one.stage for one in case.claim.stages if _is_contributed(session, case, one)],
        agreement_envelope=envelope(case.agreement_statement()),
        deposit_envelope=envelope(stored.entry.statement()),
        custody=list(_custody(session, case, stored)),
    )


def _is_contributed(session: Session, case: CaseFile, progress: StageProgress) -> bool:
    """Return whether a decided stage's contributions are in the stores: they follow a moment after it."""
    given = contributions_to(case.agreement, case.claim, progress.stage)
    return bool(given) and all(
        uploads.find_blob(session, case.agreement.id, share.sealed_digest, BlobPurpose.CONTRIBUTION)
        for share in given
    )


def _custody(session: Session, case: CaseFile, stored: StoredDeposit) -> Iterator[DeliveredCustody]:
    """Yield the custody epochs to which the claim's components are sealed."""
    wanted = components_of(case.agreement, (progress.stage for progress in case.claim.stages))
    for component in stored.body().components:
        if component.component in wanted:
            raw = _custody_statement(session, case, component.custody)
            yield DeliveredCustody(
                component=component.component, custody=component.custody, envelope=envelope(raw)
            )


def _custody_statement(session: Session, case: CaseFile, custody: Digest) -> Envelope:
    return ledger.named_entry(session, case.agreement.id, custody).statement()
