"""When a wait that people alone would end is over, if the parties have named an end for it.

Nothing lapses while a hold stands on what would be decided next, and afterwards the time counts anew, as for
approvals: a hold neither saves time nor costs any. Only the hold's own review counts from its placing.
"""

from collections.abc import Iterator
from datetime import datetime

from tallystick.domain.agreement.agreement import Agreement, depositor
from tallystick.domain.agreement.deadlines import Deadline, deadline
from tallystick.domain.agreement.parties import Role
from tallystick.domain.claim.claim import Claim, covers
from tallystick.domain.claim.stages import awaits_notice
from tallystick.domain.claim.state import ClaimState
from tallystick.domain.ids import Digest, StageId
from tallystick.domain.periods import Period
from tallystick.domain.statements.acts import Hold
from tallystick.domain.statements.signed import Entry


def confirm_until(agreement: Agreement, claim: Claim) -> Deadline | None:
    """Return the last moment to confirm what was filed for a beneficiary; None if nothing or no end waits."""
    period = agreement.windows.confirmation
    if period is None or claim.state is not ClaimState.FILED or not claim.is_unconfirmed:
        return None
    party = agreement.party(claim.claimant_party)
    return deadline(_running_since(claim), period, recipient=party, agreement=agreement)


def confirmation_over(agreement: Agreement, claim: Claim, at: datetime) -> Deadline | None:
    """Return the end of the time to confirm, if that is over at `at`."""
    end = confirm_until(agreement, claim)
    return end if end is not None and at > end.at and not is_held(claim) else None


def intake_due(agreement: Agreement, claim: Claim) -> Deadline:
    """Return until when the escrow agent must check the form of a claim that awaits no confirmation."""
    agent, confirmed = agreement.parties_in(Role.ESCROW_AGENT)[0], claim.confirmation
    since = _running_since(claim)
    start = since if confirmed is None else max(since, confirmed[0].accepted_at)
    return deadline(start, agreement.windows.intake, recipient=agent, agreement=agreement)


def dispute_ends(agreement: Agreement, claim: Claim) -> Deadline | None:
    """Return until when the dispute must be settled, or None if there is none, or no end is agreed."""
    wait = agreement.ends.dispute
    if wait is None or claim.state is not ClaimState.CONTESTED:
        return None
    return _counted(agreement, _running_since(claim), wait.after)


def substitutes_rule_from(agreement: Agreement, claim: Claim) -> Deadline | None:
    """Return after which moment substitutes may rule on the dispute, or None if nobody may."""
    wait = agreement.ends.ruling
    if wait is None or claim.state is not ClaimState.CONTESTED:
        return None
    return _counted(agreement, claim.since, wait.after)


def hold_ends(agreement: Agreement, hold: Entry) -> Deadline | None:
    """Return when the review of a hold is over, or None if no end is agreed."""
    wait = agreement.ends.hold
    return None if wait is None else _counted(agreement, hold.accepted_at, wait.after)


def ended_too_early(agreement: Agreement, claim: Claim, stage: StageId, at: datetime) -> Iterator[Digest]:
    """Yield the holds on `stage` that have ended by themselves on record, but not yet at `at`.

    The record relies on the clocks of those who wrote it, and `at` is the clock of the one who asks.
    """
    for entry, body in claim.entries_of(Hold):
        if entry.signed.id in claim.ended_holds and covers(body.stages, stage):
            end = hold_ends(agreement, entry)
            if end is None or at <= end.at:
                yield entry.signed.id


def notice_overdue(agreement: Agreement, claim: Claim) -> Deadline | None:
    """Return until when notice must be proven, or None if it is not awaited, or no end is agreed."""
    wait = agreement.ends.unproven_notice
    if wait is None or claim.state is ClaimState.CONTESTED or not awaits_notice(claim):
        return None
    letters = (entry for entry, body in claim.notices if any(one.taken for one in body.channels))
    first, since = next(letters, None), _running_since(claim)
    return _counted(agreement, since if first is None else max(since, first.accepted_at), wait.after)


def is_held(claim: Claim) -> bool:
    """Return whether a hold stands on the stage that would be decided next."""
    following = claim.next_stage
    return following is not None and bool(claim.holds_on(following.stage))


def _running_since(claim: Claim) -> datetime:
    return max(claim.since, claim.resumed_at or claim.since)


def _counted(agreement: Agreement, start: datetime, period: Period) -> Deadline:
    return deadline(start, period, recipient=depositor(agreement), agreement=agreement)
