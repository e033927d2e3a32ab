"""How often notice and the gate are tried, and after which pauses."""

from datetime import datetime, timedelta
from itertools import takewhile
from typing import Final

from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.claim.claim import Claim, StageProgress
from tallystick.domain.claim.state import ClaimState
from tallystick.domain.ids import StageId
from tallystick.domain.instants import plus
from tallystick.domain.kinds import Happening
from tallystick.domain.notice.proof import channels_left, notice_is_given
from tallystick.domain.pauses import backoff
from tallystick.domain.statements.engine import DecisionStatement, Event, Notice
from tallystick.limits.steps import (
    GATE_RETRY_MAX,
    GATE_RETRY_MIN,
    GATE_RETRY_SELDOM,
    GATE_RETRY_SHARE,
    NOTICE_RETRY_MAX,
    NOTICE_RETRY_MIN,
)

# A court order may come before any notice; the release still waits for notice then.
_NOTICEABLE: Final = frozenset({ClaimState.ACCEPTED, ClaimState.CONTESTED, ClaimState.APPROVAL})


def notice_due_at(agreement: Agreement, claim: Claim) -> datetime | None:
    """Return when the next attempt to give notice is owed, or None if none is."""
    if claim.state not in _NOTICEABLE or claim.window_opened_at is not None:
        return None
    if notice_is_given(agreement, claim):
        return None
    attempts = claim.entries_of(Notice)
    if attempts and not channels_left(agreement, claim):
        return None  # each took it, and together they prove nothing: only an acknowledgement can
    # Attempts never end while a channel refuses: without notice the claim would wait for ever.
    if not attempts:
        return claim.since
    return plus(attempts[-1][0].accepted_at, backoff(len(attempts), NOTICE_RETRY_MIN, NOTICE_RETRY_MAX))


def asks_gate_from(claim: Claim, following: StageProgress, at: datetime) -> datetime:
    """Return when the gate may be asked: at once after a person's act, then with ever longer pauses."""
    acted = claim.lookups.last_act
    assert acted is not None, "a claim begins with its filing"
    acted_at = acted.accepted_at
    since = takewhile(lambda one: one[0].index > acted.index, reversed(claim.entries_of(DecisionStatement)))
    refused = sum(body.stage == following.stage for _, body in since)
    if following.refused_at is None or not refused:
        return acted_at
    refused_at = following.refused_at
    if refused_at > at:  # the gate's clock is ahead: do not wait for that time to come
        refused_at = _asked_at(claim, following.stage)
    return plus(refused_at, gate_pause(refused, refused_at - acted_at))


def _asked_at(claim: Claim, stage: StageId) -> datetime:
    """Return when the gate was last asked about a stage that it has refused."""
    return next(
        entry.accepted_at
        for entry, event in reversed(claim.entries_of(Event))
        if event.happening is Happening.QUORUM_REACHED and event.stage == stage
    )


def gate_pause(refused: int, waited: timedelta) -> timedelta:
    """Return how long to wait before asking the gate again: each refusal takes an entry of the ledger.

    Args:
        refused: How often it has refused since a person last acted.
        waited: The time from that act to the last refusal; the pause grows with it, so that the record of a
            claim that waits for a year still fits into an evidence file.
    """
    share = timedelta(seconds=waited // (GATE_RETRY_SHARE * timedelta(seconds=1)))
    longest = min(max(GATE_RETRY_MAX, share), GATE_RETRY_SELDOM)
    return backoff(refused, GATE_RETRY_MIN, longest)
