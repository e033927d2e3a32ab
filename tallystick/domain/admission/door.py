"""The one door: whether a statement may be recorded for a claim, and which event it is.

The API, the workflow, the gate and the offline verifier all ask here, so no second
endpoint can skip a rule. Signatures were verified before (`Signed`); who may say
what, when, about which claim, is decided here. In this order:

1. it is about this deployment, agreement and claim;
2. its author is a person of the agreement who signed it, with a key that is not revoked;
3. its own times fit, and its author is within the limits;
4. its author may make it, and what it says fits the claim;
5. the claim's state allows it.

The last three are by the rules of the generation that the claim was filed under (`claim.rules`).
"""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType

from tallystick.domain.acts.all import check_is_act
from tallystick.domain.admission.decisions import decision_event
from tallystick.domain.admission.revocations import revocation_event
from tallystick.domain.admission.sightings import sighting_event
from tallystick.domain.agreement.agreement import Agreement, depositor
from tallystick.domain.authorship.authors import (
    author,
    check_engine,
    check_not_revoked,
    check_subject,
    signing_persons,
)
from tallystick.domain.claim.claim import Claim
from tallystick.domain.claim.evolve import check_step
from tallystick.domain.claim.state import EventType
from tallystick.domain.ids import Digest
from tallystick.domain.kinds import Happening
from tallystick.domain.progress.due import due
from tallystick.domain.refusals import (
    AlreadyStatedError,
    MisdirectedError,
    NotDueError,
)
from tallystick.domain.statements.engine import DecisionStatement, Event, Notice, Sighting
from tallystick.domain.statements.keys import KeyRevocation
from tallystick.domain.statements.signed import BY_ENGINE, Body, Signed, says


def admit(
    agreement: Agreement,
    claim: Claim,
    signed: Signed[Body],
    *,
    at: datetime,
    later: Mapping[Digest, Agreement] = MappingProxyType({}),
) -> EventType:
    """Return the event that `signed` is if it may be recorded for `claim`.

    Args:
        agreement: The version that the claim pins.
        claim: The claim as recorded so far.
        signed: A statement whose signatures were verified.
        at: When it is accepted: the workflow's time, which the record then holds.
        later: The versions that followed, by digest; their quorum, too, may revoke a key.

    Raises:
        TallystickError: A subclass says which rule refuses it, and what to do.
    """
    # A revocation is about a key, whichever version of the agreement it was made under.
    revoking = isinstance(signed.body, KeyRevocation)
    pinned = signed.body.agreement_digest if revoking else claim.filing.agreement_digest
    check_subject(agreement, pinned, signed.body, claim.digest)
    if claim.entry_of(signed.id) is not None:
        raise AlreadyStatedError("this statement is already on record", statement=signed.id)
    if signed.kind in BY_ENGINE:
        event = _engine_event(agreement, claim, signed, at)
    elif says(signed, KeyRevocation):
        event = revocation_event(agreement, claim, signed, later)
    else:
        event = _person_event(agreement, claim, signed, at)
    check_step(claim, signed.body, event)
    return event


def admit_act(agreement: Agreement, claim: Claim, signed: Signed[Body], *, at: datetime) -> EventType:
    """Return the event that a person's statement is if it may be recorded for `claim`.

    The acts of persons come in here. The engine's statements do not, even with a good signature: a window
    ends by several clocks, and not because someone sends a statement that it has ended.

    Raises:
        MisdirectedError: A filing, a deposit, a revocation …, or a statement of the engine's.
        TallystickError: As `admit`.
    """
    check_is_act(signed)
    return admit(agreement, claim, signed, at=at)


def _person_event(agreement: Agreement, claim: Claim, signed: Signed[Body], at: datetime) -> EventType:
    rule = claim.rules.acts.get(type(signed.body))
    if rule is None:
        raise MisdirectedError("this is not a statement about a claim", kind=signed.kind.value)
    if signed.kind in claim.rules.together:
        persons = signing_persons(agreement, signed)
    else:
        persons = frozenset({author(agreement, signed).id})
    check_not_revoked(claim, signed.signers)
    claim.rules.bounds(claim, signed, at)
    return rule(agreement, claim, signed.body, persons, at)


def _engine_event(agreement: Agreement, claim: Claim, signed: Signed[Body], at: datetime) -> EventType:
    check_engine(agreement, signed)
    match signed.body:
        case Notice(party=party, channels=channels):
            if party != depositor(agreement).id:
                raise NotDueError("notice goes to the depositor", party=party)
            taken = any(channel.taken for channel in channels)
            return EventType.NOTICE_SENT if taken else EventType.NOTICE_NOT_TAKEN
        case DecisionStatement() as decision:
            return decision_event(agreement, claim, decision, at)
        case Sighting() as sighting:
            return sighting_event(agreement, claim, sighting, at)
        case Event() as event:
            return _happening(agreement, claim, event, at)
        case _:
            raise NotDueError("this is not a statement about a claim", kind=signed.kind.value)


def _happening(agreement: Agreement, claim: Claim, event: Event, at: datetime) -> EventType:
    if event.claim != claim.digest:
        raise MisdirectedError("the event names another claim", expected=claim.digest, given=event.claim)
    if event.happening is Happening.REPLICA_REPAIRED:
        return EventType.REPLICA_REPAIRED
    expected = due(agreement, claim, at=at)
    told = (event.happening, event.stage, event.until, event.cause)
    if expected is None or told != (expected.happening, expected.stage, expected.until, expected.cause):
        raise NotDueError(
            "the record does not call for this event",
            recorded=event.happening.value,
            due=expected.happening.value if expected else None,
        )
    return EventType(event.happening.value)
