"""Acknowledgement: a person of the depositor says that notice has arrived."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from tallystick.domain.acts.act import Act, always
from tallystick.domain.agreement.agreement import Agreement, depositor
from tallystick.domain.authorship.authors import check_one_of
from tallystick.domain.claim.claim import Claim
from tallystick.domain.claim.state import EventType
from tallystick.domain.drafts.choices import Choices
from tallystick.domain.drafts.command import ActCommand
from tallystick.domain.drafts.heading import Heading
from tallystick.domain.ids import PersonId
from tallystick.domain.statements.acts import NoticeAcknowledgement


def _rule(
    agreement: Agreement, _: Claim, body: NoticeAcknowledgement, __: frozenset[PersonId], ___: datetime
) -> EventType:
    notified = [person.id for person in agreement.acting_for(depositor(agreement).id)]
    check_one_of(body.person, notified, "acknowledge notice")
    return EventType.NOTICE_ACKNOWLEDGED


def _draft(heading: Heading, _: Choices) -> NoticeAcknowledgement:
    return NoticeAcknowledgement(**heading.members)


def _does(_: NoticeAcknowledgement) -> str:
    return "acknowledges that notice of this claim has arrived; the objection window starts"


def _particulars(_: NoticeAcknowledgement, __: Agreement) -> Iterator[str]:
    return iter(())


ACT: Final = Act(
    body=NoticeAcknowledgement,
    noun="acknowledgements",
    rule=_rule,
    helps=always,
    draft=_draft,
    does=_does,
    particulars=_particulars,
    command=ActCommand(name="acknowledge", purpose="Confirm that the notice of a claim has arrived."),
)
