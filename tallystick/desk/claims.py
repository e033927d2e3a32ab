"""A claim as its signed record makes it: what commands print, and base statements on."""

from collections.abc import Iterator
from datetime import datetime

from tallystick.client.records import record_shown, recorded
from tallystick.crypto.envelope import statement_id
from tallystick.desk.desk import Desk
from tallystick.domain.claim.receivers import receivers_of
from tallystick.domain.codec import instant_text
from tallystick.domain.comparison_words import make_words_of
from tallystick.domain.errors import TallystickError
from tallystick.domain.ids import is_claim_name
from tallystick.domain.inbox.waiting import Waiting, waiting
from tallystick.domain.quoting import quoted
from tallystick.domain.shown.claims import agreement_lines, claim_lines
from tallystick.proof.case import Case, RecordRefusedError, folded_as_shown
from tallystick.proof.reading import header_of


class UnexpectedClaimError(TallystickError):
    """The claim shown is not the one that was asked for."""

    code = "unexpected-claim"
    why = "The signed bytes belong to another claim than the one that was asked for."
    advice = "Nothing was signed. Ask again; if it happens again, the server or its storage was altered."


def open_claim(desk: Desk, claim: str, *, at: datetime, trusted: str | None = None) -> Case:
    """Return a claim by its short id or digest, folded from the record that the server shows at `at`.

    Nothing but signatures is believed: neither the state nor anything else that the server says of it.

    Raises:
        UnexpectedClaimError: The server shows another claim.
        RecordRefusedError: What it shows is no claim's record at this moment.
        TallystickError: A signature is wrong, or the server refused or did not answer.
    """
    record = recorded(record_shown(desk.client, claim))
    if not record:
        raise RecordRefusedError("the record is empty", claim=claim)
    # Asked before the agreement is: the first one of a name that a command meets is trusted from then on.
    if not is_claim_name(claim, found := statement_id(record[0].envelope)):
        raise UnexpectedClaimError("the server showed another claim", asked=claim, found=found)
    filed = header_of(record[0].envelope)
    make_words_of(found, filed.agreement_digest)
    signed = desk.agreement(filed.agreement, version=filed.agreement_digest, trusted=trusted)
    return folded_as_shown(signed, record, at=at)


def case_lines(case: Case, at: datetime) -> Iterator[str]:
    """Say what is claimed, where the claim stands, and what it waits for at `at`."""
    claim = case.claim
    yield from agreement_lines(case.agreement, claim.filing)
    yield from claim_lines(case.agreement, claim.digest, claim.filing)
    frozen = " (FROZEN)" if claim.frozen else ""
    yield f"state        {claim.state} since {instant_text(claim.since)}{frozen}"
    if claim.confirmation is not None:
        declared = quoted(claim.declaration or "")
        yield f"confirmed    by {claim.claimant} for {claim.claimant_party}: {declared}"
    if named := receivers_of(case.agreement, claim):
        yield f"receivers    {', '.join(one.person for one in named)}"
    yield from (f"stage        {progress.stage}: {progress.state}" for progress in claim.stages)
    yield from map(_waiting_line, waiting(case.agreement, claim, at))


def _waiting_line(item: Waiting) -> str:
    until = f" until {instant_text(item.until)}" if item.until is not None else ""
    return f"waiting for  {item.what}{until}"
