"""The checks of any statement, whatever it says: its subject, its signers and its times."""

from collections.abc import Callable, Iterable
from datetime import datetime

from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.agreement.parties import Person
from tallystick.domain.claim.claim import Claim
from tallystick.domain.claim.receivers import receivers_of
from tallystick.domain.codec import instant_text
from tallystick.domain.ids import Digest, PersonId, PublicKey, StageId, party_of
from tallystick.domain.instants import plus
from tallystick.domain.quorum import Quorum
from tallystick.domain.refusals import (
    BadTimingError,
    KeyRevokedError,
    MisdirectedError,
    NotYoursError,
    UnknownStageError,
)
from tallystick.domain.statements.header import Header, OnClaim
from tallystick.domain.statements.keys import KeyRevocation
from tallystick.domain.statements.signed import BY_ENGINE, BY_GATE, Body, Entry, Signed
from tallystick.limits.documents import CLOCK_SKEW_MAX, STATEMENT_LIFETIME_MAX


def check_subject(agreement: Agreement, digest: Digest, body: Header, claim: Digest | None) -> None:
    """Refuse a statement about another deployment, agreement or claim.

    Raises:
        MisdirectedError: It names something else.
    """
    named: list[tuple[str, str, str]] = [
        ("deployment", agreement.deployment, body.deployment),
        ("agreement", agreement.id, body.agreement),
        ("agreement digest", digest, body.agreement_digest),
    ]
    if claim is not None and isinstance(body, OnClaim):
        named.append(("claim", claim, body.claim))
    for what, expected, given in named:
        if given != expected:
            raise MisdirectedError(f"the statement names another {what}", expected=expected, given=given)


def check_times(body: Header, *, at: datetime) -> None:
    """Refuse a statement from the future, or from too long ago.

    Raises:
        BadTimingError: `issued_at` is further ahead than clocks may differ, or too far back.
    """
    issued_at = instant_text(body.issued_at)
    if body.issued_at > plus(at, CLOCK_SKEW_MAX):
        now = instant_text(at)
        raise BadTimingError("the statement was issued in the future", issued_at=issued_at, now=now)
    # A revocation may be signed in advance and kept in a safe for years.
    if not isinstance(body, KeyRevocation) and at - body.issued_at > STATEMENT_LIFETIME_MAX:
        limit = STATEMENT_LIFETIME_MAX.days
        raise BadTimingError("the statement was issued too long ago", issued_at=issued_at, limit_days=limit)


def author(agreement: Agreement, signed: Signed[Body]) -> Person:
    """Return the one person who signed `signed`, who is the person it names.

    Raises:
        NotYoursError: Someone else signed, or more than one person did.
        NotInAgreementError: It names a person whom the agreement does not have.
    """
    person = agreement.person(signed.body.person)
    if signed.signers != frozenset({person.signing_key}):
        raise NotYoursError("the statement is not signed by the person it names", person=person.id)
    return person


def signing_persons(agreement: Agreement, signed: Signed[Body]) -> frozenset[PersonId]:
    """Return everyone who signed; the person whom the statement names is one of them.

    Raises:
        NotYoursError: The person it names did not sign.
        NotInAgreementError: A signer, or the person it names, is not in the agreement.
    """
    persons = frozenset(agreement.person_with(key).id for key in signed.signers)
    if agreement.person(signed.body.person).id not in persons:
        raise NotYoursError("the statement is not signed by the person it names", person=signed.body.person)
    return persons


def check_engine(agreement: Agreement, signed: Signed[Body]) -> None:
    """Refuse a notice, event or decision unless the engine's own key, and no other, signed it.

    Raises:
        NotYoursError: Another key signed it.
    """
    assert signed.kind in BY_ENGINE
    wanted = agreement.engine.decision_key if signed.kind in BY_GATE else agreement.engine.log_key
    if signed.signers != frozenset({wanted}):
        raise NotYoursError(
            "the statement is not signed by the engine's key for this kind", kind=signed.kind.value
        )


def check_not_revoked(claim: Claim, keys: Iterable[PublicKey]) -> None:
    """Refuse what a revoked key signed.

    Raises:
        KeyRevokedError: One of `keys` was revoked.
    """
    for key in keys:
        if (since := claim.revoked_at(key)) is not None:
            raise KeyRevokedError("the key was revoked", key=key, since=instant_text(since))


def check_unrevoked(signed: Signed[Body], revocations: Iterable[Entry]) -> None:
    """Refuse what a revoked key signed, if no claim has the revocation on its record.

    Args:
        revocations: The key revocations on record under the agreement.

    Raises:
        KeyRevokedError: A signer's key is among them.
    """
    for entry in revocations:
        body = entry.signed.body
        if isinstance(body, KeyRevocation) and body.key in signed.signers:
            raise KeyRevokedError("the key was revoked", key=body.key, since=instant_text(entry.accepted_at))


def check_one_of(person: PersonId, allowed: Iterable[PersonId], what: str) -> None:
    """Refuse a statement by a person who may not make it.

    Raises:
        NotYoursError: `person` is not among `allowed`.
    """
    permitted = sorted(allowed)
    if person not in permitted:
        raise NotYoursError(f"{person} may not {what}", person=person, allowed=permitted)


def claimants_of(agreement: Agreement, claim: Claim) -> tuple[PersonId, ...]:
    """Return who may act for the party that filed a claim; other beneficiaries have their own claimants."""
    claimants = agreement.authorities.claimants
    return tuple(person for person in claimants if party_of(person) == claim.claimant_party)


def reporters_of(agreement: Agreement, claim: Claim, stage: StageId) -> tuple[PersonId, ...]:
    """Return who may sign receipts for `stage`: the claimants, and those to whom it is sealed."""
    receivers = (one.person for one in receivers_of(agreement, claim, stage))
    return tuple(dict.fromkeys((*claimants_of(agreement, claim), *receivers)))


def check_claimant(agreement: Agreement, claim: Claim, person: PersonId, what: str) -> None:
    """Refuse an act on a claim by anyone but the claimants of the party that filed it.

    Raises:
        NotYoursError: Not a claimant, or one of another beneficiary.
    """
    check_one_of(person, claimants_of(agreement, claim), what)


def check_together(
    persons: frozenset[PersonId],
    quorum: Quorum | None,
    what: str,
    *,
    instead: Callable[[], Quorum | None] = lambda: None,
) -> None:
    """Refuse a joint statement that too few persons signed, or the wrong ones.

    Args:
        instead: Finds another quorum that suffices as well; asked only if `quorum` is not there, because to
            find it may need more days than a calendar has.

    Raises:
        NotYoursError: The signers do not satisfy `quorum`, or the agreement has none for this.
    """
    if _suffice(persons, quorum) or _suffice(persons, instead()):
        return
    if quorum is None:
        raise NotYoursError(f"this agreement lets nobody {what}", allowed=[])
    raise NotYoursError(
        f"these signers together may not {what}",
        signed_by=sorted(persons),
        allowed=sorted(quorum.persons),
    )


def _suffice(persons: frozenset[PersonId], quorum: Quorum | None) -> bool:
    return quorum is not None and persons <= quorum.persons and quorum.satisfied_by(persons)


def check_stages(claim: Claim, stages: tuple[StageId, ...] | None) -> None:
    """Refuse a scope that names no stage, one twice, or one that the claim does not ask for.

    Raises:
        UnknownStageError: A stage is not the claim's, or none is named.
    """
    known = [progress.stage for progress in claim.stages]
    if stages is not None and (
        not stages or not set(stages) <= set(known) or len(set(stages)) != len(stages)
    ):
        raise UnknownStageError(
            "name one or more stages of this claim, each once", given=list(stages), known=known
        )
