"""Proof of service: two persons of the escrow agent state that notice was served, and bring the paper."""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Final

from tallystick.domain.acts.act import Act, always
from tallystick.domain.agreement.agreement import Agreement, depositor
from tallystick.domain.agreement.deadlines import time_zone
from tallystick.domain.agreement.parties import Role
from tallystick.domain.authorship.interests import check_disinterested
from tallystick.domain.claim.claim import Claim
from tallystick.domain.claim.documents import check_names, document_words
from tallystick.domain.claim.stages import accepted_at
from tallystick.domain.claim.state import EventType
from tallystick.domain.drafts.choices import Choices, DraftIncompleteError
from tallystick.domain.drafts.command import DOCUMENTS, ActCommand, Ask
from tallystick.domain.drafts.heading import Heading
from tallystick.domain.ids import PersonId
from tallystick.domain.kinds import ServiceMethod
from tallystick.domain.refusals import DocumentsMissingError, NotYoursError, ServiceDayError
from tallystick.domain.statements.acts import Intake, ProofOfService
from tallystick.domain.statements.header import Document

_SIGNERS_MIN: Final = 2


def _rule(
    agreement: Agreement, claim: Claim, body: ProofOfService, persons: frozenset[PersonId], at: datetime
) -> EventType:
    _check_servers(agreement, claim, persons)
    check_disinterested(agreement, claim, persons)
    check_names(body)
    if not body.documents:
        raise DocumentsMissingError("service is proven by a paper, and none is named", missing=["document"])
    _check_day(agreement, claim, body, at)
    return EventType.SERVICE_PROVEN


def _check_servers(agreement: Agreement, claim: Claim, persons: frozenset[PersonId]) -> None:
    """Require two persons of the escrow agent, who neither filed the claim nor took it in.

    Raises:
        NotYoursError: Too few, or others sign as well.
    """
    agents = {
        person.id
        for party in agreement.parties_in(Role.ESCROW_AGENT)
        for person in agreement.acting_for(party.id)
    }
    took_in = {body.person for _, body in claim.entries_of(Intake)}
    allowed = agents - took_in - {claim.filing.person}
    if len(persons) < _SIGNERS_MIN or not persons <= allowed:
        raise NotYoursError(
            "service is proven by two persons of the escrow agent, neither filer nor intake",
            signed_by=sorted(persons),
            allowed=sorted(allowed),
        )


def _check_day(agreement: Agreement, claim: Claim, body: ProofOfService, at: datetime) -> None:
    """Refuse a day of service before the claim was taken in, or after today, by the depositor's clock.

    So the proof is accepted no earlier than the day of service, and the window runs from its acceptance.

    Raises:
        ServiceDayError: Notice of this claim cannot have been served on that day.
    """
    zone, taken_in = time_zone(depositor(agreement).time_zone), accepted_at(claim)
    first, last = (taken_in or claim.filed_at).astimezone(zone).date(), at.astimezone(zone).date()
    if not first <= body.served_on <= last:
        day = body.served_on.isoformat()
        raise ServiceDayError(
            f"notice was not served on {day}", first=first.isoformat(), last=last.isoformat()
        )


def _draft(heading: Heading, choices: Choices) -> ProofOfService:
    return ProofOfService(
        **heading.members,
        method=choices.word("method", ServiceMethod),
        served_on=_day(choices.text("day")),
        documents=choices.several("document", Document),
    )


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise DraftIncompleteError("the day of service is not a date", missing="day") from error


def _does(_: ProofOfService) -> str:
    return (
        "states, together with another person of the escrow agent, that notice of this claim was served; "
        "the objection window starts"
    )


def _particulars(body: ProofOfService, _: Agreement) -> Iterator[str]:
    yield f"served on {body.served_on.isoformat()} by {body.method.replace('_', ' ')}"
    yield from document_words(body)


ACT: Final = Act(
    body=ProofOfService,
    noun="proofs-of-service",
    rule=_rule,
    helps=always,
    draft=_draft,
    does=_does,
    particulars=_particulars,
    together=True,
    command=ActCommand(
        name="prove-service",
        purpose="State together that notice was served on the depositor, with the paper that proves it.",
        asks=(
            Ask(choice="method", help="How it was served.", words=ServiceMethod),
            Ask(choice="day", help="The day of service, such as 2026-12-01."),
            DOCUMENTS,
        ),
    ),
)
