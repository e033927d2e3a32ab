"""Receivers: the beneficiary names anew to whom its claim is sealed."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from tallystick.domain.acts.act import Act, always
from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.claim.claim import Claim
from tallystick.domain.claim.confirming import check_confirmed
from tallystick.domain.claim.evolve import check_undecided
from tallystick.domain.claim.receivers import as_receivers, check_receivers
from tallystick.domain.claim.state import EventType
from tallystick.domain.drafts.choices import Choices, DraftIncompleteError
from tallystick.domain.drafts.command import REASON, ActCommand, Ask
from tallystick.domain.drafts.heading import Heading
from tallystick.domain.ids import PersonId, party_of, person_id
from tallystick.domain.quoting import quoted
from tallystick.domain.refusals import NotYoursError
from tallystick.domain.statements.acts import ReceiversNamed

_SIGNERS_MIN: Final = 2


def _rule(
    agreement: Agreement, claim: Claim, body: ReceiversNamed, persons: frozenset[PersonId], _: datetime
) -> EventType:
    """Admit new receivers, named by two persons of the beneficiary, or by one of them and the agent's intake.

    Raises:
        TallystickError: Signed by others, nothing is left to decide, or nothing may be sealed to them.
    """
    _check_signers(agreement, claim, persons)
    check_confirmed(agreement, claim)
    check_undecided(claim)
    check_receivers(agreement, claim.claimant_party, body.receivers)
    return EventType.RECEIVERS_NAMED


def _check_signers(agreement: Agreement, claim: Claim, persons: frozenset[PersonId]) -> None:
    own = {person.id for person in agreement.acting_for(claim.claimant_party)}
    intake = set(agreement.authorities.intake) - {claim.filing.person}
    if not persons <= own | intake or not persons & own or len(persons) < _SIGNERS_MIN:
        raise NotYoursError(
            "receivers are named by two persons of the beneficiary, or by one of them and the agent's intake",
            signed_by=sorted(persons),
            allowed=sorted(own | intake),
        )


def _draft(heading: Heading, choices: Choices) -> ReceiversNamed:
    persons = tuple(map(person_id, choices.several("receiver", str)))
    if not persons:
        raise DraftIncompleteError("receiver is missing", missing="receiver")
    return ReceiversNamed(
        **heading.members,
        receivers=as_receivers(heading.terms.agreement, persons),
        reason=choices.text("reason"),
    )


def _does(body: ReceiversNamed) -> str:
    party = party_of(body.receivers[0].person)
    return f"names all receivers of this claim anew, together with another person of {party} or the agent"


def _particulars(body: ReceiversNamed, _: Agreement) -> Iterator[str]:
    yield from (f"sealed to {one.words}" for one in body.receivers)
    yield "approvals given before this count for no stage that is not decided yet, until they are given again"
    yield f"reason: {quoted(body.reason)}"


ACT: Final = Act(
    body=ReceiversNamed,
    noun="receivers",
    rule=_rule,
    helps=always,
    draft=_draft,
    does=_does,
    particulars=_particulars,
    together=True,
    command=ActCommand(
        name="receivers",
        group="claim",
        purpose="Name anew, together, all persons to whom the claim is sealed.",
        asks=(
            Ask(
                choice="receiver",
                help="A person to whom everything not yet decided is sealed; repeatable.",
                several=True,
            ),
            REASON,
        ),
    ),
)
