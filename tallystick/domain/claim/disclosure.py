"""What the release of a stage discloses: the sealed files, and the shares that together open them."""

from collections.abc import Iterable, Sequence

from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.claim.claim import Claim
from tallystick.domain.claim.stages import components_of
from tallystick.domain.ids import Digest, StageId
from tallystick.domain.statements.deposits import DepositedComponent
from tallystick.domain.statements.engine import DecisionStatement
from tallystick.domain.statements.header import Contribution


def contributions_to(agreement: Agreement, claim: Claim, stage: StageId) -> tuple[Contribution, ...]:
    """Return the shares that open a decided stage, as the gate's decision names them; none before.

    No vote adds any: the gate alone holds the key under `custody: gate`, the only custody there is. What a
    vote names may not exist, or be rubbish: it must neither reach a receiver nor delay a delivery.
    """
    decision = claim.progress(stage).decision
    own = agreement.stage(stage).components
    decided = (body for entry, body in claim.entries_of(DecisionStatement) if entry.signed.id == decision)
    return tuple(share for body in decided for share in body.contributions if share.component in own)


def disclosed(
    agreement: Agreement, claim: Claim, deposited: Iterable[DepositedComponent], stages: Sequence[StageId]
) -> frozenset[Digest]:
    """Return what may be fetched of decided stages by those who receive them: their files and shares."""
    components = components_of(agreement, stages)
    files = {one.sealed_digest for one in deposited if one.component in components}
    shares = {share.sealed_digest for stage in stages for share in contributions_to(agreement, claim, stage)}
    return frozenset(files | shares)
