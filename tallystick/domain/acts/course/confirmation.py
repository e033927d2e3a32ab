"""Confirmation: a beneficiary makes the claim that the escrow agent filed for it its own."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from tallystick.domain.acts.act import Act, always
from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.authorship.authors import check_claimant
from tallystick.domain.claim.claim import Claim
from tallystick.domain.claim.confirming import awaits_confirmation
from tallystick.domain.claim.evolve import check_undecided
from tallystick.domain.claim.receivers import as_receivers, by_default, check_receivers
from tallystick.domain.claim.state import EventType
from tallystick.domain.codec import instant_text
from tallystick.domain.drafts.choices import Choices
from tallystick.domain.drafts.command import ActCommand, Ask
from tallystick.domain.drafts.heading import Heading
from tallystick.domain.ids import PersonId, person_id
from tallystick.domain.quoting import quoted
from tallystick.domain.refusals import AlreadyStatedError, ConfirmationLateError
from tallystick.domain.statements.acts import Confirmation
from tallystick.domain.waits.ends import confirmation_over


def _rule(
    agreement: Agreement, claim: Claim, body: Confirmation, _: frozenset[PersonId], at: datetime
) -> EventType:
    """Admit the confirmation of a claim that was filed for the author's party, if none stands.

    Raises:
        TallystickError: Not a claimant of that party, nothing to confirm, too late, or nothing may be sealed
            to these receivers.
    """
    check_claimant(agreement, claim, body.person, "confirm this claim")
    if not awaits_confirmation(claim):
        raise AlreadyStatedError("this claim waits for no confirmation", claim=claim.id)
    if (until := confirmation_over(agreement, claim, at)) is not None:
        raise ConfirmationLateError("the time to confirm is over", until=instant_text(until.at))
    check_undecided(claim)
    check_receivers(agreement, claim.claimant_party, body.receivers)
    return EventType.CLAIM_CONFIRMED


def _completed(heading: Heading, _: Claim, choices: Choices) -> Choices:
    """Name the receivers whom the agreement has by default, if none is named."""
    if "receiver" in choices:
        return choices
    return choices.but(receiver=by_default(heading.terms.agreement, heading.person))


def _draft(heading: Heading, choices: Choices) -> Confirmation:
    persons = map(person_id, choices.several("receiver", str))
    return Confirmation(
        **heading.members,
        declaration=choices.text("declaration"),
        receivers=as_receivers(heading.terms.agreement, persons),
    )


def _does(_: Confirmation) -> str:
    return "confirms this claim, which the escrow agent filed for their party, as their party's own"


def _particulars(body: Confirmation, _: Agreement) -> Iterator[str]:
    yield from (f"what is released is sealed to {one.words}" for one in body.receivers)
    yield f"declared: {quoted(body.declaration)}"


ACT: Final = Act(
    body=Confirmation,
    noun="confirmations",
    rule=_rule,
    helps=always,
    draft=_draft,
    does=_does,
    particulars=_particulars,
    completed=_completed,
    command=ActCommand(
        name="confirm",
        group="claim",
        purpose="Confirm the claim that the escrow agent filed for your party.",
        asks=(
            Ask(choice="declaration", help="What your party declares; it can be held against it."),
            Ask(
                choice="receiver",
                help="A person to whom the claim is sealed; repeatable. By default, whom the agreement says.",
                several=True,
                optional=True,
            ),
        ),
    ),
)
