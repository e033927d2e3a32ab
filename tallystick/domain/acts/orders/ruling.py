"""Ruling: what an arbitrator decided, or officers attest that a court finally ordered."""

from collections.abc import Iterator
from datetime import datetime
from types import MappingProxyType
from typing import Final

from tallystick.domain.acts.act import Act
from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.authorship.authors import check_together, signing_persons
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
from tallystick.domain.refusals import LeaveNotOpenError, RulingIncompleteError, RulingTakenError
from tallystick.domain.statements.orders import Ruling, RulingDocument
from tallystick.domain.waits.powers import leave_is_open, substitutes

_FINALITY: Final = MappingProxyType(
    {
        Authority.COURT_ORDER: frozenset({"order", "finality_certificate"}),
        Authority.ARBITRATION: frozenset({"award"}),
    }
)
"""Which papers make a ruling final."""


def _rule(
    agreement: Agreement, claim: Claim, body: Ruling, persons: frozenset[PersonId], at: datetime
) -> EventType:
    _check_signers(agreement, claim, body, persons, at)
    _check_papers(body)
    if body.outcome.helps:
        check_disinterested(agreement, claim, persons)
    if body.authority is not Authority.ARBITRATION:
        return order_event(claim, body.outcome)
    match body.outcome:
        case Outcome.RELEASE:
            return EventType.ARBITRATED_FOR_RELEASE
        case Outcome.NOTICE_GIVEN:
            return _leave(agreement, claim, at)
        case _:
            return order_event(claim, body.outcome)


def _check_signers(
    agreement: Agreement, claim: Claim, body: Ruling, persons: frozenset[PersonId], at: datetime
) -> None:
    powers, arbitrated = agreement.authorities, body.authority is Authority.ARBITRATION
    on_dispute = arbitrated and body.outcome is not Outcome.NOTICE_GIVEN
    check_together(
        persons,
        powers.arbitration if arbitrated else powers.court_order,
        f"attest a ruling by {body.authority.replace('_', ' ')}",
        instead=substitutes(agreement, claim, at) if on_dispute else None,
    )
    if on_dispute and body.outcome is not Outcome.RETURN:
        _check_first(agreement, claim)


def _check_first(agreement: Agreement, claim: Claim) -> None:
    """Refuse the arbitrators' word on a dispute on which their substitutes have ruled: the first one counts.

    Raises:
        RulingTakenError: A ruling by substitutes stands, and nobody has objected since.
    """
    ruled = [entry for entry, body in claim.entries_of(Ruling) if body.authority is Authority.ARBITRATION]
    last = next((entry for entry in reversed(ruled) if claim.stands(entry)), None)
    arbitration = agreement.authorities.arbitration
    if last is None or arbitration is None or claim.open_objections:
        return
    if not arbitration.satisfied_by(signing_persons(agreement, last.signed)):
        raise RulingTakenError("substitutes have ruled on this dispute", ruling=last.signed.id)


def _leave(agreement: Agreement, claim: Claim, at: datetime) -> EventType:
    if not leave_is_open(agreement, claim, at):
        raise LeaveNotOpenError("nobody may rule now that notice was given", claim=claim.id)
    return EventType.NOTICE_RULED_GIVEN


def _check_papers(body: Ruling) -> None:
    papers = [document.document for document in body.documents]
    if len(set(papers)) != len(papers):
        raise RulingIncompleteError("two papers have one name", documents=sorted(papers))
    if missing := _FINALITY[body.authority] - set(papers):
        raise RulingIncompleteError("papers that make the ruling final are missing", missing=sorted(missing))


def _helps(body: Ruling, _: Claim) -> bool:
    return body.outcome.helps


def _draft(heading: Heading, choices: Choices) -> Ruling:
    return Ruling(
        **heading.members,
        authority=choices.word("authority", Authority),
        outcome=choices.word("outcome", Outcome),
        documents=choices.several("document", RulingDocument),
        reason=choices.text("reason"),
    )


def _does(body: Ruling) -> str:
    if body.outcome is Outcome.NOTICE_GIVEN:
        return "attests that the arbitrator finds that notice was given: the objection window starts"
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
