"""Hold: freezes a claim, or some of its stages."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from tallystick.domain.acts.act import Act, never
from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.authorship.authors import check_one_of, check_stages
from tallystick.domain.claim.claim import Claim
from tallystick.domain.claim.documents import check_names, document_words
from tallystick.domain.claim.state import EventType
from tallystick.domain.drafts.choices import Choices
from tallystick.domain.drafts.command import DOCUMENTS, REASON, STAGES, ActCommand
from tallystick.domain.drafts.heading import Heading
from tallystick.domain.ids import PersonId
from tallystick.domain.quoting import quoted
from tallystick.domain.statements.acts import Hold
from tallystick.domain.statements.header import Document


def _rule(agreement: Agreement, claim: Claim, body: Hold, _: frozenset[PersonId], __: datetime) -> EventType:
    check_one_of(body.person, agreement.authorities.hold, "place a hold")
    check_stages(claim, body.stages)
    check_names(body)
    return EventType.HOLD_PLACED


def _draft(heading: Heading, choices: Choices) -> Hold:
    return Hold(
        **heading.members,
        reason=choices.text("reason"),
        stages=choices.stages,
        documents=choices.several("document", Document),
    )


def _does(_: Hold) -> str:
    return "places a hold: nothing in its scope is decided or undone until it is lifted"


def _particulars(body: Hold, _: Agreement) -> Iterator[str]:
    yield f"scope: {', '.join(body.stages) if body.stages is not None else 'the whole claim'}"
    yield f"reason: {quoted(body.reason)}"
    yield from document_words(body)


ACT: Final = Act(
    body=Hold,
    noun="holds",
    rule=_rule,
    helps=never,
    draft=_draft,
    does=_does,
    particulars=_particulars,
    command=ActCommand(
        name="hold",
        purpose="Freeze a claim, or some of its stages: nothing is decided or undone until it is lifted.",
        asks=(REASON, STAGES, DOCUMENTS),
    ),
)
