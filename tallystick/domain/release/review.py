"""What an evidence file says of a claim, and what whoever doubts finds in it.

The file itself is read and verified in `tallystick.crypto`; here stand its words,
and the question whether a recorded decision is the one that its record calls for.
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
class Surroundings:
    """What a decision rests on beside the claim's own record, each verified by the doubter.

    Attributes:
        custody: The custody statements that the pinned deposit names, by component.
    """

    agreement_digest: Digest
    agreement_signers: frozenset[PublicKey]
    root_keys: frozenset[PublicKey]
    deposit: Signed[Deposit]
    custody: dict[ComponentId, Custody]


def disagreement(
    agreement: Agreement, before: Claim, decision: DecisionStatement, around: Surroundings
) -> str | None:
    """Return in what a recorded decision differs from what its record calls for, or None.

    What only the gate could see (sealed bytes, its log, a halt) is taken from its word;
    all else is decided anew.

    Args:
        agreement: The version that the claim pins.
        before: The claim as recorded before the decision.
        decision: What the gate recorded.
        around: What else it rests on.
    """
    told = {verdict.premise: verdict.holds for verdict in decision.premises}
    expected = before.rules.premises
    if tuple(told) != expected or len(decision.premises) != len(expected):
        return "it doesn't tell every premise once, in order"
    again = decide(agreement, before, decision.stage, _sight(agreement, decision, around, told))
    differing = [verdict.premise for verdict in again.premises if verdict.holds != told[verdict.premise]]
    if differing:
        return f"the record says otherwise of {', '.join(differing)}"
    if again.released != decision.released:
        return "it doesn't follow from its own premises"
    return None


def _sight(
    agreement: Agreement, decision: DecisionStatement, around: Surroundings, told: dict[str, bool]
) -> Sight:
    deposit = around.deposit if told["deposit-pinned"] else None
    components = agreement.stage(decision.stage).components
    fault = None if told["sealed-bytes-match"] else "as the gate tells"
    return Sight(
        at=decision.decided_at,
        agreement_digest=around.agreement_digest,
        agreement_signers=around.agreement_signers,
        root_keys=around.root_keys if told["agreement-signed"] else frozenset(),
        deposit=deposit,
        custody=around.custody if told["custody-known"] else {},
        sealed=dict.fromkeys(components, fault),
        ledger=None if told["ledger-whole"] else "as the gate tells",
        halted=not told["not-halted"],
    )
