"""Approval: one person's yes to stages of one claim."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from tallystick.domain.acts.act import Act, always
from tallystick.domain.agreement.agreement import Agreement, depositor, voted_on
from tallystick.domain.agreement.deadlines import deadline
from tallystick.domain.agreement.plan import CustodyRule
from tallystick.domain.authorship.authors import check_one_of, check_stages
from tallystick.domain.authorship.interests import (
    check_names_confirmation,
    check_names_receivers,
    check_unconflicted,
)
from tallystick.domain.claim.claim import Claim
from tallystick.domain.claim.confirming import names_confirmation
from tallystick.domain.claim.receivers import named_anew_by
from tallystick.domain.claim.state import EventType
from tallystick.domain.codec import instant_text
from tallystick.domain.drafts.choices import Choices
from tallystick.domain.drafts.command import STAGES, ActCommand, Ask, Form
from tallystick.domain.drafts.heading import Heading
from tallystick.domain.ids import PersonId
from tallystick.domain.quoting import quoted
from tallystick.domain.refusals import (
    AlreadyStatedError,
    BadTimingError,
    DenialStandsError,
    MisdirectedError,
    NotYoursError,
)
from tallystick.domain.statements.acts import Approval


def _rule(
    agreement: Agreement, claim: Claim, body: Approval, _: frozenset[PersonId], at: datetime
) -> EventType:
    """Admit an approval of stages by a person whom each of their quorums names.

    Raises:
        TallystickError: Not a stage of this claim, not in its quorum, the claimant's own,
            another purpose, expired, for too long, or already given.
    """
    check_stages(claim, body.stages)
    for stage in body.stages:
        check_one_of(body.person, agreement.stage(stage).quorum.persons, f"approve stage {stage}")
    check_unconflicted(agreement, claim, body.person)
    check_names_confirmation(claim, body)
    check_names_receivers(claim, body.receivers_named)
    if body.purpose is not claim.filing.purpose:
        raise MisdirectedError("the approval is for another purpose", expected=claim.filing.purpose.value)
    _check_lifetime(agreement, body, at)
    _check_contributions(agreement, body)
    if (denial := claim.denial_by(body.person, body.stages)) is not None:
        raise DenialStandsError("you have denied what this approves", denial=denial)
    if any(set(body.stages) <= set(standing.stages) for standing in _standing(claim, body.person, at)):
        raise AlreadyStatedError("you have already approved these stages", stages=list(body.stages))
    return EventType.APPROVAL_GIVEN


def _standing(claim: Claim, person: PersonId, at: datetime) -> Iterator[Approval]:
    """Yield the person's approvals that go on counting: not those on what was replaced since.

    One in its last second counts, but not any longer: by then it may be renewed.
    """
    for _, body in claim.votes_standing(Approval, person):
        shown = names_confirmation(claim, body) and body.receivers_named == named_anew_by(claim)
        if at < body.expires_at and shown:
            yield body


def _check_lifetime(agreement: Agreement, body: Approval, at: datetime) -> None:
    if body.expires_at <= at:
        raise BadTimingError("the approval has already expired", expires_at=instant_text(body.expires_at))
    latest = _latest(agreement, body.issued_at)
    if body.expires_at > latest:
        raise BadTimingError(
            "the approval would count for longer than the agreement allows",
            expires_at=instant_text(body.expires_at),
            latest=instant_text(latest),
        )


def _latest(agreement: Agreement, issued_at: datetime) -> datetime:
    """Return the last moment at which an approval issued at that time may count."""
    lifetime = agreement.windows.approval_lifetime
    return deadline(issued_at, lifetime, recipient=depositor(agreement), agreement=agreement).at


def _check_contributions(agreement: Agreement, body: Approval) -> None:
    """Refuse shares from a person who holds none: a false share could keep a release from opening."""
    for stage in agreement.stages:
        held = [share.component for share in body.contributions if share.component in stage.components]
        if held and stage.custody is CustodyRule.GATE:
            raise MisdirectedError("the gate alone holds the key, and contributes it", components=held)
    own = {component for stage in body.stages for component in agreement.stage(stage).components}
    if astray := sorted({contribution.component for contribution in body.contributions} - own):
        raise MisdirectedError(
            "it contributes a share of a component that it does not approve", components=list(astray)
        )


def _completed(heading: Heading, claim: Claim, choices: Choices) -> Choices:
    """Approve the stages that are named; if none is, the one that waits, as they are decided in turn.

    Raises:
        NotYoursError: No stage waits, or the quorum of the one that waits does not name the author.
    """
    choices = choices.but(confirmation=claim.confirmed_by, receivers_named=named_anew_by(claim))
    if "stage" in choices:
        return choices
    waiting = claim.undecided_stages[:1]
    own = voted_on(heading.terms.agreement, waiting, heading.person)
    if not own:
        raise NotYoursError("no stage waits for you", person=heading.person, waiting=list(waiting))
    return choices.but(stage=own)


def _draft(heading: Heading, choices: Choices) -> Approval:
    latest = _latest(heading.terms.agreement, heading.issued_at)
    return Approval(
        **heading.members,
        stages=choices.stages or (),
        purpose=heading.filing.purpose,
        expires_at=choices.maybe("expires_at", datetime) or latest,
        reason=choices.text("reason"),
        confirmation=choices.digest("confirmation"),
        receivers_named=choices.digest("receivers_named"),
    )


def _does(body: Approval) -> str:
    return f"approves the release of {', '.join(body.stages)}; what is released cannot be taken back"


def _particulars(body: Approval, agreement: Agreement) -> Iterator[str]:
    for stage in body.stages:
        yield f"stage {stage} releases {', '.join(agreement.stage(stage).components)}"
    for other in agreement.stages:
        if other.id not in body.stages:
            yield f"this does not release stage {other.id}: {', '.join(other.components)}"
    for share in body.contributions:
        whose = f"the share of {share.component} held by {quoted(share.leaf)}"
        yield f"with {whose}, sealed for this claim, {share.sealed_digest}"
    if body.confirmation is not None:
        yield f"on the claim as its beneficiary confirmed it, {body.confirmation}"
    if body.receivers_named is not None:
        yield f"sealed to the receivers as they were named anew, {body.receivers_named}"
    yield f"counts until {instant_text(body.expires_at)}, for {body.purpose} only"
    yield f"reason: {quoted(body.reason)}"


ACT: Final = Act(
    body=Approval,
    noun="approvals",
    rule=_rule,
    helps=always,
    draft=_draft,
    does=_does,
    particulars=_particulars,
    completed=_completed,
    command=ActCommand(
        name="approve",
        purpose="Approve stages of a claim: those you name, or else the one that waits for you.",
        asks=(
            STAGES,
            Ask(choice="reason", help="The reason; it goes on record.", default="approved"),
            Ask(
                choice="expires_at",
                option="expires",
                help="The last moment at which it counts; by default, as late as the agreement allows.",
                form=Form.MOMENT,
                optional=True,
            ),
        ),
    ),
)
