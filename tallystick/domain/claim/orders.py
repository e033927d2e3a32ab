"""Orders from outside the quorum: which of them counts, and what it asks for.

An order skips the objection window only while its signers count: they are checked
again at the moment of the decision, as approvers are.
"""

from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.claim.claim import Claim
from tallystick.domain.claim.evolve import check_undecided
from tallystick.domain.claim.state import ClaimState, EventType
from tallystick.domain.ids import PersonId
from tallystick.domain.kinds import Authority, Outcome
from tallystick.domain.quorum import Quorum
from tallystick.domain.statements.orders import JointInstruction, Ruling
from tallystick.domain.statements.signed import Body, Entry


def standing_release_order(agreement: Agreement, claim: Claim) -> Entry | None:
    """Return an order for release whose unrevoked signers still meet its quorum, or None."""
    for entry in claim.entries:
        quorum = _quorum_for(agreement, entry.signed.body)
        if quorum is not None and quorum.satisfied_by(_unrevoked(agreement, claim, entry)):
            return entry
    return None


def return_is_ordered(claim: Claim) -> bool:
    """Return whether an authority has ordered that what was released be given back."""
    instructed = (body.outcome for _, body in claim.entries_of(JointInstruction))
    ruled = (body.outcome for _, body in claim.entries_of(Ruling))
    return Outcome.RETURN in {*instructed, *ruled}


def order_event(claim: Claim, outcome: Outcome) -> EventType:
    """Return the event that an order with `outcome` is; an order to return refuses an unreleased claim.

    Raises:
        WrongClaimStateError: It refuses a claim of which every stage is decided.
    """
    event = _event(claim, outcome)
    if event is EventType.REFUSAL_ORDERED:
        check_undecided(claim)
    return event


def _event(claim: Claim, outcome: Outcome) -> EventType:
    match outcome:
        case Outcome.RELEASE:
            return EventType.RELEASE_ORDERED
        case Outcome.REFUSE:
            return EventType.REFUSAL_ORDERED
        case Outcome.RETURN:
            released = claim.may(EventType.RETURN_ORDERED) or claim.state is ClaimState.RETURN_DUE
            return EventType.RETURN_ORDERED if released else EventType.REFUSAL_ORDERED


def _quorum_for(agreement: Agreement, body: Body) -> Quorum | None:
    match body:
        case JointInstruction(outcome=Outcome.RELEASE):
            return agreement.authorities.joint_instruction
        case Ruling(outcome=Outcome.RELEASE, authority=Authority.COURT_ORDER):
            return agreement.authorities.court_order
        case _:
            return None


def _unrevoked(agreement: Agreement, claim: Claim, entry: Entry) -> frozenset[PersonId]:
    return frozenset(
        agreement.person_with(key).id for key in entry.signed.signers if claim.revoked_at(key) is None
    )
