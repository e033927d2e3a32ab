"""When to look at a claim again."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.agreement.deadlines import Deadline, unless_far
from tallystick.domain.claim.claim import Claim
from tallystick.domain.claim.stages import ended_by_time, lapses_at, opens_at, report_due
from tallystick.domain.claim.state import ClaimState, StageState
from tallystick.domain.instants import plus
from tallystick.domain.notice.proof import deemed_receipt
from tallystick.domain.notice.sighting import sighted_end
from tallystick.domain.progress.attempts import asks_gate_from, notice_due_at
from tallystick.domain.waits.ends import (
    confirm_until,
    dispute_ends,
    hold_ends,
    intake_due,
    notice_overdue,
    substitutes_rule_from,
)

_JUST_AFTER: Final = timedelta(seconds=1)  # an act at the deadline itself is in time


def next_look(agreement: Agreement, claim: Claim, *, at: datetime) -> datetime | None:
    """Return the next moment after `at` at which something may fall due by time alone, or None."""
    return min((moment for moment in claim.rules.moments(agreement, claim, at) if moment > at), default=None)


def moments(agreement: Agreement, claim: Claim, at: datetime) -> Iterator[datetime]:
    """Yield every moment at which the answer of `due` may change."""
    notice_at = notice_due_at(agreement, claim)
    if notice_at is not None:
        yield notice_at
    for limit in (*_limits(agreement, claim), *_ends(agreement, claim, at)):
        yield limit.at
        yield plus(limit.at, _JUST_AFTER)
    following = claim.next_stage
    if following is not None and (opening := opens_at(agreement, claim, following.stage)) is not None:
        yield opening.at
    if following is not None:
        yield asks_gate_from(claim, following, at)
    for _, approval in claim.approvals:
        yield plus(approval.expires_at, _JUST_AFTER)


def _limits(agreement: Agreement, claim: Claim) -> Iterator[Deadline]:
    if (confirm := confirm_until(agreement, claim)) is not None:
        yield confirm
    if claim.window_opened_at is None and (deemed := deemed_receipt(agreement, claim)) is not None:
        yield deemed
    if claim.window_until is not None and claim.window_ended_at is None:
        yield Deadline(at=claim.window_until, explanation=())
        if (sighted := sighted_end(agreement, claim)) is not None:
            yield sighted
    if claim.in_flight is not None and claim.in_flight.state is StageState.DECIDED:
        yield report_due(agreement, claim, claim.in_flight)
    following = claim.next_stage
    if following is not None:
        yield from (d for d in (lapses_at(agreement, claim, following.stage),) if d is not None)


def _ends(agreement: Agreement, claim: Claim, at: datetime) -> Iterator[Deadline]:
    """Yield when the waits of people end, for those that have an end that a calendar reaches."""
    awaits_intake = claim.state is ClaimState.FILED and not claim.is_unconfirmed
    if awaits_intake and agreement.ends.intake is not None:
        yield intake_due(agreement, claim)
    waits = (notice_overdue, dispute_ends, substitutes_rule_from)
    finds = [partial(wait, agreement, claim) for wait in waits]
    holds = [partial(hold_ends, agreement, entry) for entry, _ in claim.open_holds]
    yield from filter(None, (unless_far(find, at) for find in (*finds, *holds)))
    # A clock that was ahead may have ended these too early: what they hold back waits for their true end.
    yield from (Deadline(at=until, explanation=()) for until in ended_by_time(claim))
