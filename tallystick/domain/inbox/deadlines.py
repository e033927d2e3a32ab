"""The deadlines of a claim, each with the days that were counted."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Final

from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.agreement.deadlines import CalendarExhaustedError, Deadline, deadline
from tallystick.domain.claim.claim import Claim
from tallystick.domain.claim.returns import return_is_due
from tallystick.domain.claim.stages import awaits_notice, lapses_at, opens_at, report_due, still_waiting
from tallystick.domain.claim.state import UNDECIDED, ClaimState, StageState
from tallystick.domain.kinds import Happening
from tallystick.domain.notice.proof import deemed_receipt
from tallystick.domain.notice.sighting import window_end
from tallystick.domain.progress.attempts import notice_due_at
from tallystick.domain.statements.engine import Event
from tallystick.domain.waits.ends import (
    confirm_until,
    dispute_ends,
    hold_ends,
    intake_due,
    notice_overdue,
    substitutes_rule_from,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedDeadline:
    """A deadline, and what ends then.

    Attributes:
        what: For programs: a name of `_WORDS`, and after a colon of which stage or person.
    """

    what: str
    at: datetime
    explanation: tuple[str, ...]

    @property
    def words(self) -> str:
        """What ends then, for people."""
        kind, _, of = self.what.partition(":")
        return f"{_WORDS[kind]} {of}".rstrip()


def deadlines(agreement: Agreement, claim: Claim, at: datetime) -> tuple[NamedDeadline, ...]:
    """Return every deadline that runs or has run for `claim`, earliest first, each with its days.

    Args:
        at: The present moment; approvals that have expired by then are left out.

    Raises:
        CalendarExhaustedError: A calendar of the agreement does not reach far enough.
    """
    known, beyond = known_deadlines(agreement, claim, at)
    if beyond:
        raise beyond[0]
    return known


def known_deadlines(
    agreement: Agreement, claim: Claim, at: datetime
) -> tuple[tuple[NamedDeadline, ...], tuple[CalendarExhaustedError, ...]]:
    """Return the deadlines that can be computed, as `deadlines` does, and why each of the others cannot."""
    known, beyond = list[NamedDeadline](), list[CalendarExhaustedError]()
    for look in _DEADLINES:
        try:
            for named in look(agreement, claim, at):
                known.append(named)
        except CalendarExhaustedError as error:
            beyond.append(error)
    return tuple(sorted(known, key=lambda named: (named.at, named.what))), tuple(beyond)


def return_due(agreement: Agreement, claim: Claim) -> Deadline:
    """Return until when the beneficiary must certify the return of what was disclosed."""
    recipient = agreement.party(claim.claimant_party)
    return deadline(claim.since, agreement.windows.returning, recipient=recipient, agreement=agreement)


_WORDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "confirmation": "the beneficiary confirms what was filed for it",
        "intake": "the escrow agent checks the form",
        "deemed-receipt": "notice counts as received",
        "next-notice": "notice is sent again",
        "notice-overdue": "notice can be proven",
        "dispute": "the dispute can be settled",
        "substitutes": "the arbitrators alone may rule",
        "hold": "a hold stands that was placed by",
        "objection-window": "the depositor may object",
        "objection-window-as-seen": "the depositor may object, by the gate's clock",
        "stage-opens": "the earliest release of",
        "stage-lapses": "the approvals needed for",
        "receipt": "the beneficiary's report on",
        "approval-expires": "an approval counts that was given by",
        "return": "return or destruction of what was released",
    }
)


def _named(what: str, end: Deadline | None) -> Iterator[NamedDeadline]:
    if end is not None:
        yield NamedDeadline(what=what, at=end.at, explanation=end.explanation)


def _intake_deadline(agreement: Agreement, claim: Claim, _: datetime) -> Iterator[NamedDeadline]:
    if claim.state is not ClaimState.FILED:
        return
    if claim.is_unconfirmed:
        yield from _named("confirmation", confirm_until(agreement, claim))
    else:
        yield from _named("intake", intake_due(agreement, claim))


def _notice_deadlines(agreement: Agreement, claim: Claim, _: datetime) -> Iterator[NamedDeadline]:
    if awaits_notice(claim):
        yield from _named("deemed-receipt", deemed_receipt(agreement, claim))
        if (attempt := notice_due_at(agreement, claim)) is not None:
            yield NamedDeadline(what="next-notice", at=attempt, explanation=("notice is not proven yet",))
        yield from _named("notice-overdue", notice_overdue(agreement, claim))


def _window_deadline(agreement: Agreement, claim: Claim, __: datetime) -> Iterator[NamedDeadline]:
    if claim.window_until is None:
        return
    # The engine wrote down which days it counted when it recorded that the window opened.
    opened = [body for _, body in claim.entries_of(Event) if body.happening is Happening.WINDOW_OPENED]
    yield NamedDeadline(what="objection-window", at=claim.window_until, explanation=opened[-1].because)
    end = window_end(agreement, claim)
    if end is not None and end.at > claim.window_until:
        yield NamedDeadline(what="objection-window-as-seen", at=end.at, explanation=end.explanation)


def _stage_deadlines(agreement: Agreement, claim: Claim, _: datetime) -> Iterator[NamedDeadline]:
    following = still_waiting(claim)
    if following is not None:
        yield from _named(f"stage-opens:{following.stage}", opens_at(agreement, claim, following.stage))
        yield from _named(f"stage-lapses:{following.stage}", lapses_at(agreement, claim, following.stage))
    progress = claim.in_flight
    if progress is not None and progress.state is StageState.DECIDED:
        yield from _named(f"receipt:{progress.stage}", report_due(agreement, claim, progress))


def _dispute_deadlines(agreement: Agreement, claim: Claim, _: datetime) -> Iterator[NamedDeadline]:
    yield from _named("dispute", dispute_ends(agreement, claim))
    yield from _named("substitutes", substitutes_rule_from(agreement, claim))


def _hold_deadlines(agreement: Agreement, claim: Claim, _: datetime) -> Iterator[NamedDeadline]:
    for entry, body in claim.open_holds:
        yield from _named(f"hold:{body.person}", hold_ends(agreement, entry))


def _approval_expiries(_: Agreement, claim: Claim, at: datetime) -> Iterator[NamedDeadline]:
    if claim.state not in UNDECIDED | {ClaimState.PROVISIONING}:
        return
    for entry, body in claim.approvals:
        if entry.signed.id not in claim.retracted and body.expires_at >= at:
            why = f"as the approval of {', '.join(body.stages)} says"
            yield NamedDeadline(
                what=f"approval-expires:{body.person}", at=body.expires_at, explanation=(why,)
            )


def _return_deadline(agreement: Agreement, claim: Claim, _: datetime) -> Iterator[NamedDeadline]:
    if return_is_due(agreement, claim):
        yield from _named("return", return_due(agreement, claim))


_DEADLINES: Final[tuple[Callable[[Agreement, Claim, datetime], Iterator[NamedDeadline]], ...]] = (
    _intake_deadline,
    _notice_deadlines,
    _window_deadline,
    _dispute_deadlines,
    _hold_deadlines,
    _stage_deadlines,
    _approval_expiries,
    _return_deadline,
)
