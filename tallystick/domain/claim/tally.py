"""Counting: which approvals and denials count, and why or why not.

A person is the key that signed. Outcomes are a function of the set of statements:
their order decides nothing. Rules come from the agreement that the claim pins;
a revoked key, an expired approval or a retraction is taken into account at the
moment of counting.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property, partial

from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.agreement.deadlines import Same
from tallystick.domain.agreement.parties import Person
from tallystick.domain.claim.claim import Claim, covers
from tallystick.domain.claim.confirming import names_confirmation
from tallystick.domain.claim.receivers import named_anew_by
from tallystick.domain.codec import instant_text
from tallystick.domain.ids import Digest, PersonId, StageId
from tallystick.domain.quorum import Quorum
from tallystick.domain.statements.acts import Approval, Denial
from tallystick.domain.statements.signed import Entry


@dataclass(frozen=True, slots=True, kw_only=True)
class Vote:
    """One statement in a count: whose it is, whether it counts, and why or why not."""

    statement: Digest
    person: PersonId
    counts: bool
    why: str


@dataclass(frozen=True, kw_only=True)
class Tally:
    """How close a quorum is to being reached; derived, never stored.

    Attributes:
        barred: Says why a person may never count, or None.
    """

    quorum: Quorum
    votes: tuple[Vote, ...]
    barred: Callable[[PersonId], str | None]

    @cached_property
    def eligible(self) -> frozenset[PersonId]:
        """The persons whom the quorum names and nothing bars; most counts do not ask for them."""
        return frozenset(person for person in self.quorum.persons if self.barred(person) is None)

    @cached_property
    def agreeing(self) -> frozenset[PersonId]:
        """The persons who count, each once."""
        return frozenset(vote.person for vote in self.votes if vote.counts)

    @property
    def reached(self) -> bool:
        """Whether the persons who count suffice."""
        return self.quorum.satisfied_by(self.agreeing)

    @property
    def reachable(self) -> bool:
        """Whether all eligible persons together would suffice."""
        return self.quorum.satisfied_by(self.eligible | self.agreeing)

    @property
    def outstanding(self) -> tuple[PersonId, ...]:
        """Who could still agree, in alphabetical order."""
        return tuple(sorted(self.eligible - self.agreeing))


def tally_approvals(
    agreement: Agreement,
    claim: Claim,
    stage: StageId,
    *,
    at: datetime,
    unextended: frozenset[Digest] = frozenset(),
) -> Tally:
    """Count the approvals for `stage` as they stand at `at`.

    Args:
        agreement: The version that the claim pins.
        claim: As recorded so far.
        stage: One of the claim's stages.
        at: The moment of counting: expiries and revocations are judged by it.
        unextended: Statements whose authors had verified a log that the present one does not extend, as far
            as the one who counts has read it.
    """
    expired = bisect_left(_expiries(claim), at)  # between two expiries the count stays the same
    return claim.once(
        ("approvals", Same(agreement), stage, bool(unextended)),
        lambda: _approvals(agreement, claim, stage, at, unextended),
        given=(expired, unextended),
    )


def _approvals(
    agreement: Agreement, claim: Claim, stage: StageId, at: datetime, unextended: frozenset[Digest]
) -> Tally:
    quorum = agreement.stage(stage).quorum

    def against(entry: Entry, body: Approval) -> str | None:
        if entry.signed.id in unextended:
            seen = "another log" if body.ledger_seen is None else body.ledger_seen.words
            return f"its author had verified {seen}, which this log does not extend"
        return _against_approval(agreement, claim, entry, body, stage=stage, at=at)

    candidates = ((entry, against(entry, body)) for entry, body in claim.approvals)
    tally = _tally(agreement, claim, quorum, candidates)

    def barred(person: PersonId) -> str | None:
        # Nobody waits for an approval by someone who has said no.
        denied = "has denied this stage" if person in _deniers(agreement, claim, stage) else None
        return tally.barred(person) or denied

    return replace(tally, barred=barred)


def _expiries(claim: Claim) -> Sequence[datetime]:
    return claim.once("expiries", lambda: sorted(body.expires_at for _, body in claim.approvals))


def tally_denials(agreement: Agreement, claim: Claim, stage: StageId | None = None) -> Tally:
    """Count the denials of a stage, or of the whole claim if none is named.

    A denial of the whole claim counts for each of its stages.
    """
    return claim.once(("denials", Same(agreement), stage), lambda: _denials(agreement, claim, stage))


def _denials(agreement: Agreement, claim: Claim, stage: StageId | None) -> Tally:
    candidates = (
        (entry, _against_denial(agreement, claim, entry, body, stage=stage)) for entry, body in claim.denials
    )
    return _tally(agreement, claim, agreement.authorities.denial, candidates)


def is_denied(agreement: Agreement, claim: Claim) -> bool:
    """Return whether enough persons deny the whole claim, or each of its undecided stages."""
    undecided = claim.undecided_stages
    if undecided:
        return all(tally_denials(agreement, claim, stage).reached for stage in undecided)
    return tally_denials(agreement, claim).reached


def bar(agreement: Agreement, claim: Claim, person: Person) -> str | None:
    """Return why `person` may never count for `claim`, or None if nothing bars them."""
    if person.id in {claim.filing.person, claim.claimant}:
        return "the claimant never counts for the claim"
    if agreement.excludes_claimant_party and person.party == claim.claimant_party:
        return "the agreement excludes the claimant's party from its own claim"
    if (since := claim.revoked_at(person.signing_key)) is not None:
        return f"the key was revoked at {instant_text(since)}"
    return None


def _tally(
    agreement: Agreement, claim: Claim, quorum: Quorum, candidates: Iterable[tuple[Entry, str | None]]
) -> Tally:
    counted: set[PersonId] = set()
    votes: list[Vote] = []
    for entry, against in candidates:
        person = _person(agreement, entry)
        reason = against or _against_person(agreement, claim, quorum, person, counted)
        if reason is None:
            counted.add(person.id)
        votes.append(
            Vote(
                statement=entry.signed.id,
                person=person.id,
                counts=reason is None,
                why=reason or "valid, by a person of the quorum",
            )
        )
    return Tally(
        quorum=quorum,
        votes=tuple(votes),
        barred=lambda person: bar(agreement, claim, agreement.person(person)),
    )


def _person(agreement: Agreement, entry: Entry) -> Person:
    # Admission lets in only votes with exactly one signer.
    (key,) = entry.signed.signers
    return agreement.person_with(key)


def _against_person(
    agreement: Agreement, claim: Claim, quorum: Quorum, person: Person, counted: set[PersonId]
) -> str | None:
    if person.id not in quorum.persons:
        return "the quorum does not name this person"
    if person.id in counted:
        return "this person is already counted"
    return bar(agreement, claim, person)


def _against_approval(
    agreement: Agreement, claim: Claim, entry: Entry, body: Approval, *, stage: StageId, at: datetime
) -> str | None:
    if (against := _against_vote(agreement, claim, entry, body)) is not None:
        return against
    if body.purpose is not claim.filing.purpose:
        return "it was given for another purpose"
    if stage not in body.stages:
        return "it is not for this stage"
    if body.receivers_named != named_anew_by(claim, stage):
        return "its author was shown other receivers"
    if body.person in _deniers(agreement, claim, stage):
        return "its author denies this stage"
    return "it has expired" if at > body.expires_at else None


def _against_denial(
    agreement: Agreement, claim: Claim, entry: Entry, body: Denial, *, stage: StageId | None
) -> str | None:
    if (against := _against_vote(agreement, claim, entry, body)) is not None:
        return against
    if stage is None:
        return "it is for some stages only" if body.stages is not None else None
    return None if covers(body.stages, stage) else "it is not for this stage"


def _deniers(agreement: Agreement, claim: Claim, stage: StageId) -> frozenset[PersonId]:
    def find() -> frozenset[PersonId]:
        against = partial(_against_denial, agreement, claim, stage=stage)
        return frozenset(body.person for entry, body in claim.denials if against(entry, body) is None)

    return claim.once(("deniers", Same(agreement), stage), find)


def _against_vote(agreement: Agreement, claim: Claim, entry: Entry, body: Approval | Denial) -> str | None:
    if body.claim != claim.digest:
        return "it names another claim"
    if body.agreement_digest != claim.filing.agreement_digest or body.deployment != agreement.deployment:
        return "it names another agreement"
    if not names_confirmation(claim, body):
        return "it does not name the confirmation of this claim"
    if entry.signed.id in claim.retracted:
        return "its author took it back"
    return None
