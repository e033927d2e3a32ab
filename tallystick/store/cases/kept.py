"""Case files for reading: verified and folded when their record has changed, not on each look.

A case file is a function of the raw record. It is kept with the bytes that it was made
from, and used again only if the stored bytes are the same, or begin with the same bytes:
then only the newer entries are folded. An altered row is noticed on the next read. The
gate keeps nothing and reads everything anew.
"""

from sqlalchemy import Engine
from sqlmodel import Session

from tallystick.domain.claim.claim import Claim
from tallystick.domain.ids import AgreementId, Digest, PartyId, party_of
from tallystick.domain.statements.filing import ClaimFiling
from tallystick.limits.claims import CASE_CHARGE_BYTES_MIN, CASES_KEPT_BYTES_MAX
from tallystick.proof.memory import Memory
from tallystick.store.cases import casefile
from tallystick.store.cases.casefile import CaseFile, as_recorded
from tallystick.store.database.session import reading
from tallystick.store.ledger.entry import LedgerEntry
from tallystick.store.registers import claims
from tallystick.store.registers.claims import StoredClaim


class Cases:
    """The case files read last."""

    def __init__(self) -> None:
        """Begin with none."""
        self._kept = Memory[Digest, CaseFile](bytes_max=CASES_KEPT_BYTES_MAX, bytes_min=CASE_CHARGE_BYTES_MIN)

    def load(self, session: Session, agreement_id: AgreementId, claim: Digest) -> CaseFile:
        """Return the case file of a claim, as its record stands in `session`.

        Raises:
            NoSuchClaimError: No such claim is on record under this agreement.
            RecordUnreadableError: The record does not fold.
            DatabaseUnavailableError: The database is out of reach.
        """
        raw = tuple(casefile.record(session, agreement_id, claim))
        kept = self._kept.get(claim)
        if kept is not None and kept.raw == raw:
            return kept
        case = _read(session, claim, kept, raw)
        return self._kept.keep(claim, case, size_bytes=sum(len(entry.envelope) for entry in case.raw))

    def prepare(self, database: Engine, agreement_id: AgreementId, claim: Digest) -> None:
        """Read a case that is not kept, before the transaction that needs it: nobody waits for it to fold.

        Raises:
            TallystickError: As `load`.
        """
        if self._kept.get(claim) is None:
            with reading(database) as session:
                self.load(session, agreement_id, claim)

    def beside(self, session: Session, agreement_id: AgreementId, filing: ClaimFiling) -> list[Claim]:
        """Return the claims by or for the parties of a filing, under its agreement; no other is folded.

        Raises:
            RecordUnreadableError: One of them does not fold, or some filing does not say whose it is.
            DatabaseUnavailableError: The database is out of reach.
        """
        under = claims.of_agreements(session, [agreement_id])
        own = [stored.digest for stored in under if not _parties(stored).isdisjoint(parties_of(filing))]
        return [self.load(session, agreement_id, claim).claim for claim in own]


def _parties(stored: StoredClaim) -> frozenset[PartyId]:
    with as_recorded(stored.digest):
        return parties_of(stored.filing())


def parties_of(filing: ClaimFiling) -> frozenset[PartyId]:
    """Return the party that claims, and the one that files for it."""
    return frozenset({filing.claimant_party, party_of(filing.person)})


def _read(session: Session, claim: Digest, kept: CaseFile | None, raw: tuple[LedgerEntry, ...]) -> CaseFile:
    if kept is not None and raw[: len(kept.raw)] == kept.raw:
        return casefile.read_on(kept, raw[len(kept.raw) :])
    return casefile.load(session, claim)
