"""Joint instruction: depositor and beneficiary instruct the escrow agent together."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from tallystick.domain.acts.act import Act
from tallystick.domain.agreement.agreement import Agreement, depositor
from tallystick.domain.authorship.authors import check_together
from tallystick.domain.authorship.interests import check_not_filer
from tallystick.domain.claim.claim import Claim
from tallystick.domain.claim.orders import order_event
from tallystick.domain.claim.state import EventType
from tallystick.domain.drafts.choices import Choices
from tallystick.domain.drafts.command import REASON, ActCommand, Ask
from tallystick.domain.drafts.heading import Heading
from tallystick.domain.ids import PersonId, party_of
from tallystick.domain.kinds import Outcome
from tallystick.domain.quoting import quoted
from tallystick.domain.refusals import NotYoursError
from tallystick.domain.statements.orders import JointInstruction


def _rule(
    agreement: Agreement, claim: Claim, body: JointInstruction, persons: frozenset[PersonId], _: datetime
) -> EventType:
    check_together(persons, agreement.authorities.joint_instruction, "give a joint instruction")
    sides = {depositor(agreement).id, claim.claimant_party}
    if body.outcome is Outcome.RELEASE and claim.filing.for_ is not None:
        check_not_filer(claim, persons)
    if missing := sorted(sides - {party_of(person) for person in persons}):
        raise NotYoursError("both sides must sign a joint instruction", missing=list(missing))
    return order_event(claim, body.outcome)


def _helps(body: JointInstruction, _: Claim) -> bool:
    return body.outcome.helps


def _draft(heading: Heading, choices: Choices) -> JointInstruction:
    outcome = choices.word("outcome", Outcome)
    return JointInstruction(**heading.members, outcome=outcome, reason=choices.text("reason"))


def _does(body: JointInstruction) -> str:
    return f"instructs the escrow agent, together with the other party: {body.outcome}"


def _particulars(body: JointInstruction, _: Agreement) -> Iterator[str]:
    yield f"reason: {quoted(body.reason)}"


ACT: Final = Act(
    body=JointInstruction,
    noun="joint-instructions",
    rule=_rule,
    helps=_helps,
    draft=_draft,
    does=_does,
    particulars=_particulars,
    together=True,
    command=ActCommand(
        name="instruct",
        purpose="Instruct the escrow agent together: depositor and beneficiary in one statement.",
        asks=(Ask(choice="outcome", help="What is ordered.", words=Outcome), REASON),
    ),
)
