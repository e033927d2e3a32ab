"""Whether a decision of the gate may be recorded, and which event it is."""

from datetime import datetime

from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.agreement.plan import GATE_LEAF
from tallystick.domain.authorship.authors import check_stages
from tallystick.domain.claim.claim import Claim
from tallystick.domain.claim.state import EventType
from tallystick.domain.codec import instant_text
from tallystick.domain.instants import plus
from tallystick.domain.refusals import (
    NotDueError,
)
from tallystick.domain.release.decision import recorded_premises
from tallystick.domain.statements.engine import DecisionStatement
from tallystick.limits.documents import CLOCK_SKEW_MAX


def decision_event(
    agreement: Agreement, claim: Claim, decision: DecisionStatement, at: datetime
) -> EventType:
    """Admit a decision of the gate if it is the one that the present record calls for."""
    check_stages(claim, (decision.stage,))
    if decision.decided_at > plus(at, CLOCK_SKEW_MAX):
        raise NotDueError("the decision is dated in the future", decided_at=instant_text(decision.decided_at))
    if decision.record != claim.record_digest:
        raise NotDueError(
            "the decision was made on another record", expected=claim.record_digest, given=decision.record
        )
    if not decision.released:
        return _refusal_event(decision)
    _check_contributed(agreement, decision)
    expected = claim.rules.premises
    if tuple(verdict.premise for verdict in decision.premises) != expected:
        raise NotDueError("the decision does not list every premise once, in order", expected=list(expected))
    # The record must confirm the gate, both when the gate says that it looked and when this is recorded.
    for moment in (decision.decided_at, at):
        unmet = [
            v.premise for v in recorded_premises(agreement, claim, decision.stage, at=moment) if not v.holds
        ]
        if unmet or not all(verdict.holds for verdict in decision.premises):
            raise NotDueError("a premise of this release is not met", unmet=unmet)
    return EventType.STAGE_DECIDED


def _refusal_event(decision: DecisionStatement) -> EventType:
    """Admit a refusal if it has an unmet premise and discloses nothing."""
    if all(verdict.holds for verdict in decision.premises) or decision.contributions:
        raise NotDueError(
            "a refusal must have an unmet premise, and contribute nothing", stage=decision.stage
        )
    return EventType.STAGE_REFUSED


def _check_contributed(agreement: Agreement, decision: DecisionStatement) -> None:
    expected = sorted(f"{component} {GATE_LEAF}" for component in agreement.stage(decision.stage).components)
    given = sorted(f"{share.component} {share.leaf}" for share in decision.contributions)
    if given != expected:
        raise NotDueError(
            "the decision does not contribute the gate's share of each component, once",
            expected=list(expected),
            given=list(given),
        )
