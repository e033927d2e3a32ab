"""Retraction: taking back one's own approval, denial or objection."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from tallystick.domain.acts.act import Act
from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.claim.claim import Claim
from tallystick.domain.claim.state import EventType
from tallystick.domain.drafts.choices import Choices
from tallystick.domain.drafts.command import REASON, ActCommand, Ask, Form
from tallystick.domain.drafts.heading import Heading
from tallystick.domain.ids import Digest, PersonId
from tallystick.domain.quoting import quoted
from tallystick.domain.refusals import NothingToRetractError
from tallystick.domain.statements.acts import Approval, Denial, Objection, Retraction


def _rule(_: Agreement, claim: Claim, body: Retraction, __: frozenset[PersonId], ___: datetime) -> EventType:
    """Admit the retraction of one's own approval, denial or objection, while it counts.

    Raises:
        NothingToRetractError: No such statement of this person, or it was already taken back or settled.
    """
    entry = claim.entry_of(body.of)
    own = entry is not None and entry.signed.body.person == body.person
    if entry is not None and own and body.of not in claim.retracted | claim.settled:
        match entry.signed.body:
            case Objection():
                return EventType.OBJECTION_RETRACTED
            case Approval() | Denial():
                return EventType.VOTE_RETRACTED
            case _:
                pass
    raise NothingToRetractError("you made no such statement, or can no longer take it back", of=body.of)


def _helps(body: Retraction, claim: Claim) -> bool:
    """Return whether it takes back what stops; taking back an approval helps nobody."""
    entry = claim.entry_of(body.of)
    return entry is None or not isinstance(entry.signed.body, Approval)


def _draft(heading: Heading, choices: Choices) -> Retraction:
    of = Digest(choices.given("of", str))
    return Retraction(**heading.members, of=of, reason=choices.text("reason"))


def _does(_: Retraction) -> str:
    return "takes back their own statement; an objection taken back cannot be made again"


def _particulars(body: Retraction, _: Agreement) -> Iterator[str]:
    yield f"takes back {body.of}"
    yield "if that is a denial, what the same person has approved before counts again"
    yield f"reason: {quoted(body.reason)}"


ACT: Final = Act(
    body=Retraction,
    noun="retractions",
    rule=_rule,
    helps=_helps,
    draft=_draft,
    does=_does,
    particulars=_particulars,
    command=ActCommand(
        name="retract",
        purpose="Take back your own approval, denial or objection.",
        asks=(
            Ask(
                choice="of",
                argument="statement",
                help="The digest of your own approval, denial or objection.",
                form=Form.DIGEST,
            ),
            REASON,
        ),
    ),
)
