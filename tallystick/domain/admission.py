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

from tallystick.domain import receipts, votes
from tallystick.domain.acts import Rule
from tallystick.domain.agreement import Agreement, NotInAgreementError
from tallystick.domain.authorship import (
    author,
    check_claimant,
    check_engine,
    check_not_revoked,
    check_one_of,
    check_quota,
    check_stages,
    check_subject,
    check_times,
    check_together,
    signing_persons,
)
from tallystick.domain.claim import Claim, WrongClaimStateError, check_step
from tallystick.domain.codec import instant_text
from tallystick.domain.ids import Digest, PersonId, party_of
from tallystick.domain.kinds import Authority, Happening, Kind, Outcome, WithdrawalReason
from tallystick.domain.progress import due
from tallystick.domain.refusals import (
    AlreadyStatedError,
    MisdirectedError,
    NotDueError,
    NothingToRetractError,
    NotYoursError,
    RulingIncompleteError,
    SelfServingError,
)
from tallystick.domain.release import PREMISES, recorded_premises
from tallystick.domain.stages import depositor
from tallystick.domain.state import UNDECIDED, EventType
from tallystick.domain.statements import (
    BY_ENGINE,
    Body,
    DecisionStatement,
    Event,
    Hold,
    HoldLift,
    Intake,
    JointInstruction,
    KeyRevocation,
    Notice,
    NoticeAcknowledgement,
    Ruling,
    Signed,
    Withdrawal,
)
from tallystick.limits import CLOCK_SKEW_MAX

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
    signed: Signed,
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
    elif revoking:
        event = _revocation_event(agreement, claim, signed, later)
    else:
        event = _person_event(agreement, claim, signed, at)
    check_step(claim, signed.body, event)
    return event


def _person_event(agreement: Agreement, claim: Claim, signed: Signed, at: datetime) -> EventType:
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


def _revocation_event(
    agreement: Agreement, claim: Claim, signed: Signed, later: Mapping[Digest, Agreement]
) -> EventType:
    """Admit a revocation, however old and whatever its signer sent: keys are revoked outside of claims."""
    check_not_revoked(claim, signed.signers)
    check_revoked_here(agreement, signed, later)
    return EventType.KEY_REVOKED


def _engine_event(agreement: Agreement, claim: Claim, signed: Signed, at: datetime) -> EventType:
    check_engine(agreement, signed)
    match signed.body:
        case Notice(party=party):
            if party != depositor(agreement).id:
                raise NotDueError("notice goes to the depositor", party=party)
            return EventType.NOTICE_SENT
        case DecisionStatement() as decision:
            return _decision_event(agreement, claim, decision, at)
        case Event() as event:
            return _happening(agreement, claim, event, at)
        case _:
            raise NotDueError("not a statement about a claim", kind=signed.kind.value)


def _decision_event(
    agreement: Agreement, claim: Claim, decision: DecisionStatement, at: datetime
) -> EventType:
    check_stages(claim, (decision.stage,))
    if decision.decided_at > at + CLOCK_SKEW_MAX:
        raise NotDueError("decided in the future", decided_at=instant_text(decision.decided_at))
    if decision.record != claim.record_digest:
        raise NotDueError("decided on another record", expected=claim.record_digest, given=decision.record)
    if not decision.released:
        return _refusal_event(decision)
    _check_contributed(agreement, decision)
    if tuple(verdict.premise for verdict in decision.premises) != PREMISES:
        raise NotDueError("not every premise was looked at, each once", expected=list(PREMISES))
    # The record must bear the gate out, at the time the gate says it looked and when it was recorded.
    for moment in (decision.decided_at, at):
        unmet = [
            v.premise for v in recorded_premises(agreement, claim, decision.stage, at=moment) if not v.holds
        ]
        if unmet or not all(verdict.holds for verdict in decision.premises):
            raise NotDueError("a premise of this release does not hold", unmet=unmet)
    return EventType.STAGE_DECIDED


def _refusal_event(decision: DecisionStatement) -> EventType:
    if all(verdict.holds for verdict in decision.premises) or decision.contributions:
        raise NotDueError("a refusal names what it lacks, and contributes nothing", stage=decision.stage)
    return EventType.STAGE_REFUSED


def _check_contributed(agreement: Agreement, decision: DecisionStatement) -> None:
    expected = sorted(agreement.stage(decision.stage).components)
    given = sorted(contribution.component for contribution in decision.contributions)
    if given != expected:
        raise NotDueError("not a share of each component", expected=list(expected), given=list(given))


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


def check_revocation(agreement: Agreement, body: KeyRevocation, persons: frozenset[PersonId]) -> None:
    """Refuse a revocation by anyone but the key itself or the quorum that the agreement names.

    Raises:
        NotYoursError: Others signed it.
        NotInAgreementError: The key is nobody's.
    """
    owner = agreement.person_with(body.key)
    if persons != frozenset({owner.id}):
        check_together(persons, agreement.authorities.revocation, "revoke another's key")


def check_revoked_here(agreement: Agreement, signed: Signed, later: Mapping[Digest, Agreement]) -> None:
    """Refuse a revocation that counts for no claim under `agreement`.

    It counts by the rules that the claim was filed under, which are frozen, or by those of the later
    version that it names: every party to the claim's version has signed that one, and a key that they
    have now found stolen is stolen for running claims too. An earlier version's rules revoke nothing here.

    Args:
        later: The versions that followed `agreement`, by digest.

    Raises:
        NotYoursError: Others signed it.
        NotInAgreementError: The key is nobody's under `agreement`, or a signer is unknown.
    """
    body = signed.body
    assert isinstance(body, KeyRevocation)
    agreement.person_with(body.key)
    newer = later.get(body.agreement_digest)
    try:
        check_revocation(agreement, body, signing_persons(agreement, signed))
    except (NotYoursError, NotInAgreementError):
        if newer is None:
            raise
        check_revocation(newer, body, signing_persons(newer, signed))


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
