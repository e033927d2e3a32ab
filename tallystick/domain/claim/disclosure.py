"""What the release of a stage discloses: the sealed files, and the shares that together open them."""

from collections.abc import Iterable

from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.claim.claim import Claim
from tallystick.domain.claim.stages import components_of
from tallystick.domain.ids import Digest, StageId
from tallystick.domain.statements.deposits import DepositedComponent
from tallystick.domain.statements.engine import DecisionStatement
from tallystick.domain.statements.header import Contribution


def contributions_to(agreement: Agreement, claim: Claim, stage: StageId) -> tuple[Contribution, ...]:
    """Return the shares that open a decided stage: each custodian's, then the gate's; none before.

    One approval may be for several stages, with shares for each; the shares for undecided
    stages are not disclosed.
    """
    decision = claim.progress(stage).decision
    if decision is None:
        return ()
    approvals = [body.contributions for _, body in claim.approvals if stage in body.stages]
    decided = [
        body.contributions
        for entry, body in claim.entries_of(DecisionStatement)
        if entry.signed.id == decision
    ]
    own = agreement.stage(stage).components
    return tuple(share for given in (*approvals, *decided) for share in given if share.component in own)


def disclosed(
    agreement: Agreement, claim: Claim, deposited: Iterable[DepositedComponent]
) -> frozenset[Digest]:
    """Return what a claimant may fetch for a claim: the files and shares of its decided stages."""
    components = components_of(agreement, claim.decided_stages)
    files = {one.sealed_digest for one in deposited if one.component in components}
    shares = {
        share.sealed_digest
        for stage in claim.decided_stages
        for share in contributions_to(agreement, claim, stage)
    }
    return frozenset(files | shares)
