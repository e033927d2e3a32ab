"""Who may act in the place of others, once a wait has lasted as long as the agreement says."""

from datetime import datetime

from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.agreement.windows import HoldEnd, UnprovenNoticeEnd
from tallystick.domain.claim.claim import Claim
from tallystick.domain.quorum import Quorum
from tallystick.domain.statements.signed import Entry
from tallystick.domain.waits.ends import hold_ends, notice_overdue, substitutes_rule_from


def substitutes(agreement: Agreement, claim: Claim, at: datetime) -> Quorum | None:
    """Return who may rule on the dispute instead of the arbitrators, or None while they alone may."""
    since, wait = substitutes_rule_from(agreement, claim), agreement.ends.ruling
    return wait.substitutes if wait is not None and since is not None and at > since.at else None


def reviewers(agreement: Agreement, hold: Entry | None, at: datetime) -> Quorum | None:
    """Return who may lift a hold instead of those who lift holds, or None while these alone may."""
    wait = agreement.ends.hold
    if hold is None or wait is None or wait.then is not HoldEnd.ARBITRATOR:
        return None
    since = hold_ends(agreement, hold)
    return agreement.authorities.arbitration if since is not None and at > since.at else None


def leave_is_open(agreement: Agreement, claim: Claim, at: datetime) -> bool:
    """Return whether those who rule on disputes may now rule that notice was given."""
    wait, overdue = agreement.ends.unproven_notice, notice_overdue(agreement, claim)
    to_arbitrator = wait is not None and wait.then is UnprovenNoticeEnd.ARBITRATOR
    return to_arbitrator and overdue is not None and at > overdue.at
