"""Filing a claim, and folding its whole record: from the first statement to where it stands."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise

from tallystick.domain.admission import admit
from tallystick.domain.agreement import Agreement
from tallystick.domain.authorship import author, check_one_of, check_subject, check_times, check_unrevoked
from tallystick.domain.claim import Claim, evolve, filed
from tallystick.domain.conditions_met import unmet_evidence
from tallystick.domain.ids import Digest, StageId, party_of
from tallystick.domain.kinds import Purpose
from tallystick.domain.refusals import (
    ConditionNotMetError,
    DepositNotUsableError,
    DuplicateClaimError,
    KeyRevokedError,
    MisdirectedError,
    QuotaExceededError,
    UnknownStageError,
)
from tallystick.domain.state import ClaimState, EventType
from tallystick.domain.statements import ClaimFiling, Deposit, Entry, KeyRevocation, Signed
from tallystick.domain.versions import check_in_force
from tallystick.limits import CLAIMS_PER_PARTY_MAX, CLAIMS_PER_PERSON_MAX, EVIDENCE_DOCUMENTS_MAX


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """An agreement as a claim pins it: its content and its digest.

    Attributes:
        later: The versions that followed it, by digest, as far as they are known; each signed by all
            parties to the one before it. They change no rule of the claim's, but their quorum, too, may
            say that a key was stolen.
    """

    agreement: Agreement
    digest: Digest
    later: Mapping[Digest, Agreement] = field(default_factory=dict[Digest, Agreement], hash=False)


def check_filing(
    terms: Terms,
    signed: Signed,
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
        others: The claims on record under this agreement; those of the claimant's own party are enough.
        revocations: The key revocations on record under this agreement.
        later: The versions of the agreement that came after this one.

    Raises:
        TallystickError: A subclass says which rule refuses it.
    """
    body = signed.body
    assert isinstance(body, ClaimFiling)
    check_subject(terms.agreement, terms.digest, body, None)
    person = author(terms.agreement, signed)
    check_one_of(person.id, terms.agreement.authorities.claimants, "file a claim")
    check_times(body, at=at)
    check_unrevoked(signed, revocations)
    check_in_force(terms.agreement, later, at=at)
    if body.purpose is not Purpose.RELEASE:
        raise MisdirectedError("only claims for a release are carried", purpose=body.purpose.value)
    _check_stages(terms.agreement, body)
    _check_deposit(terms.agreement, body, deposit)
    _check_condition(terms.agreement, body, at)
    filed_before = [one for one in others if one.claimant_party == party_of(body.person)]
    _check_unique(body, filed_before)
    _check_room(signed, filed_before)


def stages_asked(agreement: Agreement, filing: ClaimFiling) -> tuple[StageId, ...]:
    """Return the stages that a claim asks for, in the agreement's order."""
    return tuple(stage.id for stage in agreement.stages if stage.id in filing.stages)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One entry of a claim's record, and what it came to.

    Attributes:
        event: As what it counted; None for the filing, with which the claim begins.
        claim: As the entry left it.
    """

    entry: Entry
    event: EventType | None
    claim: Claim


def fold(terms: Terms, entries: Sequence[Entry]) -> Claim:
    """Return the claim that `entries` make: its filing first, then every act and event, in ledger order.

    Every entry is admitted again, at the time the record gives it, so a record that
    holds what should not be in it does not fold.

    Raises:
        TallystickError: The rule that an entry breaks.
    """
    *_, last = steps(terms, entries)
    return last.claim


def steps(terms: Terms, entries: Sequence[Entry]) -> Iterator[Step]:
    """Yield every step from the filing to where the claim stands, as `fold` takes it.

    Raises:
        TallystickError: The rule that an entry breaks.
    """
    first = entries[0]
    filing = first.signed.body
    if not isinstance(filing, ClaimFiling) or filing.agreement_digest != terms.digest:
        raise MisdirectedError("the record does not begin with a claim under this agreement")
    check_subject(terms.agreement, terms.digest, filing, None)
    author(terms.agreement, first.signed)
    _check_stages(terms.agreement, filing)
    _check_order(entries)
    claim = filed(first, stages=stages_asked(terms.agreement, filing))
    yield Step(entry=first, event=None, claim=claim)
    for entry in entries[1:]:
        event = _event(terms, claim, entry)
        if event is not None:
            claim = evolve(claim, entry, event)
            yield Step(entry=entry, event=event, claim=claim)


def step(terms: Terms, claim: Claim, entry: Entry) -> Claim:
    """Return the claim with one more entry of its record.

    Raises:
        TallystickError: The rule that the entry breaks.
    """
    event = _event(terms, claim, entry)
    return claim if event is None else evolve(claim, entry, event)


def state_after(terms: Terms, claim: Claim, entry: Entry) -> ClaimState:
    """Return the state to which `entry`, which is on the record of `claim`, led when it was recorded."""
    if entry is claim.entries[-1]:
        return claim.state
    return next(one.claim.state for one in steps(terms, claim.entries) if one.entry is entry)


def _event(terms: Terms, claim: Claim, entry: Entry) -> EventType | None:
    """Return as what event a recorded entry counts, or None if it counts for nothing here."""
    try:
        return admit(terms.agreement, claim, entry.signed, at=entry.accepted_at, later=terms.later)
    except KeyRevokedError:
        # Revocations are recorded under the agreement: one by a revoked key revokes nothing here,
        # and makes no claim unreadable.
        if isinstance(entry.signed.body, KeyRevocation):
            return None
        raise


def _check_order(entries: Sequence[Entry]) -> None:
    """After the filing comes what the ledger holds, in its order; the filing's place is its own."""
    places = [entry.index for entry in entries[1:]]
    if any(later <= earlier for earlier, later in pairwise(places)):
        raise MisdirectedError("the record is not in the order of the ledger", given=places[:16])


def _check_room(signed: Signed, others: Sequence[Claim]) -> None:
    """Each filing reads its party's claims before it: nobody may file so many that others can file none."""
    if sum(other.filed_by in signed.signers for other in others) >= CLAIMS_PER_PERSON_MAX:
        raise QuotaExceededError("too many claims by one person", limit=CLAIMS_PER_PERSON_MAX)
    if len(others) >= CLAIMS_PER_PARTY_MAX:
        raise QuotaExceededError("too many claims by one party", limit=CLAIMS_PER_PARTY_MAX)


def _check_stages(agreement: Agreement, body: ClaimFiling) -> None:
    known = [stage.id for stage in agreement.stages]
    if not body.stages or not set(body.stages) <= set(known) or len(set(body.stages)) != len(body.stages):
        raise UnknownStageError(
            "not stages of the agreement, each once", given=list(body.stages), known=list(known)
        )
    for stage in body.stages:
        after = agreement.stage(stage).opens.stage
        if after is not None and after not in body.stages:
            raise UnknownStageError(f"{stage} opens after {after}, which is not asked for", known=list(known))


def _check_deposit(agreement: Agreement, body: ClaimFiling, deposit: Deposit | None) -> None:
    if deposit is None:
        raise DepositNotUsableError("no verified deposit has this digest", deposit=body.deposit)
    has = {component.component for component in deposit.components}
    wanted = {component for stage in body.stages for component in agreement.stage(stage).components}
    if missing := sorted(wanted - has):
        raise DepositNotUsableError(
            "the deposit lacks components", missing=list(missing), deposit=body.deposit
        )


def _check_condition(agreement: Agreement, body: ClaimFiling, at: datetime) -> None:
    items = [document.item for document in body.evidence]
    if len(items) > EVIDENCE_DOCUMENTS_MAX or len(set(items)) != len(items):
        raise ConditionNotMetError("too many documents, or two for one item", limit=EVIDENCE_DOCUMENTS_MAX)
    if unmet := unmet_evidence(agreement, body, at=at):
        raise ConditionNotMetError("the evidence does not meet the condition", unmet=list(unmet))


def _check_unique(body: ClaimFiling, others: Iterable[Claim]) -> None:
    for other in others:
        same = (other.filing.condition, other.filing.deposit) == (body.condition, body.deposit)
        if other.is_open and same:
            raise DuplicateClaimError("such a claim is open", claim=other.id, digest=other.digest)
