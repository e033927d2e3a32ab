"""Orders from outside the quorum: which of them counts, and what it asks for.

An order skips the objection window only while its signers count: they are checked
again at the moment of the decision, as approvers are.
"""

from tallystick.domain.claim.claim import Claim
from tallystick.domain.claim.evolve import check_undecided
from tallystick.domain.claim.state import ClaimState, EventType
from tallystick.domain.kinds import Authority, Outcome
from tallystick.domain.refusals import LeaveNotOpenError
from tallystick.domain.statements.orders import JointInstruction, Ruling
from tallystick.domain.statements.signed import Entry


def standing_release_order(claim: Claim) -> Entry | None:
    """Return the latest order that skips the window, if no key that signed it was revoked since, or None."""
    orders: tuple[tuple[Entry, JointInstruction | Ruling], ...] = (
        *claim.entries_of(JointInstruction),
        *claim.entries_of(Ruling),
    )
    standing = (entry for entry, body in orders if _skips_window(body) and claim.stands(entry))
    return max(standing, key=lambda entry: entry.index, default=None)


def return_is_ordered(claim: Claim) -> bool:
    """Return whether an authority has ordered that what was released be given back."""
    instructed = (body.outcome for _, body in claim.entries_of(JointInstruction))
    ruled = (body.outcome for _, body in claim.entries_of(Ruling))
    return Outcome.RETURN in {*instructed, *ruled}


def order_event(claim: Claim, outcome: Outcome) -> EventType:
    """Return the event that an order with `outcome` is; an order to return refuses an unreleased claim.

    Raises:
        WrongClaimStateError: It refuses a claim of which every stage is decided.
        LeaveNotOpenError: It says that notice was given, which is no order.
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
        case Outcome.NOTICE_GIVEN:
            raise LeaveNotOpenError("only an arbitrator rules that notice was given")


def _skips_window(body: JointInstruction | Ruling) -> bool:
    match body:
        case JointInstruction(outcome=Outcome.RELEASE):
            return True
        case Ruling(outcome=Outcome.RELEASE, authority=Authority.COURT_ORDER):
            return True
        case _:
            return False
