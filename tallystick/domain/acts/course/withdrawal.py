"""Withdrawal: the claimant gives up the claim."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from tallystick.domain.acts.act import Act, never
from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.authorship.authors import check_one_of, claimants_of
from tallystick.domain.claim.claim import Claim
from tallystick.domain.claim.evolve import check_undecided
from tallystick.domain.claim.state import EventType
from tallystick.domain.drafts.choices import Choices
from tallystick.domain.drafts.command import ActCommand, Ask
from tallystick.domain.drafts.heading import Heading
from tallystick.domain.ids import PersonId
from tallystick.domain.kinds import WithdrawalReason
from tallystick.domain.quoting import quoted
from tallystick.domain.statements.acts import Withdrawal


def _rule(
    agreement: Agreement, claim: Claim, body: Withdrawal, _: frozenset[PersonId], __: datetime
) -> EventType:
    filer = (claim.filing.person,) if claim.is_unconfirmed else ()
    check_one_of(body.person, (*claimants_of(agreement, claim), *filer), "withdraw this claim")
    check_undecided(claim)
    return EventType.WITHDRAWN_AS_CURED if body.reason is WithdrawalReason.CURED else EventType.WITHDRAWN


def _draft(heading: Heading, choices: Choices) -> Withdrawal:
    return Withdrawal(
        **heading.members,
        reason=choices.word("reason", WithdrawalReason),
        explanation=choices.text("explanation"),
    )


def _does(body: Withdrawal) -> str:
    return f"withdraws this claim ({body.reason})"


def _particulars(body: Withdrawal, _: Agreement) -> Iterator[str]:
    yield f"explanation: {quoted(body.explanation)}"


ACT: Final = Act(
    body=Withdrawal,
    noun="withdrawals",
    rule=_rule,
    helps=never,
    draft=_draft,
    does=_does,
    particulars=_particulars,
    command=ActCommand(
        name="withdraw",
        purpose="Give up your claim.",
        asks=(
            Ask(choice="reason", help="Why the claim is given up.", words=WithdrawalReason),
            Ask(choice="explanation", help="An explanation, in a sentence."),
        ),
    ),
)
