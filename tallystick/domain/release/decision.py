"""The one release decision: may this stage go out, now? Every premise must hold.

Every premise of the claim's rules is looked at, and every verdict is told.
The gate asks with what it has seen with its own eyes, the workflow asks before it
troubles the gate, and anyone who doubts asks again, offline, with the same function.
Leave any premise out of the world and the answer is no.
"""

from dataclasses import dataclass
from datetime import datetime

from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.claim.claim import Claim
from tallystick.domain.claim.sight import Sight
from tallystick.domain.ids import StageId
from tallystick.domain.statements.engine import PremiseVerdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The answer, with every premise."""

    stage: StageId
    premises: tuple[PremiseVerdict, ...]

    @property
    def released(self) -> bool:
        """Whether every premise holds; an empty list of premises releases nothing."""
        return bool(self.premises) and not self.unmet

    @property
    def unmet(self) -> tuple[PremiseVerdict, ...]:
        """The premises that do not hold."""
        return tuple(verdict for verdict in self.premises if not verdict.holds)


def decide(agreement: Agreement, claim: Claim, stage: StageId, sight: Sight) -> Decision:
    """Decide whether `stage` of `claim` may be released, by the rules that the claim was filed under.

    Args:
        agreement: The version whose digest is in `sight`.
        claim: Folded from verified statements only.
        stage: One of the claim's stages.
        sight: What the asker has seen for itself.
    """
    seen = (
        PremiseVerdict(premise=premise, **look(agreement, claim, stage, sight)._asdict())
        for premise, look in claim.rules.seen.items()
    )
    return Decision(stage=stage, premises=(*recorded_premises(agreement, claim, stage, at=sight.at), *seen))


def recorded_premises(
    agreement: Agreement, claim: Claim, stage: StageId, *, at: datetime
) -> tuple[PremiseVerdict, ...]:
    """Return the premises that the record alone decides, as they stand at `at`."""
    return tuple(
        PremiseVerdict(premise=premise, **look(agreement, claim, stage, at)._asdict())
        for premise, look in claim.rules.recorded.items()
    )
