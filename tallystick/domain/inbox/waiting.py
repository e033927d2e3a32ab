"""What a claim waits for, on whom, and until when: the inbox, and the deadlines with their reasons.

Nothing is decided here: every answer comes from the functions that decide it, in
`claim`, `notice` and `progress`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import takewhile
from typing import Final, TypeVar

from tallystick.domain.agreement.agreement import Agreement, depositor
from tallystick.domain.agreement.deadlines import CalendarExhaustedError, Deadline
from tallystick.domain.agreement.parties import Role
from tallystick.domain.authorship.authors import claimants_of, reporters_of
from tallystick.domain.claim.claim import Claim
from tallystick.domain.claim.confirming import awaits_confirmation
from tallystick.domain.claim.receivers import named_anew_by, naming
from tallystick.domain.claim.returns import return_is_due
from tallystick.domain.claim.stages import (
    awaits_notice,
    lapses_at,
    opens_at,
    report_due,
    still_waiting,
    to_give_back,
    to_roll_back,
)
from tallystick.domain.claim.state import GIVEN_UP, ClaimState, EventType, StageState
from tallystick.domain.claim.tally import tally_approvals
from tallystick.domain.ids import PersonId, StageId
from tallystick.domain.inbox.deadlines import return_due
from tallystick.domain.inbox.endings import then
from tallystick.domain.inbox.undelivered import undelivered
from tallystick.domain.notice.proof import deemed_receipt, notice_is_given
from tallystick.domain.notice.sighting import sighting_of, window_end
from tallystick.domain.progress.beyond import beyond_calendars
from tallystick.domain.quorum import Quorum
from tallystick.domain.quoting import quoted
from tallystick.domain.statements.acts import Hold
from tallystick.domain.statements.signed import Entry
from tallystick.domain.waits.ends import confirm_until, dispute_ends, hold_ends, intake_due, notice_overdue
from tallystick.domain.waits.powers import leave_is_open, reviewers, substitutes

_S = ClaimState
_T = TypeVar("_T")


class Awaited(StrEnum):
    """What a claim may wait for: a kind of statement, or something that takes only time or the engine."""

    CONFIRMATION = "confirmation"
    INTAKE = "intake"
    NOTICE = "notice"
    """The depositor's channels do not take it: the agent has to reach the depositor in another way."""
    ACKNOWLEDGEMENT = "notice-acknowledgement"
    LEAVE = "leave"
    """Notice is not proven in time: those who rule on disputes may rule that it was given."""
    WINDOW = "window"
    """Time only; until then, the objectors may object."""
    SETTLEMENT = "settlement"
    """An objection must be retracted, ruled on, or accepted by withdrawing the claim."""
    APPROVAL = "approval"
    OPENING = "opening"
    """Time only: the stage is not open yet, even if its quorum is reached."""
    GATE = "gate"
    RECEIPT = "receipt"
    ROLLBACK = "rollback"
    RETURN = "return"
    HOLD_LIFT = "hold-lift"
    CALENDAR = "calendar"
    """A new version of the agreement, whose calendars reach the next deadline."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """One thing that a claim waits for.

    Attributes:
        on: The persons who could bring it about; empty if only time or the engine can.
        until: When the wait ends by itself, if it does.
    """

    what: Awaited
    on: tuple[PersonId, ...]
    until: datetime | None
    why: str


def waiting(agreement: Agreement, claim: Claim, at: datetime) -> tuple[Waiting, ...]:
    """Return what `claim` waits for at `at`; empty once nobody owes anything.

    If no calendar reaches a deadline, its `until` is None, so that the claim can still be read.
    """
    return tuple(item for look in _LOOKS for item in look(agreement, claim, at))


def to_undo(agreement: Agreement, claim: Claim) -> tuple[StageId, ...]:
    """Return the stages that the receiver must undo now, in this order: the last one first.

    Undoing a stage removes its files, and nothing is destroyed while a hold stands on it. Because a stage
    goes back only after those that came later, a hold also keeps the stages before it.
    """
    return tuple(takewhile(lambda stage: not claim.holds_on(stage), going_back(agreement, claim)))


def going_back(agreement: Agreement, claim: Claim) -> tuple[StageId, ...]:
    """Return the stages that must be undone, now or once the holds on them are lifted, the last one first."""
    if claim.state is _S.ROLLING_BACK:
        return to_roll_back(agreement, claim)
    if claim.state in GIVEN_UP | {_S.RETURN_DUE}:
        released = {StageState.DECIDED, StageState.ACTIVATED, StageState.FAILED}
        return tuple(
            stage for stage in to_give_back(agreement, claim) if claim.progress(stage).state in released
        )
    return ()


def _for_confirmation(agreement: Agreement, claim: Claim, _: datetime) -> Iterator[Waiting]:
    if awaits_confirmation(claim) and claim.undecided_stages and claim.may(EventType.CLAIM_CONFIRMED):
        endless = claim.is_unconfirmed and agreement.windows.confirmation is None
        end = "; no end is agreed" if endless else ""
        yield Waiting(
            what=Awaited.CONFIRMATION,
            on=claimants_of(agreement, claim),
            until=_end(lambda: confirm_until(agreement, claim)),
            why=f"{claim.claimant_party} confirms what {claim.filing.person} filed for it{end}",
        )


def _for_intake(agreement: Agreement, claim: Claim, _: datetime) -> Iterator[Waiting]:
    if claim.state is _S.FILED and not claim.is_unconfirmed:
        yield Waiting(
            what=Awaited.INTAKE,
            on=tuple(one for one in agreement.authorities.intake if one != claim.filing.person),
            until=_end(lambda: intake_due(agreement, claim)),
            why=f"the escrow agent checks the form of the claim; {then(agreement.ends.intake)}",
        )


def _for_notice(agreement: Agreement, claim: Claim, at: datetime) -> Iterator[Waiting]:
    if not awaits_notice(claim):
        return
    sent = notice_is_given(agreement, claim)
    if (trouble := undelivered(agreement, claim)) is not None:
        yield Waiting(what=Awaited.NOTICE, on=_agents(agreement), until=None, why=trouble)
    why = "the objection window starts when the depositor has notice" + (
        "" if sent else ", which nobody took yet"
    )
    deemed = _end(lambda: deemed_receipt(agreement, claim))
    overdue = _end(lambda: notice_overdue(agreement, claim))
    yield Waiting(
        what=Awaited.ACKNOWLEDGEMENT,
        on=tuple(person.id for person in agreement.acting_for(depositor(agreement).id)),
        until=deemed or overdue,
        why=why if deemed is not None else f"{why}; {then(agreement.ends.unproven_notice)}",
    )
    if _found(lambda: leave_is_open(agreement, claim, at)):
        yield Waiting(
            what=Awaited.LEAVE,
            on=_members(agreement.authorities.arbitration),
            until=None,
            why="notice is not proven in time; the arbitrators may rule that it was given",
        )


def _agents(agreement: Agreement) -> tuple[PersonId, ...]:
    parties = agreement.parties_in(Role.ESCROW_AGENT)
    return tuple(person.id for party in parties for person in agreement.acting_for(party.id))


def _for_window(agreement: Agreement, claim: Claim, _: datetime) -> Iterator[Waiting]:
    if claim.state is not _S.WINDOW or claim.window_opened_at is None:
        return
    end = _found(lambda: window_end(agreement, claim))
    why = [f"the objection window runs; {', '.join(agreement.objection.objectors)} may object"]
    if sighting_of(claim) is None:
        why.append("it cannot end before the gate has signed that it saw the notice")
    elif end is not None and end.at != claim.window_until:
        why.append(f"{end.explanation[0]}, and the window counts from then")
    yield Waiting(what=Awaited.WINDOW, on=(), until=None if end is None else end.at, why="; ".join(why))


def _for_settlement(agreement: Agreement, claim: Claim, at: datetime) -> Iterator[Waiting]:
    if claim.state is not _S.CONTESTED:
        return
    arbitrators = {
        *_members(agreement.authorities.arbitration),
        *_members(_found(lambda: substitutes(agreement, claim, at))),
    }
    authors = {body.person for _, body in claim.open_objections}
    grounds = ", ".join(map(quoted, sorted({body.ground for _, body in claim.open_objections})))
    yield Waiting(
        what=Awaited.SETTLEMENT,
        on=tuple(sorted(arbitrators | authors | {claim.claimant})),
        until=_end(lambda: dispute_ends(agreement, claim)),
        why=f"an objection is open ({grounds}) until it is ruled on, retracted or accepted; "
        f"{then(agreement.ends.dispute)}",
    )


def _for_approval(agreement: Agreement, claim: Claim, at: datetime) -> Iterator[Waiting]:
    following = still_waiting(claim)
    if following is None:
        return
    tally = tally_approvals(agreement, claim, following.stage, at=at)
    if not tally.reached:
        yield Waiting(
            what=Awaited.APPROVAL,
            on=tally.outstanding,
            until=_end(lambda: lapses_at(agreement, claim, following.stage)),
            why=f"stage {following.stage} needs its quorum; approved by "
            f"{', '.join(sorted(tally.agreeing)) or 'nobody'}" + _anew(claim, following.stage),
        )


def _anew(claim: Claim, stage: StageId) -> str:
    _, named = naming(claim, stage)
    if named_anew_by(claim, stage) is None:
        return ""
    people = ", ".join(one.person for one in named)
    return f"; approvals from before the receivers were named anew ({people}) do not count"


def _for_opening(agreement: Agreement, claim: Claim, at: datetime) -> Iterator[Waiting]:
    following = still_waiting(claim)
    if following is None or claim.state is _S.WINDOW:
        return
    opens = _end(lambda: opens_at(agreement, claim, following.stage))
    if opens is not None and opens > at:
        yield Waiting(
            what=Awaited.OPENING,
            on=(),
            until=opens,
            why=f"stage {following.stage} is not open yet",
        )


def _for_gate(_: Agreement, claim: Claim, __: datetime) -> Iterator[Waiting]:
    for progress in claim.stages:
        if progress.state is StageState.QUORATE:
            refused = f", after {progress.refusals} refusals" if progress.refusals else ""
            yield Waiting(
                what=Awaited.GATE,
                on=(),
                until=None,
                why=f"the gate validates stage {progress.stage}{refused}",
            )


def _for_receipt(agreement: Agreement, claim: Claim, _: datetime) -> Iterator[Waiting]:
    progress = claim.in_flight
    if claim.state not in GIVEN_UP and progress is not None and progress.state is StageState.DECIDED:
        yield Waiting(
            what=Awaited.RECEIPT,
            on=reporters_of(agreement, claim, progress.stage),
            until=_end(lambda: report_due(agreement, claim, progress)),
            why=f"the receiver provisions stage {progress.stage} and signs a receipt",
        )


def _for_rollback(agreement: Agreement, claim: Claim, _: datetime) -> Iterator[Waiting]:
    undo = to_undo(agreement, claim)
    if undo:
        yield Waiting(
            what=Awaited.ROLLBACK,
            on=reporters_of(agreement, claim, undo[0]),
            until=None,
            why=f"the receiver undoes {', '.join(undo)}, in this order",
        )
    if held := going_back(agreement, claim)[len(undo) :]:
        yield Waiting(
            what=Awaited.ROLLBACK,
            on=tuple(sorted(agreement.authorities.hold_lift.persons)),
            until=None,
            why=f"a hold stands on {held[0]}: the receiver keeps {', '.join(held)} until it is lifted",
        )


def _for_return(agreement: Agreement, claim: Claim, _: datetime) -> Iterator[Waiting]:
    if return_is_due(agreement, claim):
        yield Waiting(
            what=Awaited.RETURN,
            on=claimants_of(agreement, claim),
            until=_end(lambda: return_due(agreement, claim)),
            why="the beneficiary must return or destroy what was disclosed, and certify it"
            + ("; while a hold stands, it must destroy nothing" if claim.frozen else ""),
        )


def _for_hold_lift(agreement: Agreement, claim: Claim, at: datetime) -> Iterator[Waiting]:
    for entry, body in claim.open_holds:
        yield _held_by(agreement, entry, body, at)


def _held_by(agreement: Agreement, entry: Entry, body: Hold, at: datetime) -> Waiting:
    scope = ", ".join(body.stages) if body.stages is not None else "the whole claim"
    reviewing = _members(_found(lambda: reviewers(agreement, entry, at)))
    return Waiting(
        what=Awaited.HOLD_LIFT,
        on=tuple(sorted({*agreement.authorities.hold_lift.persons, *reviewing})),
        until=_end(lambda: hold_ends(agreement, entry)),
        why=f"{body.person} has placed a hold on {scope}: {quoted(body.reason)}; {then(agreement.ends.hold)}",
    )


def _members(quorum: Quorum | None) -> tuple[PersonId, ...]:
    return () if quorum is None else tuple(sorted(quorum.persons))


def _for_calendar(agreement: Agreement, claim: Claim, at: datetime) -> Iterator[Waiting]:
    if (beyond := beyond_calendars(agreement, claim, at=at)) is not None:
        yield Waiting(
            what=Awaited.CALENDAR,
            on=tuple(person.id for person in agreement.persons),
            until=None,
            why=f"the next deadline cannot be computed: {beyond.message}; "
            "it is counted once every party has signed a version that only has longer calendars",
        )


def _end(find: Callable[[], Deadline | None]) -> datetime | None:
    deadline = _found(find)
    return None if deadline is None else deadline.at


def _found(find: Callable[[], _T | None]) -> _T | None:
    try:
        return find()
    except CalendarExhaustedError:
        return None


_LOOKS: Final[tuple[Callable[[Agreement, Claim, datetime], Iterator[Waiting]], ...]] = (
    _for_confirmation,
    _for_intake,
    _for_notice,
    _for_window,
    _for_settlement,
    _for_approval,
    _for_opening,
    _for_gate,
    _for_receipt,
    _for_rollback,
    _for_return,
    _for_hold_lift,
    _for_calendar,
)
