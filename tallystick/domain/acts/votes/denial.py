"""Denial: one person's no to a claim."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from tallystick.domain.acts.act import Act, never
from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.authorship.authors import check_one_of, check_stages
from tallystick.domain.authorship.interests import check_names_confirmation, check_unconflicted
from tallystick.domain.claim.claim import Claim, includes
from tallystick.domain.claim.state import EventType
from tallystick.domain.drafts.choices import Choices
from tallystick.domain.drafts.command import REASON, STAGES, ActCommand
from tallystick.domain.drafts.heading import Heading
from tallystick.domain.ids import PersonId
from tallystick.domain.quoting import quoted
from tallystick.domain.refusals import AlreadyStatedError
from tallystick.domain.statements.acts import Denial


def _rule(
    agreement: Agreement, claim: Claim, body: Denial, _: frozenset[PersonId], __: datetime
) -> EventType:
    """Admit a denial by a person whom the denial quorum names.

    Raises:
        TallystickError: Not in the quorum, the claimant's own, or already denied.
    """
    check_one_of(body.person, agreement.authorities.denial.persons, "deny this claim")
    check_unconflicted(agreement, claim, body.person)
    check_names_confirmation(claim, body)
    check_stages(claim, body.stages)
    standing = claim.votes_standing(Denial, body.person)
    if any(includes(denial.stages, body.stages) for _, denial in standing):
        raise AlreadyStatedError("you have already denied this claim", claim=claim.id)
    return EventType.DENIAL_GIVEN


def _completed(_: Heading, claim: Claim, choices: Choices) -> Choices:
    return choices.but(confirmation=claim.confirmed_by)


def _draft(heading: Heading, choices: Choices) -> Denial:
    return Denial(
        **heading.members,
        reason=choices.text("reason"),
        stages=choices.stages,
        confirmation=choices.digest("confirmation"),
    )


def _does(body: Denial) -> str:
    return "denies this claim" if body.stages is None else f"denies the release of {', '.join(body.stages)}"


def _particulars(body: Denial, agreement: Agreement) -> Iterator[str]:
    needed = agreement.authorities.denial.words
    yield f"scope: {', '.join(body.stages) if body.stages is not None else 'the whole claim'}"
    yield f"a claim ends as denied once all of its undecided stages are denied by {needed}"
    yield "the same person cannot approve what they deny, until they retract the denial"
    if body.confirmation is not None:
        yield f"on the claim as its beneficiary confirmed it, {body.confirmation}"
    yield f"reason: {quoted(body.reason)}"


ACT: Final = Act(
    body=Denial,
    noun="denials",
    rule=_rule,
    helps=never,
    draft=_draft,
    does=_does,
    particulars=_particulars,
    completed=_completed,
    command=ActCommand(name="deny", purpose="Deny a claim; enough denials end it.", asks=(STAGES, REASON)),
)
