"""A claim as its own signed bytes show it: what commands show, and build statements on."""

from collections.abc import Iterator
from dataclasses import dataclass

from tallystick.client.answers import digest_in, envelope_in, objects, text
from tallystick.desk.desk import Desk
from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.agreement.terms import Terms
from tallystick.domain.authorship.authors import author, check_subject
from tallystick.domain.comparison_words import six_words
from tallystick.domain.errors import TallystickError
from tallystick.domain.ids import Digest, claim_id
from tallystick.domain.json import JsonObject
from tallystick.domain.record.filing import stages_asked
from tallystick.domain.statements.filing import ClaimFiling
from tallystick.proof.reading import read_signed


class UnexpectedClaimError(TallystickError):
    """The server showed another claim than the one that was asked for."""

    code = "unexpected-claim"
    why = "The signed claim that the server gave has another digest than the one that was asked for."
    advice = "Nothing was signed. Ask again; if it stays so, the server or its storage was altered."


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One claim, its signatures verified, under an agreement that is trusted.

    Attributes:
        view: What the server says of it, which nothing here vouches for.
    """

    terms: Terms
    digest: Digest
    filing: ClaimFiling
    view: JsonObject

    @property
    def agreement(self) -> Agreement:
        """The version that the claim pins."""
        return self.terms.agreement

    def lines(self) -> Iterator[str]:
        """Say what is claimed, from the signed bytes alone."""
        filing, agreement = self.filing, self.agreement
        yield f"claim        {claim_id(self.digest)}  {self.digest}"
        yield f"words        {' '.join(six_words(self.digest))}"
        yield f"agreement    {agreement.id} version {agreement.version}: {agreement.title}"
        yield f"filed by     {filing.person}, for {filing.purpose.value}"
        yield f"condition    {filing.condition}: {agreement.condition(filing.condition).title}"
        yield f"declaration  {filing.declaration}"
        for stage in stages_asked(agreement, filing):
            yield f"stage        {stage}: {', '.join(agreement.stage(stage).components)}"
        for document in filing.evidence:
            item = agreement.evidence_item(document.item)
            yield f"evidence     {item.id}: {item.what}, issued {document.issued_at:%Y-%m-%d}"
            yield f"             {document.plain_digest}"
        yield f"deposit      {filing.deposit}"


def open_case(desk: Desk, claim: str, *, trusted: str | None = None) -> Case:
    """Return a claim by its short id or digest, after verifying all that was signed.

    Raises:
        UnexpectedClaimError: The server shows another claim.
        TallystickError: A signature is wrong, or the server refused or did not answer.
    """
    view = desk.client.get(f"/v1/claims/{claim}")
    pinned = digest_in(view, "agreement_digest")
    terms = desk.agreement(text(view, "agreement"), version=pinned, trusted=trusted).terms
    signed = read_signed(envelope_in(view, "filing_envelope"), terms.agreement)
    filing = signed.body
    if not isinstance(filing, ClaimFiling) or claim not in {signed.id, claim_id(signed.id)}:
        raise UnexpectedClaimError("another claim", asked=claim, found=signed.id)
    author(terms.agreement, signed)
    check_subject(terms.agreement, terms.digest, filing, None)
    return Case(terms=terms, digest=signed.id, filing=filing, view=view)


def state_lines(view: JsonObject) -> Iterator[str]:
    """Say where a claim stands, as the server tells it."""
    yield f"state        {text(view, 'state')} since {text(view, 'since')}" + (
        " (FROZEN)" if view.get("frozen") else ""
    )
    for stage in objects(view, "stages"):
        yield f"stage        {text(stage, 'stage')}: {text(stage, 'state')}"
    for waiting in objects(view, "waiting"):
        until = waiting.get("until")
        yield f"waits for    {text(waiting, 'what')}" + (f" until {until}" if until else "")
