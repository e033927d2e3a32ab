"""What the engine records by itself: `due` says what time and counting have brought about.

A timer only says when to look; what has happened is decided here, from the record. The
workflow records what is due; the verifier refuses a recorded event that was not due.
Only time, never a person's silence, ends a window, and no timeout approves anything.
"""

from dataclasses import replace
from datetime import datetime
from typing import Final

from tallystick.domain.agreement.agreement import Agreement, depositor
from tallystick.domain.agreement.deadlines import deadline
from tallystick.domain.claim.claim import Claim
from tallystick.domain.claim.orders import standing_release_order
from tallystick.domain.claim.rules import Due, Look
from tallystick.domain.claim.stages import is_provisional, lapses_at, report_due, to_roll_back
from tallystick.domain.claim.state import (
    ClaimState,
    EventType,
    StageProgress,
    StageState,
)
from tallystick.domain.claim.tally import is_denied, tally_approvals, tally_denials
from tallystick.domain.ids import PersonId, StageId
from tallystick.domain.kinds import Happening
from tallystick.domain.notice.proof import proof_of_notice
from tallystick.domain.notice.sighting import window_end
from tallystick.domain.progress.attempts import asks_gate_from
from tallystick.domain.progress.ends import dispute_over, hold_over, intake_over, notice_over
from tallystick.domain.quoting import shortened
from tallystick.domain.release.decision import recorded_premises
from tallystick.domain.waits.ends import confirmation_over

_S = ClaimState


def due(agreement: Agreement, claim: Claim, *, at: datetime) -> Due | None:
    """Return what must be recorded next about `claim` at `at`, or None.

    Its lines are no longer than a statement may have them, whatever the agreement's names and addresses are:
    otherwise it could never be recorded.

    Raises:
        CalendarExhaustedError: A calendar of the agreement does not reach far enough.
    """
    owed = (look(agreement, claim, at) for look in claim.rules.looks)
    found = next((one for one in owed if one is not None), None)
    return None if found is None else replace(found, because=tuple(map(shortened, found.because)))


def _rolled_back(agreement: Agreement, claim: Claim, _: datetime) -> Due | None:
    if claim.state is _S.ROLLING_BACK and not to_roll_back(agreement, claim):
        kept = [p.stage for p in claim.stages if p.state is StageState.ACTIVATED]
        return Due(
            happening=Happening.ROLLBACK_COMPLETED,
            because=("every stage that had to be undone is undone", f"kept: {', '.join(kept) or 'nothing'}"),
        )
    return None


def _denied(agreement: Agreement, claim: Claim, _: datetime) -> Due | None:
    if not claim.may(EventType.DENIAL_QUORUM_REACHED):
        return None
    if not is_denied(agreement, claim):
        return None
    tallies = [tally_denials(agreement, claim, stage) for stage in claim.undecided_stages or (None,)]
    deniers = sorted(frozenset[PersonId]().union(*(tally.agreeing for tally in tallies)))
    return Due(happening=Happening.DENIAL_QUORUM_REACHED, because=(f"denied by {', '.join(deniers)}",))


def _window_opens(agreement: Agreement, claim: Claim, at: datetime) -> Due | None:
    if not claim.may(EventType.WINDOW_OPENED) or claim.window_opened_at is not None or _is_skipped(claim):
        return None
    proof = proof_of_notice(agreement, claim, at=at)
    if proof is None:
        return None
    received, period = proof.received, agreement.windows.objection
    ends = deadline(received.at, period, recipient=depositor(agreement), agreement=agreement)
    because = (*received.explanation, *ends.explanation)
    return Due(happening=Happening.WINDOW_OPENED, until=ends.at, because=because, cause=proof.by.signed.id)


def _window_ends(agreement: Agreement, claim: Claim, at: datetime) -> Due | None:
    if not claim.may(EventType.WINDOW_ENDED) or _is_skipped(claim):
        return None
    if claim.window_until is None or claim.window_ended_at is not None:
        return None
    # A provisional stage in flight is finished first; that can only make the window longer.
    if claim.in_flight is not None and claim.state is _S.WINDOW:
        return None
    ends = window_end(agreement, claim)
    if ends is None or at <= ends.at:
        return None
    return Due(happening=Happening.WINDOW_ENDED, until=ends.at, because=ends.explanation)


def _is_skipped(claim: Claim) -> bool:
    """Return whether an order keeps the window from mattering; once it falls, the window runs again."""
    return claim.state is _S.APPROVAL and standing_release_order(claim) is not None


def _settled(_: Agreement, claim: Claim, __: datetime) -> Due | None:
    if claim.state is not _S.CONTESTED or _blocked(claim):
        return None
    if claim.window_ended_at is not None or standing_release_order(claim) is not None:
        return Due(
            happening=Happening.SETTLED_AFTER_WINDOW, because=("no objection is open; the window is over",)
        )
    if claim.window_opened_at is not None:
        return Due(
            happening=Happening.SETTLED_IN_WINDOW, because=("no objection is open; the window continues",)
        )
    because = ("no objection is open; notice is not proven yet",)
    return Due(happening=Happening.SETTLED_BEFORE_WINDOW, because=because)


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
    if not claim.may(EventType.STAGE_TIMED_OUT):
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
    if at < asks_gate_from(claim, following, at):
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


def _lapsed(agreement: Agreement, claim: Claim, at: datetime) -> Due | None:
    following = claim.next_stage
    if claim.state is not _S.APPROVAL or following is None or following.state is not StageState.WAITING:
        return None
    if claim.holds_on(following.stage) or _agreed(agreement, claim, following.stage, at):
        return None  # nobody can decide while there is a hold, so a hold makes no claim lapse
    limit = lapses_at(agreement, claim, following.stage)
    if limit is not None and at <= limit.at:
        return None
    if limit is None and not _never_opens(agreement, claim, following):
        return None
    because = limit.explanation if limit is not None else ("the stage it waits for was not activated",)
    return Due(happening=Happening.LAPSED, stage=following.stage, because=because)


def _agreed(agreement: Agreement, claim: Claim, stage: StageId, at: datetime) -> bool:
    # A claim whose quorum is there and that only the gate refuses does not lapse: its approvals expire by
    # themselves. A stage that enough persons deny is never released, so it does lapse.
    denied = tally_denials(agreement, claim, stage).reached
    return not denied and tally_approvals(agreement, claim, stage, at=at).reached


def _never_opens(agreement: Agreement, claim: Claim, following: StageProgress) -> bool:
    after = agreement.stage(following.stage).opens.stage
    earlier = next((p for p in claim.stages if p.stage == after), None)
    return after is not None and (
        earlier is None or earlier.state in {StageState.FAILED, StageState.ROLLED_BACK}
    )


def _unconfirmed(agreement: Agreement, claim: Claim, at: datetime) -> Due | None:
    if (limit := confirmation_over(agreement, claim, at)) is None:
        return None
    nobody = f"{claim.claimant_party} has not confirmed what was filed for it"
    return Due(happening=Happening.LAPSED, because=(nobody, *limit.explanation))


LOOKS: Final[tuple[Look[Claim], ...]] = (
    _rolled_back,
    intake_over,
    _denied,
    hold_over,
    _window_opens,
    notice_over,
    _window_ends,
    _settled,
    _contested,
    dispute_over,
    _timed_out,
    _completed,
    _quorum_reached,
    _lapsed,
    _unconfirmed,
)
