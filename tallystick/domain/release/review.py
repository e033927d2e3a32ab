"""Whether a recorded decision is the one that its record calls for.

The evidence file itself is read and verified in `tallystick.proof.evidence`.
"""

from dataclasses import dataclass

from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.claim.claim import Claim
from tallystick.domain.claim.sight import Sight
from tallystick.domain.ids import ComponentId, Digest, PublicKey
from tallystick.domain.release.decision import decide
from tallystick.domain.statements.custody import Custody
from tallystick.domain.statements.deposits import Deposit
from tallystick.domain.statements.engine import DecisionStatement
from tallystick.domain.statements.signed import Signed


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionBasis:
    """What a decision rests on besides the claim's own record, verified by the one who reviews it.

    Attributes:
        custody: The custody statements that the pinned deposit names, by component.
        unextended: The statements on record that help a release, and whose authors had verified a log that
            this one does not extend.
    """

    agreement_digest: Digest
    agreement_signers: frozenset[PublicKey]
    root_keys: frozenset[PublicKey]
    deposit: Signed[Deposit]
    custody: dict[ComponentId, Custody]
    unextended: frozenset[Digest]


def disagreement(
    agreement: Agreement, before: Claim, decision: DecisionStatement, basis: DecisionBasis
) -> str | None:
    """Return in what a recorded decision differs from what its record calls for, or None.

    What only the gate could see (sealed bytes, its log, a halt) is taken as it says;
    everything else is decided again.

    Args:
        agreement: The version that the claim pins.
        before: The claim as recorded before the decision.
        decision: What the gate recorded.
        basis: What else it rests on.
    """
    told = {verdict.premise: verdict.holds for verdict in decision.premises}
    expected = before.rules.premises
    if tuple(told) != expected or len(decision.premises) != len(expected):
        return "it does not list every premise once, in order"
    again = decide(agreement, before, decision.stage, _sight(agreement, decision, basis, told))
    differing = [verdict.premise for verdict in again.premises if verdict.holds != told[verdict.premise]]
    if differing:
        return f"the record contradicts it on {', '.join(differing)}"
    if again.released != decision.released:
        return "it does not follow from its own premises"
    return None


def _sight(
    agreement: Agreement, decision: DecisionStatement, basis: DecisionBasis, told: dict[str, bool]
) -> Sight:
    fault = None if told["sealed-bytes-match"] else "as the gate says"
    return Sight(
        at=decision.decided_at,
        agreement_digest=basis.agreement_digest,
        agreement_signers=basis.agreement_signers,
        root_keys=basis.root_keys if told["agreement-signed"] else frozenset(),
        deposit=basis.deposit if told["deposit-pinned"] else None,
        custody=basis.custody if told["custody-known"] else {},
        sealed=dict.fromkeys(agreement.stage(decision.stage).components, fault),
        ledger=None if told["ledger-whole"] else "as the gate says",
        unextended=basis.unextended,
        halted=not told["not-halted"],
    )
