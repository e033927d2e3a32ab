"""A claim's case file: its raw record, verified and folded anew on each reading.

The gate, the API's read side and the evidence export all read a claim here, so
there is no second way from rows to a claim.
"""

from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace

from sqlmodel import Session

from tallystick.crypto.envelope import Envelope, body_of, parse_envelope
from tallystick.domain.agreement.terms import Terms
from tallystick.domain.errors import TallystickError
from tallystick.domain.ids import AgreementId, Digest
from tallystick.domain.kinds import Kind
from tallystick.domain.statements.signed import Entry
from tallystick.limits.documents import AGREEMENT_SIZE_BYTES_MAX
from tallystick.proof import entries
from tallystick.proof.case import Case, folded
from tallystick.proof.entries import RecordedStatement
from tallystick.proof.reading import header_of
from tallystick.store.damage import LedgerCorruptError
from tallystick.store.database.session import DatabaseUnavailableError
from tallystick.store.ledger import ledger
from tallystick.store.ledger.entry import LedgerEntry
from tallystick.store.registers import agreements, claims, deposits
from tallystick.store.registers.deposits import StoredDeposit


class ClaimMovedOnError(TallystickError):
    """Something else about the claim was recorded first."""

    code = "claim-moved-on"
    why = "A statement is admitted against the record as it stands; the record has grown since."
    advice = "Read the claim again and repeat the request."
    retryable = True


class RecordUnreadableError(TallystickError):
    """A claim's record contains something that must not be in it."""

    code = "record-unreadable"
    why = "A stored entry was damaged or altered, so nothing can be said about the claim."
    advice = "Operators: verify the ledger (`tallystick ledger verify`), and keep the database as evidence."


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFile(Case):
    """A case with the stored bytes that it was read from.

    Attributes:
        agreement_envelope: The bytes that were verified to get `signed`.
        raw: The ledger entries that `claim` was folded from, filing first.
    """

    agreement_envelope: bytes
    raw: tuple[LedgerEntry, ...]

    def agreement_statement(self) -> Envelope:
        """Return the envelope of the version that the claim pins."""
        return parse_envelope(self.agreement_envelope, body_size_bytes_max=AGREEMENT_SIZE_BYTES_MAX)


def load(session: Session, claim: Digest) -> CaseFile:
    """Return the case file of `claim`: every signature verified, every entry admitted again.

    Raises:
        NoSuchClaimError: No such claim was filed.
        RecordUnreadableError: The record contains something that must not be in it.
        DatabaseUnavailableError: The database is out of reach.
    """
    stored = claims.filed(session, claim)
    with as_recorded(claim):
        registered = agreements.named_by(session, header_of(stored.entry.statement()))
        raw = tuple(record(session, stored.agreement_id, claim))
        case = folded(registered.signed(), map(_recorded, raw))
    return CaseFile(signed=case.signed, claim=case.claim, agreement_envelope=registered.envelope, raw=raw)


def pinned_deposit(session: Session, case: CaseFile) -> StoredDeposit:
    """Return the deposit that the claim pins."""
    stored = deposits.by_digest(session, case.agreement.id, case.claim.filing.deposit)
    assert stored is not None, "a claim is filed on a deposit that is on record"
    return stored


def record(
    session: Session, agreement_id: AgreementId, claim: Digest, *, after: int | None = None
) -> list[LedgerEntry]:
    """Return what makes a claim: its entries, the agreement's revocations and later versions; filing first.

    A later version's rules, too, may revoke a key that the claim's version lists.

    Args:
        after: Only what was recorded after this index.
    """
    # Never everything under the agreement: a depositor could make every claim slow to read.
    own = ledger.entries(session, agreement_id, claim=claim, after=after)
    wide = _agreement_wide(session, agreement_id, after)
    if wide and own and own[0].kind == Kind.CLAIM:
        wide = _without_earlier_versions(wide, own[0])
    return sorted([*own, *wide], key=lambda entry: entries.filing_first(entry.kind, entry.index))


def _agreement_wide(session: Session, agreement_id: AgreementId, after: int | None) -> list[LedgerEntry]:
    kinds = [Kind.KEY_REVOCATION, Kind.AGREEMENT]
    places = ledger.places(session, agreement_id, kinds=kinds, after=after)
    # Most agreements have one version only, and its bytes are many.
    if not places or (after is None and [kind for _, kind in places] == [Kind.AGREEMENT]):
        return []
    return ledger.entries(session, agreement_id, kinds=kinds, after=after)


def verified_with_terms(raw: Iterable[LedgerEntry], terms: Terms) -> tuple[Terms, Sequence[Entry]]:
    """Return `terms` with the later versions among `raw`, and the other entries, verified.

    Revocations that change nothing are left out.

    Raises:
        TallystickError: An entry about a claim is not valid.
    """
    recorded = [_recorded(entry) for entry in raw]
    known = entries.with_successors(terms, recorded)
    return known, entries.verified(recorded, known)


def read_on(case: CaseFile, newer: tuple[LedgerEntry, ...]) -> CaseFile:
    """Return the case file with what was recorded after it, in ledger order.

    Raises:
        RecordUnreadableError: An entry about the claim is not valid.
    """
    with as_recorded(case.claim.digest):
        return replace(case.grown(map(_recorded, newer)), raw=(*case.raw, *newer))


def caught_up(session: Session, case: CaseFile) -> CaseFile:
    """Return the case file as its record stands now: only what is new is folded.

    Raises:
        RecordUnreadableError: An entry about the claim is not valid.
    """
    known = max(entry.index for entry in case.raw)
    newer = record(session, case.agreement.id, case.claim.digest, after=known)
    return read_on(case, tuple(newer)) if newer else case


@contextmanager
def as_recorded(claim: Digest) -> Generator[None]:
    """Read what was admitted before it was recorded: if the block refuses it, the record is damaged.

    Raises:
        RecordUnreadableError: The block raised any refusal; `broken_by` is its code.
        DatabaseUnavailableError: The database is out of reach.
    """
    try:
        yield
    except DatabaseUnavailableError:
        raise
    except TallystickError as error:
        raise RecordUnreadableError("the record does not fold", claim=claim, broken_by=error.code) from error


def _recorded(entry: LedgerEntry) -> RecordedStatement:
    return RecordedStatement(index=entry.index, accepted_at=entry.accepted_at, envelope=entry.statement())


def check_head(session: Session, agreement_id: AgreementId, claim: Digest, *, after: int) -> None:
    """Refuse if anything about the claim was recorded after `after`.

    Raises:
        ClaimMovedOnError: Something was.
    """
    newer = record(session, agreement_id, claim, after=after)
    if newer:
        raise ClaimMovedOnError("something was recorded first", index=newer[-1].index, known=after)


def _without_earlier_versions(wide: Iterable[LedgerEntry], filing: LedgerEntry) -> list[LedgerEntry]:
    """Leave out the version that a claim pins, which its reader has already, and those before it."""
    candidates, after = list(wide), -1
    with suppress(LedgerCorruptError):  # a damaged filing is reported when the claim is read, not here
        pinned = body_of(filing.statement()).get("agreement_digest")
        after = max((entry.index for entry in candidates if entry.statement_id == pinned), default=-1)
    return [entry for entry in candidates if entry.kind != Kind.AGREEMENT or entry.index > after]
