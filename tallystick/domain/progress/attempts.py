"""How often notice and the gate are tried, and after which pauses."""

from bisect import bisect_right
from datetime import datetime, timedelta
from typing import Final

from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.claim.claim import Claim
from tallystick.domain.claim.state import (
    ClaimState,
    StageProgress,
)
from tallystick.domain.ids import StageId
from tallystick.domain.instants import plus
from tallystick.domain.kinds import Happening
from tallystick.domain.notice.proof import channels_left, notice_is_given
from tallystick.domain.pauses import backoff
from tallystick.domain.statements.engine import DecisionStatement, Event, Notice
from tallystick.limits.steps import (
    GATE_ASKED_AT_ONCE_MAX,
    GATE_ASKED_SHARE,
    GATE_ASKED_SOON_MAX,
    GATE_RETRY_MAX,
    GATE_RETRY_MIN,
    GATE_RETRY_SELDOM,
    GATE_RETRY_SHARE,
    NOTICE_RETRY_MAX,
    NOTICE_RETRY_MIN,
    NOTICE_RETRY_SHARE,
)

# A court order, or others' word that notice was served, may come before any letter. Letters go out all the
# same, though the release needs none then.
_NOTICEABLE: Final = frozenset(
    {ClaimState.ACCEPTED, ClaimState.WINDOW, ClaimState.CONTESTED, ClaimState.APPROVAL}
)


def notice_due_at(agreement: Agreement, claim: Claim) -> datetime | None:
    """Return when the next attempt to give notice is owed, or None if none is."""
    if claim.state not in _NOTICEABLE or notice_is_given(agreement, claim):
        return None
    attempts = claim.entries_of(Notice)
    if attempts and not channels_left(agreement, claim):
        return None  # each took it, and together they prove nothing: only a statement can
    # Attempts never end while a channel refuses: without notice the claim would wait for ever.
    if not attempts:
        return claim.since
    first_at, last_at = attempts[0][0].accepted_at, attempts[-1][0].accepted_at
    longest = max(NOTICE_RETRY_MAX, _part(last_at - first_at, NOTICE_RETRY_SHARE))
    return plus(last_at, backoff(len(attempts), NOTICE_RETRY_MIN, longest))


def asks_gate_from(claim: Claim, following: StageProgress, at: datetime) -> datetime:
    """Return when the gate may be asked: at once after a person's act, then with ever longer pauses.

    However a claim goes, its record fits into an evidence file: the more often the gate was asked, the
    larger a part of the time since then passes before it is asked again.
    """
    acted = claim.lookups.last_act
    assert acted is not None, "a claim begins with its filing"
    decisions = claim.entries_of(DecisionStatement)
    since = decisions[bisect_right(decisions, acted.index, key=lambda one: one[0].index) :]
    refused = [body.stage for _, body in since].count(following.stage)
    if following.refused_at is None or not refused:
        return max(acted.accepted_at, _spaced(claim, GATE_ASKED_AT_ONCE_MAX))
    refused_at = following.refused_at
    if refused_at > at:  # the gate's clock is ahead: do not wait for that time to come
        refused_at = _asked_at(claim, following.stage)
    again = plus(refused_at, gate_pause(refused, refused_at - acted.accepted_at))
    return max(again, _spaced(claim, GATE_ASKED_SOON_MAX))


def _spaced(claim: Claim, often: int) -> datetime:
    """Return from when the gate may be asked on a claim for which it was asked so often, or more."""
    asked = claim.lookups.asked
    if asked is None or asked.times < often:
        return claim.filed_at
    return plus(asked.last_at, max(GATE_RETRY_MAX, _part(asked.last_at - asked.first_at, GATE_ASKED_SHARE)))


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
    longest = min(max(GATE_RETRY_MAX, _part(waited, GATE_RETRY_SHARE)), GATE_RETRY_SELDOM)
    return backoff(refused, GATE_RETRY_MIN, longest)


def _part(waited: timedelta, share: int) -> timedelta:
    """Return a part of a time, in whole seconds, as the record has them."""
    return timedelta(seconds=waited // (share * timedelta(seconds=1)))
