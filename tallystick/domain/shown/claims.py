"""A claim as the signers of statements about it read it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.claim.claim import Claim
from tallystick.domain.codec import instant_text
from tallystick.domain.comparison_words import in_words
from tallystick.domain.deposit.age import ended_licences
from tallystick.domain.ids import Digest, claim_id
from tallystick.domain.quoting import quoted
from tallystick.domain.record.filing import stages_asked
from tallystick.domain.statements.filing import ClaimFiling
from tallystick.domain.statements.header import ActBody, Header
from tallystick.domain.statements.keys import KeyRevocation


@dataclass(frozen=True, slots=True, kw_only=True)
class FiledClaim:
    """A claim that a statement is about.

    Attributes:
        digest: Of `filing`; the claim's identity.
        state: As its record makes it.
        filed_at: When it was accepted; the log key vouches for the times in a record.
        stated: The acts of persons on it so far, and the keys that were revoked, verified, each with its id,
            oldest first. A server may leave some out; none of them can be forged.
    """

    digest: Digest
    filing: ClaimFiling
    state: str
    filed_at: datetime
    stated: tuple[tuple[ActBody | KeyRevocation, Digest], ...] = ()


def filed_claim(claim: Claim) -> FiledClaim:
    """Return a folded claim as the signers of statements about it read it."""
    return FiledClaim(
        digest=claim.digest,
        filing=claim.filing,
        state=claim.state.value,
        filed_at=claim.filed_at,
        stated=tuple(_acts_of(claim)),
    )


def _acts_of(claim: Claim) -> Iterator[tuple[ActBody | KeyRevocation, Digest]]:
    return (
        (entry.signed.body, entry.signed.id)
        for entry in claim.entries
        if isinstance(entry.signed.body, ActBody | KeyRevocation)
    )


def claim_lines(agreement: Agreement, digest: Digest, filing: ClaimFiling) -> Iterator[str]:
    """Yield which claim it is and what it asks for, from the signed filing alone."""
    yield f"claim {claim_id(digest)}: {in_words(digest)}"
    yield f"claim digest {digest}"
    whose = "" if filing.for_ is None else f", of the escrow agent, for the beneficiary {filing.for_}"
    yield f"filed by {filing.person}{whose}; for {filing.purpose}, issued {instant_text(filing.issued_at)}"
    yield f"rules of generation {filing.generation}"
    yield f"condition {filing.condition}: {quoted(agreement.condition(filing.condition).title)}"
    for stage in stages_asked(agreement, filing):
        yield f"asks for stage {stage}: {', '.join(agreement.stage(stage).components)}"
    yield from (f"note: {line}" for line in ended_licences(agreement, filing))
    yield f"deposit {filing.deposit}"
    for document in filing.evidence:
        what = quoted(agreement.evidence_item(document.item).what)
        dated = instant_text(document.issued_at)
        yield f"evidence {document.item}: {what}, dated {dated}, {document.plain_digest}"
    yield from (f"what is released is sealed to {one.words}" for one in filing.receivers)
    if filing.declaration is not None:
        yield f"declared: {quoted(filing.declaration)}"
    if filing.for_ is not None:
        yield f"{filing.for_} declares, and names to whom is sealed, when it confirms the claim"


def agreement_lines(agreement: Agreement, body: Header) -> Iterator[str]:
    """Yield the agreement that a statement is under, as its body says, and what that version is called."""
    digest = body.agreement_digest
    yield f"agreement {body.agreement} version {agreement.version}: {quoted(agreement.title)}"
    yield f"agreement digest {digest}: {in_words(digest)}"
    yield f"deployment {body.deployment}"
