"""What the engine records by itself: `due` says what time and counting have brought about.

A timer only says when to look; what is so is decided here, on the record. The
workflow records what is due; the verifier refuses a recorded happening that was
not. Only time, never silence of a person, moves a window, and no timeout approves.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from tallystick.domain.agreement import Agreement
from tallystick.domain.calendar import Deadline, deadline
from tallystick.domain.claim import Claim, StageProgress
from tallystick.domain.ids import Digest, StageId
from tallystick.domain.kinds import Happening
from tallystick.domain.notice import deemed_receipt, notice_is_given, proof_of_notice
from tallystick.domain.release import recorded_premises
from tallystick.domain.stages import (
    depositor,
    is_provisional,
    lapses_at,
    opens_at,
    report_due,
    to_roll_back,
)
from tallystick.domain.state import ClaimState, EventType, StageState, states_allowing
from tallystick.domain.statements import BY_ENGINE, DecisionStatement, Event, Notice
from tallystick.domain.tally import tally_approvals, tally_denials
from tallystick.limits import (
    GATE_RETRY_DOUBLINGS_MAX,
    GATE_RETRY_MAX,
    GATE_RETRY_MIN,
    GATE_RETRY_SELDOM,
    GATE_RETRY_SHARE,
    NOTICE_RETRY_MAX,
    NOTICE_RETRY_MIN,
)

_S = ClaimState
_JUST_AFTER: Final = timedelta(seconds=1)  # an act at the deadline itself is in time


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """Something that is so and not yet recorded.

    Attributes:
        until: For a window: its last moment.
        because: Lines that explain it.
    """

    happening: Happening
    stage: StageId | None = None
    until: datetime | None = None
    because: tuple[str, ...] = ()
    cause: Digest | None = None


def due(agreement: Agreement, claim: Claim, *, at: datetime) -> Due | None:
    """Return what is to be recorded next about `claim` at `at`, or None.

    Raises:
        CalendarExhaustedError: A calendar of the agreement does not reach far enough.
    """
    for look in _LOOKS:
        found = look(agreement, claim, at)
        if found is not None:
            return found
    return None


def next_look(agreement: Agreement, claim: Claim, *, at: datetime) -> datetime | None:
    """Return the next moment after `at` at which something may fall due by time alone, or None."""
    return min((moment for moment in _moments(agreement, claim, at) if moment > at), default=None)


def notice_due_at(agreement: Agreement, claim: Claim) -> datetime | None:
    """Return when the next attempt to give notice is owed, or None if none is."""
    # After a court order that came before any notice, the release still waits for one.
    noticeable = {_S.ACCEPTED, _S.CONTESTED, _S.APPROVAL}
    if (
        claim.state not in noticeable
        or claim.window_opened_at is not None
        or notice_is_given(agreement, claim)
    ):
        return None
    # No number of attempts is enough: a claim that nobody is told of would stand still for ever.
    attempts = claim.entries_of(Notice)
    if not attempts:
        return claim.since
    return attempts[-1][0].accepted_at + backoff(len(attempts), NOTICE_RETRY_MIN, NOTICE_RETRY_MAX)


def backoff(times: int, first: timedelta, longest: timedelta) -> timedelta:
    """Return how long to wait after the `times`-th failure: doubling from `first` to `longest`."""
    return min(longest, first * (1 << min(times - 1, GATE_RETRY_DOUBLINGS_MAX)))


def _may_be(claim: Claim, event: EventType) -> bool:
    return claim.state in states_allowing(event)


def _rolled_back(agreement: Agreement, claim: Claim, _: datetime) -> Due | None:
    if claim.state is _S.ROLLING_BACK and not to_roll_back(agreement, claim):
        kept = [p.stage for p in claim.stages if p.state is StageState.ACTIVATED]
        return Due(
            happening=Happening.ROLLBACK_COMPLETED,
            because=("every stage to undo was undone", f"kept: {', '.join(kept) or 'nothing'}"),
        )
    return None


def _denied(agreement: Agreement, claim: Claim, _: datetime) -> Due | None:
    if not _may_be(claim, EventType.DENIAL_QUORUM_REACHED):
        return None
    tally = tally_denials(agreement, claim)
    if not tally.reached:
        return None
    return Due(
        happening=Happening.DENIAL_QUORUM_REACHED, because=(f"denied by {', '.join(sorted(tally.agreeing))}",)
    )


def _window_opens(agreement: Agreement, claim: Claim, at: datetime) -> Due | None:
    if not _may_be(claim, EventType.WINDOW_OPENED) or claim.window_opened_at is not None:
        return None
    proof = proof_of_notice(agreement, claim, at=at)
    if proof is None:
        return None
    ends = deadline(
        proof.at, agreement.windows.objection, recipient=depositor(agreement), agreement=agreement
    )
    return Due(
        happening=Happening.WINDOW_OPENED, until=ends.at, because=(*proof.explanation, *ends.explanation)
    )


def _window_ends(_: Agreement, claim: Claim, at: datetime) -> Due | None:
    if not _may_be(claim, EventType.WINDOW_ENDED):
        return None
    if claim.window_until is None or claim.window_ended_at is not None:
        return None
    # A provisional stage in flight is finished first; the window only gets longer by it.
    if at <= claim.window_until or (claim.in_flight is not None and claim.state is _S.WINDOW):
        return None
    return Due(
        happening=Happening.WINDOW_ENDED, until=claim.window_until, because=("the last moment has passed",)
    )


def _settled(_: Agreement, claim: Claim, __: datetime) -> Due | None:
    if claim.state is not _S.CONTESTED or _blocked(claim):
        return None
    if claim.window_ended_at is not None or claim.bypass is not None:
        return Due(
            happening=Happening.SETTLED_AFTER_WINDOW, because=("no objection stands; the window is over",)
        )
    if claim.window_opened_at is not None:
        return Due(
            happening=Happening.SETTLED_IN_WINDOW, because=("no objection stands; the window runs on",)
        )
    return Due(happening=Happening.SETTLED_BEFORE_WINDOW, because=("no objection stands; notice is awaited",))


def _blocked(claim: Claim) -> bool:
    following = claim.next_stage
    whole = any(body.stages is None for _, body in claim.open_objections)
    return whole or (following is not None and bool(claim.objections_to(following.stage)))


def _contested(_: Agreement, claim: Claim, __: datetime) -> Due | None:
    following = claim.next_stage
    if claim.state is not _S.APPROVAL or following is None or not claim.objections_to(following.stage):
        return None
    return Due(
        happening=Happening.STAGE_CONTESTED,
        stage=following.stage,
        because=("the next stage is objected to",),
        cause=claim.objections_to(following.stage)[0][0].signed.id,
    )


def _completed(_: Agreement, claim: Claim, __: datetime) -> Due | None:
    if claim.state is not _S.APPROVAL or claim.next_stage is not None or claim.in_flight is not None:
        return None
    released = any(p.state is StageState.ACTIVATED for p in claim.stages)
    happening = Happening.RELEASE_COMPLETED if released else Happening.LAPSED
    return Due(happening=happening, because=("every stage is done",))


def _timed_out(agreement: Agreement, claim: Claim, at: datetime) -> Due | None:
    progress = claim.in_flight
    if progress is None or progress.state is not StageState.DECIDED:
        return None
    if not _may_be(claim, EventType.STAGE_TIMED_OUT):
        return None
    limit = report_due(agreement, claim, progress)
    if at <= limit.at:
        return None
    return Due(happening=Happening.STAGE_TIMED_OUT, stage=progress.stage, because=limit.explanation)


def _quorum_reached(agreement: Agreement, claim: Claim, at: datetime) -> Due | None:
    following = claim.next_stage
    if (
        following is None
        or following.state is not StageState.WAITING
        or not _may_ask_gate(agreement, claim, following)
    ):
        return None
    if at < _asks_gate_from(claim, following, at):
        return None
    if not all(verdict.holds for verdict in recorded_premises(agreement, claim, following.stage, at=at)):
        return None
    agreeing = sorted(tally_approvals(agreement, claim, following.stage, at=at).agreeing)
    because = (f"approved by {', '.join(agreeing)}",)
    return Due(happening=Happening.QUORUM_REACHED, stage=following.stage, because=because)


def _may_ask_gate(agreement: Agreement, claim: Claim, following: StageProgress) -> bool:
    if is_provisional(agreement, following.stage) and claim.state in {_S.ACCEPTED, _S.WINDOW}:
        return True
    return claim.state is _S.APPROVAL


def _asks_gate_from(claim: Claim, following: StageProgress, at: datetime) -> datetime:
    """Return from when the gate may be asked: at once after a person's act, ever later while nobody acts."""
    refused, heard_at = 0, claim.filed_at
    for entry in reversed(claim.entries):
        if entry.signed.kind not in BY_ENGINE:
            heard_at = entry.accepted_at
            break
        body = entry.signed.body
        refused += isinstance(body, DecisionStatement) and body.stage == following.stage
    if following.refused_at is None or not refused:
        return heard_at
    refused_at = following.refused_at
    if refused_at > at:  # by the gate's clock, which is ahead: nobody waits until that time has come
        refused_at = _asked_at(claim, following.stage)
    return refused_at + gate_pause(refused, refused_at - heard_at)


def _asked_at(claim: Claim, stage: StageId) -> datetime:
    """Return when the gate was last asked about a stage that it has refused."""
    return next(
        entry.accepted_at
        for entry, event in reversed(claim.entries_of(Event))
        if event.happening is Happening.QUORUM_REACHED and event.stage == stage
    )


def gate_pause(refused: int, waited: timedelta) -> timedelta:
    """Return how long to leave the gate alone after refusals, each of which is an entry of the ledger.

    Args:
        refused: How often it has refused since a person last acted.
        waited: How long ago that was at the last refusal; the pause grows with it, so that a claim that
            stands still for a year still fits into an evidence file.
    """
    share = timedelta(seconds=waited // (GATE_RETRY_SHARE * timedelta(seconds=1)))
    longest = min(max(GATE_RETRY_MAX, share), GATE_RETRY_SELDOM)
    return backoff(refused, GATE_RETRY_MIN, longest)


def _lapsed(agreement: Agreement, claim: Claim, at: datetime) -> Due | None:
    following = claim.next_stage
    if claim.state is not _S.APPROVAL or following is None or following.state is not StageState.WAITING:
        return None
    # Nobody could decide while a hold stands; a claim does not die of it. Nor does one whose
    # quorum is there and that only the gate still refuses: its approvals expire by themselves.
    quorate = tally_approvals(agreement, claim, following.stage, at=at).reached
    if claim.holds_on(following.stage) or quorate:
        return None
    limit = lapses_at(agreement, claim, following.stage)
    if limit is not None and at <= limit.at:
        return None
    if (
        limit is None
        and opens_at(agreement, claim, following.stage) is None
        and not _never_opens(agreement, claim, following)
    ):
        return None
    because = limit.explanation if limit is not None else ("the stage it waits for was not activated",)
    return Due(happening=Happening.LAPSED, stage=following.stage, because=because)


def _never_opens(agreement: Agreement, claim: Claim, following: StageProgress) -> bool:
    after = agreement.stage(following.stage).opens.stage
    earlier = next((p for p in claim.stages if p.stage == after), None)
    return after is not None and (
        earlier is None or earlier.state in {StageState.FAILED, StageState.ROLLED_BACK}
    )


_LOOKS: Final[tuple[Callable[[Agreement, Claim, datetime], Due | None], ...]] = (
    _rolled_back,
    _denied,
    _window_opens,
    _window_ends,
    _settled,
    _contested,
    _timed_out,
    _completed,
    _quorum_reached,
    _lapsed,
)


def _moments(agreement: Agreement, claim: Claim, at: datetime) -> Iterator[datetime]:
    """Yield every moment at which one of the looks may change its answer."""
    notice_at = notice_due_at(agreement, claim)
    if notice_at is not None:
        yield notice_at
    for limit in _limits(agreement, claim):
        yield limit.at
        yield limit.at + _JUST_AFTER
    following = claim.next_stage
    if following is not None and (opening := opens_at(agreement, claim, following.stage)) is not None:
        yield opening.at
    if following is not None and following.refused_at is not None:
        yield _asks_gate_from(claim, following, at)
    for _, approval in claim.approvals:
        yield approval.expires_at + _JUST_AFTER


def _limits(agreement: Agreement, claim: Claim) -> Iterator[Deadline]:
    if claim.window_opened_at is None and (deemed := deemed_receipt(agreement, claim)) is not None:
        yield deemed
    if claim.window_until is not None and claim.window_ended_at is None:
        yield Deadline(at=claim.window_until, explanation=())
    if claim.in_flight is not None and claim.in_flight.state is StageState.DECIDED:
        yield report_due(agreement, claim, claim.in_flight)
    following = claim.next_stage
    if following is not None:
        yield from (d for d in (lapses_at(agreement, claim, following.stage),) if d is not None)
