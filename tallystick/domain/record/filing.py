"""Whether a claim may be filed."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.agreement.parties import Role
from tallystick.domain.agreement.terms import Terms
from tallystick.domain.agreement.versions import check_in_force
from tallystick.domain.authorship.authors import (
    author,
    check_one_of,
    check_subject,
    check_times,
    check_unrevoked,
)
from tallystick.domain.claim.claim import Claim
from tallystick.domain.claim.receivers import check_receivers
from tallystick.domain.ids import PartyId, StageId, party_of
from tallystick.domain.kinds import Purpose
from tallystick.domain.record.generations import check_newest
from tallystick.domain.refusals import (
    ConditionNotMetError,
    DepositNotClaimableError,
    DuplicateClaimError,
    FilingIncompleteError,
    MisdirectedError,
    NotYoursError,
    QuotaExceededError,
    UnknownStageError,
)
from tallystick.domain.release.conditions_met import unmet_evidence
from tallystick.domain.statements.deposits import Deposit
from tallystick.domain.statements.filing import ClaimFiling
from tallystick.domain.statements.signed import Entry, Signed
from tallystick.limits.claims import (
    CLAIMS_PER_PARTY_MAX,
    CLAIMS_PER_PERSON_MAX,
    EVIDENCE_DOCUMENTS_MAX,
    UNCONFIRMED_PER_PERSON_MAX,
)


def check_filing(
    terms: Terms,
    signed: Signed[ClaimFiling],
    *,
    at: datetime,
    deposit: Deposit | None,
    others: Iterable[Claim] = (),
    revocations: Iterable[Entry] = (),
    later: Iterable[Agreement] = (),
) -> None:
    """Refuse a claim that could never be released, or was filed already.

    Args:
        terms: The agreement version that the claim names.
        signed: The claim, its signature verified.
        at: When it is filed.
        deposit: The verified deposit that the claim names, or None if there is none.
        others: The claims on record under this agreement; those by or for the claimant's own party, and by
            the author's, are enough.
        revocations: The key revocations on record under this agreement.
        later: The versions of the agreement that came after this one.

    Raises:
        TallystickError: A subclass says which rule refuses it.
    """
    author(terms.agreement, signed)
    check_unrevoked(signed, revocations)
    check_in_force(terms.agreement, later, at=at)
    check_says(terms, signed.body, at=at, deposit=deposit)
    filed_before = list(others)
    _check_unique(signed.body, filed_before)
    _check_room(signed, filed_before)


def check_says(terms: Terms, body: ClaimFiling, *, at: datetime, deposit: Deposit | None) -> None:
    """Refuse a claim for what it says, whoever signs it: its author is refused before they sign.

    Raises:
        TallystickError: A subclass says which rule refuses it.
    """
    check_subject(terms.agreement, terms.digest, body, None)
    check_newest(body.generation)
    check_for_whom(terms.agreement, body)
    check_times(body, at=at)
    if body.purpose is not Purpose.RELEASE:
        raise MisdirectedError("only claims for a release are accepted", purpose=body.purpose.value)
    check_stages_asked(terms.agreement, body)
    _check_deposit(terms.agreement, body, deposit)
    _check_condition(terms.agreement, body, at)


def stages_asked(agreement: Agreement, filing: ClaimFiling) -> tuple[StageId, ...]:
    """Return the stages that a claim asks for, in the agreement's order."""
    return tuple(stage.id for stage in agreement.stages if stage.id in filing.stages)


def _check_room(signed: Signed[ClaimFiling], others: Sequence[Claim]) -> None:
    """Each filing reads its party's earlier claims, so nobody may file so many that others can file none.

    What the escrow agent files counts for the agent until it is confirmed, and never for a beneficiary that
    confirmed nothing: the agent could leave it no room for claims of its own.
    """
    own = [other for other in others if other.filing.person == signed.body.person]
    if len(own) >= CLAIMS_PER_PERSON_MAX:
        raise QuotaExceededError("too many claims by one person", limit=CLAIMS_PER_PERSON_MAX)
    waiting = [other for other in own if other.is_open and other.is_unconfirmed]
    if len(waiting) >= UNCONFIRMED_PER_PERSON_MAX:
        raise QuotaExceededError("too many claims wait to be confirmed", limit=UNCONFIRMED_PER_PERSON_MAX)
    party = party_of(signed.body.person)
    if sum(party in _counted_for(other) for other in others) >= CLAIMS_PER_PARTY_MAX:
        raise QuotaExceededError("too many claims by one party", limit=CLAIMS_PER_PARTY_MAX)


def _counted_for(claim: Claim) -> set[PartyId]:
    author = party_of(claim.filing.person)
    return {author} if claim.is_unconfirmed else {author, claim.claimant_party}


def check_for_whom(agreement: Agreement, body: ClaimFiling) -> None:
    """Refuse a claim by somebody who may not file it, or that says what only another may say.

    Raises:
        NotYoursError: Not a claimant's; or filed for a party that is no beneficiary, or by nobody who may.
        FilingIncompleteError: It lacks its party's declaration, or has one though it is filed for another.
        ReceiversRefusedError: Nothing may be sealed to its receivers.
    """
    powers = agreement.authorities
    if body.for_ is None:
        check_one_of(body.person, powers.claimants, "file a claim")
        if body.declaration is None:
            raise FilingIncompleteError("the claim has no declaration", missing="declaration")
        check_receivers(agreement, body.claimant_party, body.receivers)
        return
    check_one_of(body.person, powers.filing, "file a claim for another party")
    beneficiaries = sorted(party.id for party in agreement.parties_in(Role.BENEFICIARY))
    if body.for_ not in beneficiaries:
        raise NotYoursError(f"{body.for_} is no beneficiary", given=body.for_, allowed=list(beneficiaries))
    if body.declaration is not None or body.receivers:
        raise FilingIncompleteError(f"{body.for_} declares and names receivers itself", party=body.for_)


def check_stages_asked(agreement: Agreement, body: ClaimFiling) -> None:
    """Refuse a claim that names an unknown stage, one twice, or one without the stage that it follows."""
    known = [stage.id for stage in agreement.stages]
    if not body.stages or not set(body.stages) <= set(known) or len(set(body.stages)) != len(body.stages):
        raise UnknownStageError(
            "name one or more stages of the agreement, each once", given=list(body.stages), known=list(known)
        )
    for stage in body.stages:
        after = agreement.stage(stage).opens.stage
        if after is not None and after not in body.stages:
            raise UnknownStageError(
                f"{stage} opens after {after}, which the claim does not ask for", known=list(known)
            )


def _check_deposit(agreement: Agreement, body: ClaimFiling, deposit: Deposit | None) -> None:
    if deposit is None:
        raise DepositNotClaimableError("no verified deposit has this digest", deposit=body.deposit)
    has = {component.component for component in deposit.components}
    wanted = {component for stage in body.stages for component in agreement.stage(stage).components}
    if missing := sorted(wanted - has):
        raise DepositNotClaimableError(
            "the deposit lacks components", missing=list(missing), deposit=body.deposit
        )


def _check_condition(agreement: Agreement, body: ClaimFiling, at: datetime) -> None:
    items = [document.item for document in body.evidence]
    if len(items) > EVIDENCE_DOCUMENTS_MAX or len(set(items)) != len(items):
        raise ConditionNotMetError(
            "the claim has too many documents, or two for one item", limit=EVIDENCE_DOCUMENTS_MAX
        )
    if unmet := unmet_evidence(agreement, body, at=at):
        raise ConditionNotMetError("the evidence does not meet the condition", unmet=list(unmet))


def _check_unique(body: ClaimFiling, others: Iterable[Claim]) -> None:
    for other in others:
        same = (other.filing.condition, other.filing.deposit) == (body.condition, body.deposit)
        same = same and other.claimant_party == body.claimant_party
        # What nobody has confirmed keeps no beneficiary from its own claim; it can leave it unconfirmed.
        if other.is_open and same and (body.for_ is not None or not other.is_unconfirmed):
            raise DuplicateClaimError("the same claim is already open", claim=other.id, digest=other.digest)
