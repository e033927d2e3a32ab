"""Intake: the escrow agent's check of a claim's form."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from tallystick.domain.acts.act import Act
from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.authorship.authors import check_one_of
from tallystick.domain.claim.claim import Claim
from tallystick.domain.claim.confirming import check_confirmed
from tallystick.domain.claim.state import EventType
from tallystick.domain.drafts.choices import Choices, DraftIncompleteError
from tallystick.domain.drafts.command import ActCommand, Ask, Form
from tallystick.domain.drafts.heading import Heading
from tallystick.domain.ids import PersonId
from tallystick.domain.quoting import quoted
from tallystick.domain.statements.acts import Intake


def _rule(
    agreement: Agreement, claim: Claim, body: Intake, persons: frozenset[PersonId], __: datetime
) -> EventType:
    check_confirmed(agreement, claim)
    others = [person for person in agreement.authorities.intake if person != claim.filing.person]
    check_one_of(body.person, others, "accept or refuse this claim's form: somebody else than its filer does")
    assert persons == {body.person}
    return EventType.INTAKE_ACCEPTED if body.accepted else EventType.INTAKE_REFUSED


def _helps(body: Intake, _: Claim) -> bool:
    return body.accepted


def _draft(heading: Heading, choices: Choices) -> Intake:
    accepted, reasons = choices.given("accepted", bool), choices.several("reason", str)
    if not accepted and not reasons:
        raise DraftIncompleteError("a refusal needs a reason", missing="reason")
    return Intake(**heading.members, accepted=accepted, reasons=reasons)


def _does(body: Intake) -> str:
    return "accepts the form of this claim" if body.accepted else "refuses this claim for its form"


def _particulars(body: Intake, _: Agreement) -> Iterator[str]:
    yield from (f"reason: {quoted(reason)}" for reason in body.reasons)


ACT: Final = Act(
    body=Intake,
    noun="intakes",
    rule=_rule,
    helps=_helps,
    draft=_draft,
    does=_does,
    particulars=_particulars,
    command=ActCommand(
        name="intake",
        purpose="Accept the form of a claim, or refuse it with reasons.",
        asks=(
            Ask(choice="accepted", option="refuse", help="The form is not in order.", form=Form.UNLESS),
            Ask(choice="reason", help="What is not in order; repeatable.", several=True, optional=True),
        ),
    ),
)
