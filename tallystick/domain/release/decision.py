"""The one release decision: may this stage be released now? Only if every premise is met.

Every premise of the claim's rules is checked, and every verdict is reported. The gate
decides on what it has read itself, the workflow checks the record before it asks the
gate, and anyone can decide again offline, with the same function. If any premise is
not met, the answer is no.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.agreement.deadlines import CalendarExhaustedError
from tallystick.domain.claim.claim import Claim
from tallystick.domain.claim.rules import PremiseAnswer
from tallystick.domain.claim.sight import Sight, sight_of_log
from tallystick.domain.ids import Digest, StageId
from tallystick.domain.release.seen import EXTENDED
from tallystick.domain.statements.engine import PremiseVerdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The answer, with every premise."""

    stage: StageId
    premises: tuple[PremiseVerdict, ...]

    @property
    def released(self) -> bool:
        """Whether every premise is met; an empty list of premises releases nothing."""
        return bool(self.premises) and not self.unmet

    @property
    def unmet(self) -> tuple[PremiseVerdict, ...]:
        """The premises that are not met."""
        return tuple(verdict for verdict in self.premises if not verdict.holds)


def decide(agreement: Agreement, claim: Claim, stage: StageId, sight: Sight) -> Decision:
    """Decide whether `stage` of `claim` may be released, by the rules that the claim was filed under.

    Args:
        agreement: The version whose digest is in `sight`.
        claim: Folded from verified statements only.
        stage: One of the claim's stages.
        sight: What the one who decides has read for itself.
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


def premises_to_tell(
    agreement: Agreement, claim: Claim, stage: StageId, *, at: datetime, unextended: frozenset[Digest]
) -> tuple[PremiseVerdict, ...]:
    """Return the premises that record and log decide, for people: one beyond a calendar is not met.

    Args:
        unextended: As in `Sight`, for one who has read the log.
    """
    recorded = (
        (premise, partial(look, agreement, claim, stage, at))
        for premise, look in claim.rules.recorded.items()
    )
    sight = sight_of_log(at, unextended)
    logged = (
        (premise, partial(claim.rules.seen[premise], agreement, claim, stage, sight))
        for premise in claim.rules.seen
        if premise == EXTENDED
    )
    asked = (*recorded, *logged)
    return tuple(PremiseVerdict(premise=premise, **_answer(ask)._asdict()) for premise, ask in asked)


def _answer(ask: Callable[[], PremiseAnswer]) -> PremiseAnswer:
    try:
        return ask()
    except CalendarExhaustedError as beyond:
        return PremiseAnswer(holds=False, found=beyond.message)
