"""Giving back: the beneficiary certifies that what was released is returned or destroyed."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from tallystick.domain.acts.act import Act, never
from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.authorship.authors import check_claimant
from tallystick.domain.claim.claim import Claim
from tallystick.domain.claim.returns import return_is_due
from tallystick.domain.claim.stages import components_of
from tallystick.domain.claim.state import EventType
from tallystick.domain.drafts.choices import Choices
from tallystick.domain.drafts.command import ActCommand, Ask
from tallystick.domain.drafts.heading import Heading
from tallystick.domain.ids import ComponentId, PersonId
from tallystick.domain.quoting import quoted
from tallystick.domain.refusals import MisdirectedError, NothingDueError
from tallystick.domain.statements.receipts import Return


def _rule(
    agreement: Agreement, claim: Claim, body: Return, _: frozenset[PersonId], __: datetime
) -> EventType:
    """Admit the certificate that what was released is returned or destroyed.

    Raises:
        TallystickError: Not a claimant's, nothing is due, or it does not name all that is due.
    """
    check_claimant(agreement, claim, body.person, "certify a return")
    if not return_is_due(agreement, claim):
        raise NothingDueError("nothing is due for return", state=claim.state.value)
    due = components_of(agreement, claim.decided_stages)
    if sorted(body.components) != sorted(due):
        raise MisdirectedError("name just what is due", expected=sorted(due), given=sorted(body.components))
    return EventType.RETURN_MADE


def _completed(heading: Heading, claim: Claim, choices: Choices) -> Choices:
    """Return all that was released, if no component is named."""
    if "component" in choices:
        return choices
    return choices.but(component=components_of(heading.terms.agreement, claim.decided_stages))


def _draft(heading: Heading, choices: Choices) -> Return:
    return Return(
        **heading.members,
        components=tuple(map(ComponentId, choices.several("component", str))),
        method=choices.text("method"),
        certificate=choices.text("certificate"),
    )


def _does(_: Return) -> str:
    return "certifies that what was released has been returned or destroyed"


def _particulars(body: Return, _: Agreement) -> Iterator[str]:
    yield f"{', '.join(body.components)}: {quoted(body.method)}"
    yield f"certificate: {quoted(body.certificate)}"


ACT: Final = Act(
    body=Return,
    noun="returns",
    rule=_rule,
    helps=never,
    draft=_draft,
    does=_does,
    particulars=_particulars,
    completed=_completed,
    command=ActCommand(
        name="return",
        purpose="Certify that what was released is returned or destroyed.",
        asks=(
            Ask(choice="method", help="How it was returned or destroyed."),
            Ask(choice="certificate", help="Who certifies it, and where the certificate is kept."),
            Ask(
                choice="component",
                help="A component; by default, all that were released.",
                several=True,
                optional=True,
            ),
        ),
    ),
)
