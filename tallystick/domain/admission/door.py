"""The one door: whether a statement may be recorded for a claim, and as what event.

The API, the workflow, the gate and the offline verifier all ask here, so no second
endpoint can skip a rule. Signatures were verified before (`Signed`); who may say
what, when, about which claim, is decided here. In this order:

1. it is about this deployment, agreement and claim;
2. its author is a person of the agreement who signed it, with a key that is not revoked;
3. its own times fit, and its author has room left;
4. its author may make it, and what it says fits the claim;
5. the claim's state allows it.
"""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Final

from tallystick.domain.admission import receipts, votes
from tallystick.domain.admission.acts import Rule
from tallystick.domain.admission.decisions import decision_event
from tallystick.domain.admission.revocations import revocation_event
from tallystick.domain.agreement.agreement import Agreement, depositor
from tallystick.domain.authorship.authors import (
    author,
    check_claimant,
    check_engine,
    check_not_revoked,
    check_one_of,
    check_stages,
    check_subject,
    check_times,
    check_together,
    signing_persons,
)
from tallystick.domain.authorship.quotas import check_quota
from tallystick.domain.claim.claim import Claim, WrongClaimStateError
from tallystick.domain.claim.evolve import check_step
from tallystick.domain.claim.state import UNDECIDED, EventType
from tallystick.domain.ids import Digest, PersonId, party_of
from tallystick.domain.kinds import Authority, Happening, Kind, Outcome, WithdrawalReason
from tallystick.domain.progress.due import due
from tallystick.domain.refusals import (
    AlreadyStatedError,
    MisdirectedError,
    NotDueError,
    NothingToRetractError,
    NotYoursError,
    RulingIncompleteError,
    SelfServingError,
)
from tallystick.domain.statements.acts import Hold, HoldLift, Intake, NoticeAcknowledgement, Withdrawal
from tallystick.domain.statements.engine import DecisionStatement, Event, Notice
from tallystick.domain.statements.keys import KeyRevocation
from tallystick.domain.statements.orders import JointInstruction, Ruling
from tallystick.domain.statements.signed import BY_ENGINE, Body, Signed, says

_FINALITY: Final = MappingProxyType(
    {
        Authority.COURT_ORDER: frozenset({"order", "finality_certificate"}),
        Authority.ARBITRATION: frozenset({"award"}),
    }
)
"""Which papers make a ruling final."""


_SHARED: Final = frozenset({Kind.RULING, Kind.JOINT_INSTRUCTION, Kind.HOLD_LIFT})
"""Kinds that several persons may sign together, in one envelope."""


def admit(
    agreement: Agreement,
    claim: Claim,
    signed: Signed[Body],
    *,
    at: datetime,
    later: Mapping[Digest, Agreement] = MappingProxyType({}),
) -> EventType:
    """Return as what event `signed` may be recorded for `claim`.

    Args:
        agreement: The version that the claim pins.
        claim: The claim as recorded so far.
        signed: A statement whose signatures were verified.
        at: When it is accepted: the workflow's time, which the record then holds.
        later: The versions that followed, by digest: by their rules, too, a key may be revoked.

    Raises:
        TallystickError: A subclass says which rule refuses it, and what to do.
    """
    # A revocation is of a key, under whatever version of the agreement it was made.
    revoking = isinstance(signed.body, KeyRevocation)
    pinned = signed.body.agreement_digest if revoking else claim.filing.agreement_digest
    check_subject(agreement, pinned, signed.body, claim.digest)
    if any(entry.signed.id == signed.id for entry in claim.entries):
        raise AlreadyStatedError("it is on record already", statement=signed.id)
    if signed.kind in BY_ENGINE:
        event = _engine_event(agreement, claim, signed, at)
    elif says(signed, KeyRevocation):
        event = revocation_event(agreement, claim, signed, later)
    else:
        event = _person_event(agreement, claim, signed, at)
    check_step(claim, signed.body, event)
    return event


def _person_event(agreement: Agreement, claim: Claim, signed: Signed[Body], at: datetime) -> EventType:
    rule = _RULES.get(type(signed.body))
    if rule is None:
        raise MisdirectedError("not a statement about a claim", kind=signed.kind.value)
    if signed.kind in _SHARED:
        persons = signing_persons(agreement, signed)
    else:
        persons = frozenset({author(agreement, signed).id})
    check_not_revoked(claim, signed.signers)
    check_times(signed.body, at=at)
    check_quota(claim, signed)
    return rule(agreement, claim, signed.body, persons, at)


def _engine_event(agreement: Agreement, claim: Claim, signed: Signed[Body], at: datetime) -> EventType:
    check_engine(agreement, signed)
    match signed.body:
        case Notice(party=party):
            if party != depositor(agreement).id:
                raise NotDueError("notice goes to the depositor", party=party)
            return EventType.NOTICE_SENT
        case DecisionStatement() as decision:
            return decision_event(agreement, claim, decision, at)
        case Event() as event:
            return _happening(agreement, claim, event, at)
        case _:
            raise NotDueError("not a statement about a claim", kind=signed.kind.value)


def _happening(agreement: Agreement, claim: Claim, event: Event, at: datetime) -> EventType:
    if event.claim != claim.digest:
        raise MisdirectedError("it names another claim", expected=claim.digest, given=event.claim)
    if event.happening is Happening.REPLICA_REPAIRED:
        return EventType.REPLICA_REPAIRED
    found = due(agreement, claim, at=at)
    if found is None or (found.happening, found.stage, found.until) != (
        event.happening,
        event.stage,
        event.until,
    ):
        raise NotDueError(
            "this is not what the record says",
            recorded=event.happening.value,
            due=found.happening.value if found else None,
        )
    return EventType(event.happening.value)


def _intake(
    agreement: Agreement, _: Claim, body: Intake, persons: frozenset[PersonId], __: datetime
) -> EventType:
    check_one_of(body.person, agreement.authorities.intake, "accept or refuse a claim's form")
    assert persons == {body.person}
    return EventType.INTAKE_ACCEPTED if body.accepted else EventType.INTAKE_REFUSED


def _acknowledgement(
    agreement: Agreement, _: Claim, body: NoticeAcknowledgement, __: frozenset[PersonId], ___: datetime
) -> EventType:
    notified = [person.id for person in agreement.persons if person.party == depositor(agreement).id]
    check_one_of(body.person, notified, "acknowledge notice")
    return EventType.NOTICE_ACKNOWLEDGED


def _ruling(
    agreement: Agreement, claim: Claim, body: Ruling, persons: frozenset[PersonId], _: datetime
) -> EventType:
    powers = agreement.authorities
    quorum = powers.arbitration if body.authority is Authority.ARBITRATION else powers.court_order
    check_together(persons, quorum, f"attest a ruling by {body.authority.replace('_', ' ')}")
    missing = _FINALITY[body.authority] - {document.document for document in body.documents}
    if missing:
        raise RulingIncompleteError("the ruling is not shown to be final", missing=sorted(missing))
    if body.outcome is Outcome.RELEASE:
        _check_disinterested(agreement, claim, persons)
    if body.outcome is Outcome.RELEASE and body.authority is Authority.ARBITRATION:
        return EventType.ARBITRATED_FOR_RELEASE
    return _ordered(claim, body.outcome)


def _joint(
    agreement: Agreement, claim: Claim, body: JointInstruction, persons: frozenset[PersonId], _: datetime
) -> EventType:
    check_together(persons, agreement.authorities.joint_instruction, "give a joint instruction")
    sides = {depositor(agreement).id, claim.claimant_party}
    if missing := sorted(sides - {party_of(person) for person in persons}):
        raise NotYoursError("a joint instruction is by both sides", missing=list(missing))
    return _ordered(claim, body.outcome)


def _ordered(claim: Claim, outcome: Outcome) -> EventType:
    event = votes.order_event(claim, outcome)
    if event is EventType.REFUSAL_ORDERED:
        _check_undecided(claim)
    return event


def _check_undecided(claim: Claim) -> None:
    """Nothing is withdrawn or refused once everything is decided."""
    if claim.next_stage is None:
        raise WrongClaimStateError(
            "every stage is decided",
            current=claim.state.value,
            expected=sorted(state.value for state in UNDECIDED),
        )


def _check_disinterested(agreement: Agreement, claim: Claim, persons: frozenset[PersonId]) -> None:
    """Nobody helps their own claim along, through whichever door."""
    own = {claim.filing.person} | {
        person
        for person in persons
        if agreement.excludes_claimant_party and party_of(person) == claim.claimant_party
    }
    if interested := sorted(persons & own):
        raise SelfServingError(
            "the claimant's side decides nothing about its claim", persons=list(interested)
        )


def _withdrawal(
    agreement: Agreement, claim: Claim, body: Withdrawal, __: frozenset[PersonId], ___: datetime
) -> EventType:
    check_claimant(agreement, claim, body.person, "withdraw this claim")
    _check_undecided(claim)
    return EventType.WITHDRAWN_AS_CURED if body.reason is WithdrawalReason.CURED else EventType.WITHDRAWN


def _hold(agreement: Agreement, claim: Claim, body: Hold, _: frozenset[PersonId], __: datetime) -> EventType:
    check_one_of(body.person, agreement.authorities.hold, "place a hold")
    check_stages(claim, body.stages)
    return EventType.HOLD_PLACED


def _hold_lift(
    agreement: Agreement, claim: Claim, body: HoldLift, persons: frozenset[PersonId], _: datetime
) -> EventType:
    check_together(persons, agreement.authorities.hold_lift, "lift a hold")
    _check_disinterested(agreement, claim, persons)
    standing = [entry.signed.id for entry, _ in claim.open_holds]
    if body.hold not in standing:
        raise NothingToRetractError("no such hold stands", standing=list(standing))
    return EventType.HOLD_LIFTED


_RULES: Final[Mapping[type[Body], Rule]] = MappingProxyType(
    {
        Intake: _intake,
        NoticeAcknowledgement: _acknowledgement,
        Ruling: _ruling,
        JointInstruction: _joint,
        Withdrawal: _withdrawal,
        Hold: _hold,
        HoldLift: _hold_lift,
        **votes.RULES,
        **receipts.RULES,
    }
)
