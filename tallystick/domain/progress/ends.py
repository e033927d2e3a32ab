"""What the engine records when a wait of people is over by the end that the parties have chosen for it."""

from collections.abc import Callable
from datetime import datetime
from functools import partial

from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.agreement.deadlines import Deadline, unless_far
from tallystick.domain.agreement.windows import HoldEnd, IntakeEnd, UnprovenNoticeEnd
from tallystick.domain.claim.claim import Claim
from tallystick.domain.claim.rules import Due
from tallystick.domain.claim.state import ClaimState, EventType
from tallystick.domain.ids import Digest
from tallystick.domain.kinds import Happening
from tallystick.domain.statements.signed import Entry
from tallystick.domain.waits.ends import dispute_ends, hold_ends, intake_due, is_held, notice_overdue


def intake_over(agreement: Agreement, claim: Claim, at: datetime) -> Due | None:
    """Return that a claim lapses, or is taken in, because nobody has checked its form in time.

    What the escrow agent itself filed for a beneficiary is never taken in unchecked.
    """
    wait = agreement.ends.intake
    if wait is None or claim.state is not ClaimState.FILED or claim.is_unconfirmed or is_held(claim):
        return None
    goes_on = wait.then is IntakeEnd.GO_ON and claim.filing.for_ is None
    happening = Happening.TAKEN_IN_UNCHECKED if goes_on else Happening.INTAKE_LAPSED
    return _after(lambda: intake_due(agreement, claim), at, happening)


def notice_over(agreement: Agreement, claim: Claim, at: datetime) -> Due | None:
    """Return that a claim lapses because notice was not proven in time."""
    wait = agreement.ends.unproven_notice
    if wait is None or wait.then is not UnprovenNoticeEnd.LAPSE or is_held(claim):
        return None
    return _after(lambda: notice_overdue(agreement, claim), at, Happening.NOTICE_LAPSED)


def dispute_over(agreement: Agreement, claim: Claim, at: datetime) -> Due | None:
    """Return that a claim lapses because its dispute was not settled in time."""
    if is_held(claim):
        return None
    return _after(lambda: dispute_ends(agreement, claim), at, Happening.DISPUTE_LAPSED)


def hold_over(agreement: Agreement, claim: Claim, at: datetime) -> Due | None:
    """Return that a hold ends, or that the claim lapses, because the hold was not lifted in time."""
    wait = agreement.ends.hold
    if wait is None or wait.then is HoldEnd.ARBITRATOR:
        return None
    ending = wait.then is HoldEnd.GO_ON
    event, happening = (
        (EventType.HOLD_ENDED, Happening.HOLD_ENDED)
        if ending
        else (EventType.HOLD_LAPSED, Happening.HOLD_LAPSED)
    )
    holds = (entry for entry, _ in claim.open_holds if ending or _is_in_the_way(claim, entry))
    over = (_after(partial(hold_ends, agreement, one), at, happening, cause=one.signed.id) for one in holds)
    return next(filter(None, over), None) if claim.may(event) else None


def _is_in_the_way(claim: Claim, hold: Entry) -> bool:
    following = claim.next_stage
    return following is not None and hold in [entry for entry, _ in claim.holds_on(following.stage)]


def _after(
    find: Callable[[], Deadline | None], at: datetime, happening: Happening, *, cause: Digest | None = None
) -> Due | None:
    """Return what is due after an end; an act at the last moment itself is in time."""
    end = unless_far(find, at)
    if end is None or at <= end.at:
        return None
    return Due(happening=happening, until=end.at, because=end.explanation, cause=cause)
