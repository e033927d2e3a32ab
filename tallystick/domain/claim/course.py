"""What a running claim waits for: the gate, or its end. Both follow from the record and the time."""

from datetime import datetime

from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.agreement.deadlines import Deadline, deadline
from tallystick.domain.claim.claim import Claim
from tallystick.domain.claim.returns import return_is_due
from tallystick.domain.claim.state import ENDED, ClaimState, EventType, StageState
from tallystick.domain.ids import StageId


def stage_for_the_gate(claim: Claim) -> StageId | None:
    """Return the stage whose quorum is on record, so that the gate must now decide on it, or None."""
    following = claim.next_stage
    if following is None or following.state is not StageState.QUORATE:
        return None
    if not claim.may(EventType.STAGE_DECIDED):
        return None
    return following.stage


def stage_in_delivery(claim: Claim) -> StageId | None:
    """Return the stage that was decided and not yet reported, or None."""
    progress = claim.in_flight
    return progress.stage if progress is not None and progress.state is StageState.DECIDED else None


def return_orders_end(agreement: Agreement, claim: Claim) -> Deadline | None:
    """Return until when an order may still ask for the return of a released claim, or None if not released.

    Raises:
        CalendarExhaustedError: A calendar of the agreement does not reach that far.
    """
    if claim.state is not ClaimState.RELEASED:
        return None
    recipient = agreement.party(claim.claimant_party)
    return deadline(claim.since, agreement.windows.returning, recipient=recipient, agreement=agreement)


def is_carried(claim: Claim) -> bool:
    """Return whether the engine may still have something to do for a claim by itself."""
    return claim.is_open and claim.state is not ClaimState.RETURN_DUE


def is_over(agreement: Agreement, claim: Claim, *, at: datetime) -> bool:
    """Return whether nothing more can follow: it has ended and owes nothing, or was released long enough ago.

    Raises:
        CalendarExhaustedError: A calendar of the agreement does not reach that far.
    """
    limit = return_orders_end(agreement, claim)
    if limit is not None:
        return at > limit.at
    closed = claim.state in ENDED or claim.state is ClaimState.ROLLED_BACK
    return closed and not return_is_due(agreement, claim)
