"""Approvals, denials, objections, their retraction, and orders from outside."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

from tallystick.domain.admission.acts import Rule
from tallystick.domain.agreement.agreement import Agreement, depositor
from tallystick.domain.agreement.deadlines import deadline
from tallystick.domain.authorship.authors import check_one_of, check_stages
from tallystick.domain.claim.claim import Claim, covers
from tallystick.domain.claim.state import ClaimState, EventType, states_allowing
from tallystick.domain.claim.tally import bar
from tallystick.domain.codec import instant_text
from tallystick.domain.ids import PersonId, StageId
from tallystick.domain.kinds import Outcome
from tallystick.domain.refusals import (
    AlreadyStatedError,
    BadTimingError,
    DisputeSettledError,
    MisdirectedError,
    NothingToRetractError,
    RetractionIsFinalError,
    SelfServingError,
    UnknownGroundError,
)
from tallystick.domain.statements.acts import Approval, Denial, Objection, Retraction
from tallystick.domain.statements.signed import Body, Entry


def approval(
    agreement: Agreement, claim: Claim, body: Approval, _by: frozenset[PersonId], at: datetime
) -> EventType:
    """Admit an approval of stages by a person with a leaf in each of their quorums.

    Raises:
        TallystickError: Not a stage of this claim, nobody with a leaf, the claimant's own,
            another purpose, already expired or for too long, or given already.
    """
    check_stages(claim, body.stages)
    for stage in body.stages:
        check_one_of(body.person, agreement.stage(stage).quorum.persons, f"approve stage {stage}")
    _check_unconflicted(agreement, claim, body.person)
    if body.purpose is not claim.filing.purpose:
        raise MisdirectedError("it approves another purpose", expected=claim.filing.purpose.value)
    _check_lifetime(agreement, body, at)
    _check_contributions(agreement, body)
    standing = [b.stages for _e, b in _own(claim.approvals, claim, body.person) if at <= b.expires_at]
    if any(set(body.stages) <= set(stages) for stages in standing):
        raise AlreadyStatedError("these stages are approved by you already", stages=list(body.stages))
    return EventType.APPROVAL_GIVEN


def denial(
    agreement: Agreement, claim: Claim, body: Denial, _: frozenset[PersonId], __: datetime
) -> EventType:
    """Admit a denial by a person with a leaf in the denial quorum.

    Raises:
        TallystickError: Nobody with a leaf, or denied already.
    """
    check_one_of(body.person, agreement.authorities.denial.persons, "deny this claim")
    _check_unconflicted(agreement, claim, body.person)
    if any(_own(claim.denials, claim, body.person)):
        raise AlreadyStatedError("you deny this claim already", claim=claim.id)
    return EventType.DENIAL_GIVEN


def objection(
    agreement: Agreement, claim: Claim, body: Objection, _: frozenset[PersonId], __: datetime
) -> EventType:
    """Admit a contrary instruction; which event it is depends on what is still undecided.

    Raises:
        TallystickError: Not an objector, an unknown ground or none, objected already, or
            the party has retracted an objection to this claim before.
    """
    check_one_of(body.person, agreement.objection.objectors, "object to a claim")
    check_stages(claim, body.stages)
    if body.ground not in agreement.objection.grounds:
        raise UnknownGroundError("no such ground", given=body.ground, known=list(agreement.objection.grounds))
    if not body.explanation.strip():
        raise UnknownGroundError(
            "an objection says what it rests on", known=list(agreement.objection.grounds)
        )
    _check_not_retracted_before(agreement, claim, body)
    _check_not_settled_before(agreement, claim, body)
    same = (b for _e, b in claim.open_objections if b.person == body.person)
    if any(b.stages is None or (body.stages is not None and set(body.stages) <= set(b.stages)) for b in same):
        raise AlreadyStatedError("your objection to this stands already", claim=claim.id)
    return _objection_event(claim, body)


def retraction(
    _: Agreement, claim: Claim, body: Retraction, __: frozenset[PersonId], ___: datetime
) -> EventType:
    """Admit the taking back of one's own approval, denial or objection, while it stands.

    Raises:
        NothingToRetractError: No such statement of this person, or it was taken back or settled before.
    """
    for entry in claim.entries:
        if entry.signed.id == body.of and entry.signed.body.person == body.person:
            gone = claim.retracted | claim.settled
            if isinstance(entry.signed.body, Objection) and body.of not in gone:
                return EventType.OBJECTION_RETRACTED
            if isinstance(entry.signed.body, Approval | Denial) and body.of not in gone:
                return EventType.VOTE_RETRACTED
    raise NothingToRetractError("nothing of yours to take back", of=body.of)


def order_event(claim: Claim, outcome: Outcome) -> EventType:
    """Return what an order with `outcome` means: one to return what was not released means refusal."""
    match outcome:
        case Outcome.RELEASE:
            return EventType.RELEASE_ORDERED
        case Outcome.REFUSE:
            return EventType.REFUSAL_ORDERED
        case Outcome.RETURN:
            released = claim.state in states_allowing(EventType.RETURN_ORDERED) | {ClaimState.RETURN_DUE}
            return EventType.RETURN_ORDERED if released else EventType.REFUSAL_ORDERED


def _check_unconflicted(agreement: Agreement, claim: Claim, person: PersonId) -> None:
    if (barred := bar(agreement, claim, agreement.person(person))) is not None:
        raise SelfServingError(barred, person=person)


def _check_lifetime(agreement: Agreement, body: Approval, at: datetime) -> None:
    if body.expires_at <= at:
        raise BadTimingError("it has expired already", expires_at=instant_text(body.expires_at))
    longest = deadline(
        body.issued_at,
        agreement.windows.approval_lifetime,
        recipient=depositor(agreement),
        agreement=agreement,
    )
    if body.expires_at > longest.at:
        raise BadTimingError(
            "it would count for longer than the agreement allows",
            expires_at=instant_text(body.expires_at),
            latest=instant_text(longest.at),
        )


def _own(votes: tuple[tuple[Entry, Any], ...], claim: Claim, person: PersonId) -> list[tuple[Entry, Any]]:
    return [(e, b) for e, b in votes if b.person == person and e.signed.id not in claim.retracted]


def _check_not_retracted_before(agreement: Agreement, claim: Claim, body: Objection) -> None:
    party = agreement.person(body.person).party
    for entry, earlier in claim.entries_of(Objection):
        if entry.signed.id in claim.retracted and agreement.person(earlier.person).party == party:
            raise RetractionIsFinalError("your party retracted its objection", retracted=entry.signed.id)


def _check_not_settled_before(agreement: Agreement, claim: Claim, body: Objection) -> None:
    """Refuse to contest again what was ruled on: a loser could otherwise object for ever."""
    party = agreement.person(body.person).party
    settled = [
        (entry.signed.id, _scope(claim, earlier))
        for entry, earlier in claim.entries_of(Objection)
        if entry.signed.id in claim.settled - claim.retracted - claim.late
        and agreement.person(earlier.person).party == party
    ]
    # All rulings together, and what is decided already left out: no new mixture of old stages is new.
    contested = _scope(claim, body) & {p.stage for p in claim.stages if p.undecided} or _scope(claim, body)
    if settled and contested <= frozenset[StageId]().union(*(scope for _, scope in settled)):
        raise DisputeSettledError("your party's objection was ruled on", settled=settled[-1][0])


def _scope(claim: Claim, body: Objection) -> frozenset[StageId]:
    return frozenset(p.stage for p in claim.stages if covers(body.stages, p.stage))


def _check_contributions(agreement: Agreement, body: Approval) -> None:
    own = {component for stage in body.stages for component in agreement.stage(stage).components}
    if astray := sorted({contribution.component for contribution in body.contributions} - own):
        raise MisdirectedError("a share of a component that it does not approve", components=list(astray))


def _objection_event(claim: Claim, body: Objection) -> EventType:
    undecided = [p.stage for p in claim.stages if p.undecided]
    in_scope = [stage for stage in undecided if covers(body.stages, stage)]
    # Before the form is accepted an objection is too early rather than late; the table refuses it.
    if not in_scope or claim.state not in {ClaimState.FILED, *states_allowing(EventType.OBJECTION_MADE)}:
        return EventType.LATE_OBJECTION_MADE
    return EventType.OBJECTION_MADE if len(in_scope) == len(undecided) else EventType.PARTIAL_OBJECTION_MADE


RULES: Final[Mapping[type[Body], Rule]] = MappingProxyType(
    {Approval: approval, Denial: denial, Objection: objection, Retraction: retraction}
)
