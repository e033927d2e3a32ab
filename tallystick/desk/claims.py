"""A claim as its own signed bytes show it: what commands print, and base statements on."""

from collections.abc import Iterator
from dataclasses import dataclass

from tallystick.client.answers import digest_in, envelope_in, member, objects, text
from tallystick.client.route import route
from tallystick.desk.desk import Desk
from tallystick.domain.acts.all import BY_KIND
from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.agreement.terms import Terms
from tallystick.domain.authorship.authors import author, check_subject, signing_persons
from tallystick.domain.claim.state import UNDECIDED_STAGE
from tallystick.domain.codec import instant
from tallystick.domain.errors import TallystickError
from tallystick.domain.ids import Digest, StageId, claim_id
from tallystick.domain.json import JsonObject
from tallystick.domain.kinds import Kind
from tallystick.domain.shown.claims import FiledClaim, agreement_lines, claim_lines
from tallystick.domain.statements.filing import ClaimFiling
from tallystick.domain.statements.header import OnClaim
from tallystick.proof.reading import read_signed


class UnexpectedClaimError(TallystickError):
    """The claim shown is not the one that was asked for."""

    code = "unexpected-claim"
    why = "The signed bytes belong to another claim than the one that was asked for."
    advice = "Nothing was signed. Ask again; if it happens again, the server or its storage was altered."


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedClaim:
    """One claim whose signatures were verified, under an agreement that is trusted.

    It is no `Case`: the server shows the filing's envelope here and not the record, so nothing can be folded.

    Attributes:
        view: What the server says about it; nothing here vouches for that.
    """

    terms: Terms
    digest: Digest
    filing: ClaimFiling
    view: JsonObject

    @property
    def agreement(self) -> Agreement:
        """The version that the claim pins."""
        return self.terms.agreement

    def with_acts(self, desk: Desk) -> FiledClaim:
        """Return the claim as a signer of a statement about it reads it, with what others have stated.

        Raises:
            TallystickError: A signature is wrong, or the server refused or did not answer.
        """
        return FiledClaim(
            digest=self.digest,
            filing=self.filing,
            state=text(self.view, "state"),
            filed_at=instant(text(self.view, "filed_at")),
            stated=tuple(_acts(desk, self)),
        )

    def lines(self) -> Iterator[str]:
        """Say what is claimed, from the signed bytes alone."""
        yield from agreement_lines(self.agreement, self.filing)
        yield from claim_lines(self.agreement, self.digest, self.filing)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedStanding:
    """Where a claim stands, as the server reports it: the signer of a draft sees what it filled in."""

    desk: Desk
    claim: VerifiedClaim

    @property
    def undecided_stages(self) -> tuple[StageId, ...]:
        """The stages that the gate has not decided to release."""
        return tuple(stage for stage, state in self._stages() if state in UNDECIDED_STAGE)

    @property
    def decided_stages(self) -> tuple[StageId, ...]:
        """The stages that the gate has decided to release."""
        return tuple(stage for stage, state in self._stages() if state not in UNDECIDED_STAGE)

    @property
    def standing_holds(self) -> tuple[Digest, ...]:
        """The holds that nobody has lifted."""
        entries = objects(self.desk.client.get(route("claims", self.claim.digest, "timeline")), "entries")
        lifted = {text(member(e, "says"), "hold") for e in entries if text(e, "kind") == Kind.HOLD_LIFT}
        holds = [digest_in(e, "statement") for e in entries if text(e, "kind") == Kind.HOLD]
        return tuple(hold for hold in holds if hold not in lifted)

    def _stages(self) -> Iterator[tuple[StageId, str]]:
        for stage in objects(self.claim.view, "stages"):
            yield StageId(text(stage, "stage")), text(stage, "state")


def _acts(desk: Desk, claim: VerifiedClaim) -> Iterator[tuple[OnClaim, Digest]]:
    """Yield what persons have stated about a claim, each signature verified, oldest first."""
    for entry in objects(desk.client.get(route("claims", claim.digest, "timeline")), "entries"):
        if text(entry, "kind") not in BY_KIND:
            continue  # by the engine, or the filing itself
        signed = read_signed(envelope_in(entry, "envelope"), claim.agreement)
        if not isinstance(signed.body, OnClaim) or signed.kind not in BY_KIND:
            raise UnexpectedClaimError("the record has what is no act on a claim", statement=signed.id)
        check_subject(claim.agreement, claim.terms.digest, signed.body, claim.digest)
        signing_persons(claim.agreement, signed)
        yield signed.body, signed.id


def open_claim(desk: Desk, claim: str, *, trusted: str | None = None) -> VerifiedClaim:
    """Return a claim by its short id or digest, after verifying all that was signed.

    Raises:
        UnexpectedClaimError: The server shows another claim.
        TallystickError: A signature is wrong, or the server refused or did not answer.
    """
    view = desk.client.get(route("claims", claim))
    pinned = digest_in(view, "agreement_digest")
    terms = desk.agreement(text(view, "agreement"), version=pinned, trusted=trusted).terms
    signed = read_signed(envelope_in(view, "filing_envelope"), terms.agreement)
    filing = signed.body
    if not isinstance(filing, ClaimFiling) or claim not in {signed.id, claim_id(signed.id)}:
        raise UnexpectedClaimError("the server showed another claim", asked=claim, found=signed.id)
    author(terms.agreement, signed)
    check_subject(terms.agreement, terms.digest, filing, None)
    return VerifiedClaim(terms=terms, digest=signed.id, filing=filing, view=view)


def state_lines(view: JsonObject) -> Iterator[str]:
    """Say where a claim stands, as the server reports it."""
    yield f"state        {text(view, 'state')} since {text(view, 'since')}" + (
        " (FROZEN)" if view.get("frozen") else ""
    )
    for stage in objects(view, "stages"):
        yield f"stage        {text(stage, 'stage')}: {text(stage, 'state')}"
    for waiting in objects(view, "waiting"):
        until = waiting.get("until")
        yield f"waiting for  {text(waiting, 'what')}" + (f" until {until}" if until else "")
