"""Ruling: what an arbitrator decided, or officers attest that a court finally ordered."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType
from typing import Final

from tallystick.domain.acts.act import Act
from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.authorship.authors import check_together, signing_persons
from tallystick.domain.authorship.interests import check_disinterested
from tallystick.domain.claim.claim import Claim
from tallystick.domain.claim.documents import check_names, document_words, documents_of
from tallystick.domain.claim.orders import order_event
from tallystick.domain.claim.state import EventType
from tallystick.domain.drafts.choices import Choices
from tallystick.domain.drafts.command import DOCUMENTS, REASON, ActCommand, Ask
from tallystick.domain.drafts.heading import Heading
from tallystick.domain.ids import Digest, PersonId
from tallystick.domain.kinds import Authority, Outcome
from tallystick.domain.quoting import quoted
from tallystick.domain.refusals import LeaveNotOpenError, RulingIncompleteError, RulingTakenError
from tallystick.domain.statements.header import Document
from tallystick.domain.statements.orders import Ruling
from tallystick.domain.waits.powers import leave_is_open, substitutes

_FINALITY: Final = MappingProxyType(
    {
        Authority.COURT_ORDER: frozenset({"order", "finality_certificate"}),
        Authority.ARBITRATION: frozenset({"award"}),
    }
)
"""Which papers make a ruling final."""


_PAPERS: Final = (
    "NAME=FILE or NAME@DATE=FILE: award, order, finality_certificate; sealed and sent; repeatable."
)


def _rule(
    agreement: Agreement, claim: Claim, body: Ruling, persons: frozenset[PersonId], at: datetime
) -> EventType:
    _check_signers(agreement, claim, body, persons, at)
    _check_papers(body)
    if body.outcome.helps:
        check_disinterested(agreement, claim, persons)
        check_names(body)
        _check_rests_on(claim, body)
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
        instead=lambda: substitutes(agreement, claim, at) if on_dispute else None,
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
    papers = [document.name for document in body.documents]
    if len(set(papers)) != len(papers):
        raise RulingIncompleteError("two papers have one name", documents=sorted(papers))
    if missing := _FINALITY[body.authority] - set(papers):
        raise RulingIncompleteError("papers that make the ruling final are missing", missing=sorted(missing))


def _check_rests_on(claim: Claim, body: Ruling) -> None:
    """Refuse an order to release that names what nobody has brought to this claim, or one thing twice."""
    known = {named.document.plain_digest for named in documents_of(claim)}
    unknown = [one for one in body.rests_on if one not in known]
    if unknown or len(set(body.rests_on)) < len(body.rests_on):
        raise RulingIncompleteError("it rests on what is no document of this claim", unknown=unknown)


def _completed(_: Heading, claim: Claim, choices: Choices) -> Choices:
    """Take the documents that it rests on by their numbers, as the claim's list has them."""
    named = {str(one.number): one.document.plain_digest for one in documents_of(claim)}
    numbers = choices.several("rests_on", str)
    if unknown := [number for number in numbers if number not in named]:
        raise RulingIncompleteError("it rests on what is no document of this claim", unknown=unknown)
    return choices.but(rests_on=tuple(named[number] for number in numbers)) if numbers else choices


def _helps(body: Ruling, _: Claim) -> bool:
    return body.outcome.helps


def _draft(heading: Heading, choices: Choices) -> Ruling:
    return Ruling(
        **heading.members,
        authority=choices.word("authority", Authority),
        outcome=choices.word("outcome", Outcome),
        documents=choices.several("document", Document),
        rests_on=tuple(map(Digest, choices.several("rests_on", str))),
        reason=choices.text("reason"),
    )


def _does(body: Ruling) -> str:
    if body.outcome is Outcome.NOTICE_GIVEN:
        return "attests that the arbitrator finds that notice was given: the objection window starts"
    who = "the arbitrator" if body.authority is Authority.ARBITRATION else "a court"
    return f"attests what {who} has ordered: {body.outcome}"


def _particulars(body: Ruling, _: Agreement) -> Iterator[str]:
    yield from document_words(body)
    yield from (f"rests on the document {one}" for one in body.rests_on)
    yield f"reason: {quoted(body.reason)}"


ACT: Final = Act(
    body=Ruling,
    noun="rulings",
    rule=_rule,
    helps=_helps,
    draft=_draft,
    does=_does,
    particulars=_particulars,
    completed=_completed,
    together=True,
    command=ActCommand(
        name="rule",
        purpose="Record what the arbitrator decided, or what a court finally ordered.",
        asks=(
            Ask(choice="authority", help="Who decided: an arbitrator or a court.", words=Authority),
            Ask(choice="outcome", help="What they order.", words=Outcome),
            replace(DOCUMENTS, help=_PAPERS),
            Ask(
                choice="rests_on",
                option="rests-on",
                help="The number of a document of the claim on which it rests; repeatable.",
                several=True,
                optional=True,
            ),
            REASON,
        ),
    ),
)
