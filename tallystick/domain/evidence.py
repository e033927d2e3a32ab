"""What an evidence file says of a claim, and what whoever doubts finds in it.

The file itself is read and verified in `tallystick.crypto`; here stand its words,
and the question whether a recorded decision is the one that its record calls for.
"""

from dataclasses import dataclass
from typing import ClassVar, Final

from tallystick.domain.agreement import Agreement
from tallystick.domain.claim import Claim
from tallystick.domain.ids import AgreementId, ComponentId, DeploymentId, Digest, PublicKey, StageId
from tallystick.domain.kinds import Kind
from tallystick.domain.release import PREMISES, Sight, decide
from tallystick.domain.statements import Custody, DecisionStatement, Deposit, OnClaim, Signed

SCHEMA: Final = "tallystick.evidence/v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceSeal(OnClaim):
    """The log key's word that this is the whole record of a claim.

    Attributes:
        content: SHA-256 of the canonical bytes of everything before this statement.
        entries: How many entries the file holds.
    """

    KIND: ClassVar[Kind] = Kind.EVIDENCE
    content: Digest
    entries: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentFacts:
    """A deployment's public keys, as it tells them to everybody."""

    deployment: DeploymentId
    log_key: PublicKey
    decision_key: PublicKey
    gate_recipient: str
    root_keys: tuple[PublicKey, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One numbered premise of the verification: whether it holds, and what was found."""

    number: int
    premise: str
    holds: bool
    found: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a verification found: every premise in order, up to the first that is broken.

    Attributes:
        state: Where the claim stands by its record; None unless everything holds.
        released: The stages that were decided to be released.
    """

    steps: tuple[Step, ...]
    agreement: AgreementId | None = None
    agreement_digest: Digest | None = None
    claim: Digest | None = None
    state: str | None = None
    released: tuple[StageId, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether every premise holds; a report without any proves nothing."""
        return bool(self.steps) and all(step.holds for step in self.steps)

    @property
    def broken(self) -> Step | None:
        """The first premise that does not hold, or None."""
        return next((step for step in self.steps if not step.holds), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a decision rests on beside the claim's own record, each verified by the doubter.

    Attributes:
        custody: The custody statements that the pinned deposit names, by component.
    """

    agreement_digest: Digest
    agreement_signers: frozenset[PublicKey]
    root_keys: frozenset[PublicKey]
    deposit: Signed
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
    if tuple(told) != PREMISES or len(decision.premises) != len(PREMISES):
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
    assert isinstance(around.deposit.body, Deposit)
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
