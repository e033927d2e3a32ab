"""Objection: a contrary instruction; the condition did not come true, or was cured."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from tallystick.domain.acts.act import Act, never
from tallystick.domain.agreement.agreement import Agreement, depositor
from tallystick.domain.agreement.powers import CURED, AfterWindow
from tallystick.domain.authorship.authors import check_one_of, check_stages
from tallystick.domain.claim.claim import Claim, covers, includes
from tallystick.domain.claim.documents import check_names, document_words
from tallystick.domain.claim.stages import is_provisional
from tallystick.domain.claim.state import ClaimState, EventType
from tallystick.domain.drafts.choices import Choices
from tallystick.domain.drafts.command import DOCUMENTS, STAGES, ActCommand, Ask
from tallystick.domain.drafts.heading import Heading
from tallystick.domain.ids import PersonId, StageId, party_of
from tallystick.domain.notice.sighting import was_served
from tallystick.domain.quoting import quoted
from tallystick.domain.refusals import (
    AlreadyStatedError,
    DisputeSettledError,
    RetractionIsFinalError,
    UnknownGroundError,
)
from tallystick.domain.statements.acts import Objection
from tallystick.domain.statements.header import Document


def _rule(
    agreement: Agreement, claim: Claim, body: Objection, _: frozenset[PersonId], __: datetime
) -> EventType:
    """Admit an objection; which event it is depends on what is still undecided.

    Raises:
        TallystickError: Not an objector, no known ground, no explanation, objected already, ruled on, or
            the party has retracted an objection to this claim before.
    """
    check_one_of(body.person, agreement.objection.objectors, "object to a claim")
    check_stages(claim, body.stages)
    check_names(body)
    if body.ground not in agreement.objection.grounds:
        raise UnknownGroundError(
            "the agreement has no such ground", given=body.ground, known=list(agreement.objection.grounds)
        )
    if not body.explanation.strip():
        raise UnknownGroundError("the objection has no explanation", known=list(agreement.objection.grounds))
    _check_not_retracted_before(agreement, claim, body)
    _check_not_settled_before(agreement, claim, body)
    same = (b for _e, b in claim.open_objections if b.person == body.person)
    if any(includes(b.stages, body.stages) for b in same):
        raise AlreadyStatedError("you have already objected to this", claim=claim.id)
    return _event(agreement, claim, body)


def _event(agreement: Agreement, claim: Claim, body: Objection) -> EventType:
    undecided = claim.undecided_stages
    in_scope = [stage for stage in undecided if covers(body.stages, stage)]
    if _comes_after_window(agreement, claim, body, in_scope):
        return EventType.LATE_OBJECTION_MADE
    # Before intake an objection is too early, not late; the table refuses it.
    open_to_it = claim.may(EventType.OBJECTION_MADE) or claim.state is ClaimState.FILED
    if not in_scope or not open_to_it:
        return EventType.LATE_OBJECTION_MADE
    return EventType.OBJECTION_MADE if len(in_scope) == len(undecided) else EventType.PARTIAL_OBJECTION_MADE


def _comes_after_window(agreement: Agreement, claim: Claim, body: Objection, in_scope: list[StageId]) -> bool:
    """Return whether the parties agreed that this objection is late: it comes after the end of its window.

    It is not if it tells of a cure, if a stage in its scope had no window, or if the objector's party had
    not said itself that it has notice when the window opened.
    """
    if agreement.objection.after_window is not AfterWindow.LATE or claim.window_ended_at is None:
        return False
    if body.ground == CURED or any(is_provisional(agreement, stage) for stage in in_scope):
        return False
    return party_of(body.person) == depositor(agreement).id and was_served(claim)


def _check_not_retracted_before(agreement: Agreement, claim: Claim, body: Objection) -> None:
    party = agreement.person(body.person).party
    for entry, earlier in claim.entries_of(Objection):
        if entry.signed.id in claim.retracted and agreement.person(earlier.person).party == party:
            raise RetractionIsFinalError("your party retracted its objection", retracted=entry.signed.id)


def _check_not_settled_before(agreement: Agreement, claim: Claim, body: Objection) -> None:
    """Refuse an objection to what was ruled on: the losing party could otherwise object for ever."""
    party = agreement.person(body.person).party
    settled = [
        (entry.signed.id, _scope(claim, earlier))
        for entry, earlier in claim.entries_of(Objection)
        if entry.signed.id in claim.settled - claim.retracted - claim.late
        and agreement.person(earlier.person).party == party
    ]
    # All rulings count together, and decided stages are left out, so combining old stages makes nothing new.
    contested = _scope(claim, body) & set(claim.undecided_stages) or _scope(claim, body)
    if settled and contested <= frozenset[StageId]().union(*(scope for _, scope in settled)):
        raise DisputeSettledError("your party's objection has been ruled on", settled=settled[-1][0])


def _scope(claim: Claim, body: Objection) -> frozenset[StageId]:
    return frozenset(p.stage for p in claim.stages if covers(body.stages, p.stage))


def _draft(heading: Heading, choices: Choices) -> Objection:
    return Objection(
        **heading.members,
        ground=choices.text("ground"),
        explanation=choices.text("explanation"),
        stages=choices.stages,
        documents=choices.several("document", Document),
    )


def _does(_: Objection) -> str:
    return "objects to this claim (a contrary instruction)"


def _particulars(body: Objection, _: Agreement) -> Iterator[str]:
    yield f"scope: {', '.join(body.stages) if body.stages is not None else 'the whole claim'}"
    yield f"ground {quoted(body.ground)}: {quoted(body.explanation)}"
    yield from document_words(body)


ACT: Final = Act(
    body=Objection,
    noun="objections",
    rule=_rule,
    helps=never,
    draft=_draft,
    does=_does,
    particulars=_particulars,
    command=ActCommand(
        name="object",
        purpose="Object to a claim, or to some of its stages: undecided stages wait until it is settled.",
        asks=(
            Ask(choice="ground", help="One of the agreement's grounds."),
            Ask(choice="explanation", help="Why you object, in a sentence."),
            STAGES,
            DOCUMENTS,
        ),
    ),
)
