"""Lift: the persons whom the agreement names lift a hold together."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from tallystick.domain.acts.act import Act, always
from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.authorship.authors import check_together
from tallystick.domain.authorship.interests import check_disinterested
from tallystick.domain.claim.claim import Claim
from tallystick.domain.claim.state import EventType
from tallystick.domain.drafts.choices import Choices, DraftIncompleteError
from tallystick.domain.drafts.command import REASON, ActCommand, Ask, Form
from tallystick.domain.drafts.heading import Heading
from tallystick.domain.ids import Digest, PersonId
from tallystick.domain.quoting import quoted
from tallystick.domain.refusals import NothingToLiftError
from tallystick.domain.statements.acts import HoldLift
from tallystick.domain.waits.powers import reviewers


def _rule(
    agreement: Agreement, claim: Claim, body: HoldLift, persons: frozenset[PersonId], at: datetime
) -> EventType:
    check_together(
        persons,
        agreement.authorities.hold_lift,
        "lift a hold",
        instead=lambda: reviewers(agreement, claim.entry_of(body.hold), at),
    )
    check_disinterested(agreement, claim, persons)
    if body.hold not in claim.standing_holds:
        raise NothingToLiftError("there is no such open hold", standing=list(claim.standing_holds))
    return EventType.HOLD_LIFTED


def _completed(_: Heading, claim: Claim, choices: Choices) -> Choices:
    """Lift the only open hold, if none is named."""
    if "of" in choices:
        return choices
    holds = claim.standing_holds
    if len(holds) != 1:
        raise DraftIncompleteError(
            f"name the hold: {len(holds)} are open", missing="of", standing=list(holds)
        )
    return choices.but(of=holds[0])


def _draft(heading: Heading, choices: Choices) -> HoldLift:
    hold = Digest(choices.given("of", str))
    return HoldLift(**heading.members, hold=hold, reason=choices.text("reason"))


def _does(_: HoldLift) -> str:
    return "lifts a hold, together with the others whom the agreement names"


def _particulars(body: HoldLift, _: Agreement) -> Iterator[str]:
    yield f"lifts {body.hold}"
    yield f"reason: {quoted(body.reason)}"


ACT: Final = Act(
    body=HoldLift,
    noun="hold-lifts",
    rule=_rule,
    helps=always,
    draft=_draft,
    does=_does,
    particulars=_particulars,
    completed=_completed,
    together=True,
    command=ActCommand(
        name="lift",
        purpose="Lift a hold together.",
        asks=(
            Ask(
                choice="of",
                option="hold",
                help="The hold's digest; by default, the only open hold.",
                form=Form.DIGEST,
                optional=True,
            ),
            REASON,
        ),
    ),
)
