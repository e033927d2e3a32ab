"""Ruling: what an arbitrator decided, or officers attest that a court finally ordered."""

from collections.abc import Iterator
from datetime import datetime
from types import MappingProxyType
from typing import Final

from tallystick.domain.acts.act import Act
from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.authorship.authors import check_together
from tallystick.domain.authorship.interests import check_disinterested
from tallystick.domain.claim.claim import Claim
from tallystick.domain.claim.orders import order_event
from tallystick.domain.claim.state import EventType
from tallystick.domain.drafts.choices import Choices
from tallystick.domain.drafts.command import REASON, ActCommand, Ask, Form
from tallystick.domain.drafts.heading import Heading
from tallystick.domain.ids import PersonId
from tallystick.domain.kinds import Authority, Outcome
from tallystick.domain.quoting import quoted
from tallystick.domain.refusals import RulingIncompleteError
from tallystick.domain.statements.orders import Ruling, RulingDocument

_FINALITY: Final = MappingProxyType(
    {
        Authority.COURT_ORDER: frozenset({"order", "finality_certificate"}),
        Authority.ARBITRATION: frozenset({"award"}),
    }
)
"""Which papers make a ruling final."""


def _rule(
    agreement: Agreement, claim: Claim, body: Ruling, persons: frozenset[PersonId], _: datetime
) -> EventType:
    powers = agreement.authorities
    quorum = powers.arbitration if body.authority is Authority.ARBITRATION else powers.court_order
    check_together(persons, quorum, f"attest a ruling by {body.authority.replace('_', ' ')}")
    papers = [document.document for document in body.documents]
    if len(set(papers)) != len(papers):
        raise RulingIncompleteError("two papers have one name", documents=sorted(papers))
    if missing := _FINALITY[body.authority] - set(papers):
        raise RulingIncompleteError("papers that make the ruling final are missing", missing=sorted(missing))
    if body.outcome is Outcome.RELEASE:
        check_disinterested(agreement, claim, persons)
    if body.outcome is Outcome.RELEASE and body.authority is Authority.ARBITRATION:
        return EventType.ARBITRATED_FOR_RELEASE
    return order_event(claim, body.outcome)


def _helps(body: Ruling, _: Claim) -> bool:
    return body.outcome is Outcome.RELEASE


def _draft(heading: Heading, choices: Choices) -> Ruling:
    return Ruling(
        **heading.members,
        authority=choices.word("authority", Authority),
        outcome=choices.word("outcome", Outcome),
        documents=choices.several("document", RulingDocument),
        reason=choices.text("reason"),
    )


def _does(body: Ruling) -> str:
    who = "the arbitrator" if body.authority is Authority.ARBITRATION else "a court"
    return f"attests what {who} has ordered: {body.outcome}"


def _particulars(body: Ruling, _: Agreement) -> Iterator[str]:
    yield from (f"paper {quoted(paper.document)} {paper.plain_digest}" for paper in body.documents)
    yield f"reason: {quoted(body.reason)}"


ACT: Final = Act(
    body=Ruling,
    noun="rulings",
    rule=_rule,
    helps=_helps,
    draft=_draft,
    does=_does,
    particulars=_particulars,
    together=True,
    command=ActCommand(
        name="rule",
        purpose="Record what the arbitrator decided, or what a court finally ordered.",
        asks=(
            Ask(choice="authority", help="Who decided: an arbitrator or a court.", words=Authority),
            Ask(choice="outcome", help="What they order.", words=Outcome),
            Ask(
                choice="document",
                help="NAME=FILE: award, order or finality_certificate; repeatable. Only its digest is sent.",
                form=Form.PAPER,
                several=True,
                optional=True,
            ),
            REASON,
        ),
    ),
)
