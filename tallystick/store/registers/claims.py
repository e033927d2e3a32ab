"""Claims, looked up over the ledger: by digest, by the short form that people see, by agreement.

What a claim *is* follows from its entries; no state is stored here.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Select, bindparam, func
from sqlalchemy import select as columns
from sqlmodel import Session, col, select

from tallystick.crypto.envelope import Envelope, kind_of, statement_id
from tallystick.domain.errors import TallystickError
from tallystick.domain.ids import AgreementId, ClaimId, Digest, claim_id
from tallystick.domain.kinds import Kind
from tallystick.domain.statements.filing import ClaimFiling
from tallystick.proof.reading import header_of
from tallystick.store.database.tables import ClaimRow, EntryRow
from tallystick.store.ledger.entry import COLUMNS, LedgerEntry, entry_of
from tallystick.store.ledger.ledger import append

_CLAIMS: Final = (
    columns(col(ClaimRow.digest), col(ClaimRow.agreement_id), col(ClaimRow.claim_id), *COLUMNS)
    .where(col(EntryRow.agreement_id) == col(ClaimRow.agreement_id))
    .where(col(EntryRow.statement_id) == col(ClaimRow.digest))
    .order_by(col(ClaimRow.agreement_id), col(EntryRow.index))
)
_BY_DIGEST: Final = _CLAIMS.where(col(ClaimRow.digest) == bindparam("wanted"))
_BY_CLAIM_ID: Final = _CLAIMS.where(col(ClaimRow.claim_id) == bindparam("wanted"))
_UNDER: Final = _CLAIMS.where(col(ClaimRow.agreement_id).in_(bindparam("among", expanding=True)))
_LATER: Final = _UNDER.where(
    (col(ClaimRow.agreement_id) > bindparam("agreement"))
    | ((col(ClaimRow.agreement_id) == bindparam("agreement")) & (col(EntryRow.index) > bindparam("index")))
)


class ClaimIdTakenError(TallystickError):
    """Another claim is shown in the same short form."""

    code = "claim-id-taken"
    why = "The short form has 80 bits of the digest, and two claims must not look the same to people."
    advice = "Sign the claim again: a new nonce makes another digest."


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredClaim:
    """A claim: its digest, its short form, and the entry that filed it."""

    digest: Digest
    agreement_id: AgreementId
    claim_id: ClaimId
    entry: LedgerEntry

    def filing(self) -> ClaimFiling:
        """Return what the claim says; it was verified before it was filed.

        Raises:
            LedgerCorruptError: The stored bytes were altered.
        """
        return self.entry.says(ClaimFiling)


def file(session: Session, envelope: Envelope, accepted_at: datetime) -> StoredClaim:
    """File a verified claim, entry and row together; filed again, it is still one claim.

    Raises:
        MalformedError: Not a claim's statement.
        ClaimIdTakenError: Another claim has its short form.
    """
    assert kind_of(envelope) == Kind.CLAIM, "only a claim is filed as one"
    agreement_id, digest = header_of(envelope).agreement, statement_id(envelope)
    if (present := by_digest(session, digest)) is not None:
        return present
    short = claim_id(digest)
    if (other := by_claim_id(session, short)) is not None:
        raise ClaimIdTakenError("another claim has the same short form", claim_id=short, by=other.digest)
    entry = append(session, agreement_id, envelope, accepted_at, claim=digest)
    session.add(ClaimRow(digest=digest, agreement_id=agreement_id, claim_id=short))
    session.flush()
    return StoredClaim(digest=digest, agreement_id=agreement_id, claim_id=short, entry=entry)


def by_digest(session: Session, digest: Digest) -> StoredClaim | None:
    """Return the claim with `digest`."""
    return next(_found(session, _BY_DIGEST, wanted=digest), None)


def filed(session: Session, digest: Digest) -> StoredClaim:
    """Return the claim with `digest`, which was filed.

    Raises:
        NoSuchClaimError: It was not.
    """
    if (stored := by_digest(session, digest)) is None:
        raise NoSuchClaimError("no such claim", claim=digest)
    return stored


def by_claim_id(session: Session, short: ClaimId) -> StoredClaim | None:
    """Return the claim that is shown as `short`."""
    return next(_found(session, _BY_CLAIM_ID, wanted=short), None)


def of_agreements(session: Session, agreement_ids: Collection[AgreementId]) -> list[StoredClaim]:
    """Return the claims under these agreements, in the order in which they were filed under each."""
    return list(_found(session, _UNDER, among=list(agreement_ids)))


def page(
    session: Session,
    agreement_ids: Collection[AgreementId],
    *,
    after: tuple[AgreementId, int] | None,
    limit: int,
) -> list[StoredClaim]:
    """Return the first claims under these agreements after a place: an agreement, and a filing's index."""
    agreement_id, index = ("", 0) if after is None else after  # no agreement has an empty name
    wanted = {"among": list(agreement_ids), "agreement": agreement_id, "index": index}
    return list(_found(session, _LATER.limit(limit), **wanted))


def on_record(session: Session) -> int:
    """Return how many claims are on record; none of them is read."""
    return session.exec(select(func.count()).select_from(ClaimRow)).one()


def _found(session: Session, query: Select[*tuple[Any, ...]], **wanted: object) -> Iterator[StoredClaim]:
    for digest, agreement_id, short, *entry in session.connection().execute(query, wanted):
        yield StoredClaim(
            digest=Digest(digest),
            agreement_id=AgreementId(agreement_id),
            claim_id=ClaimId(short),
            entry=entry_of(tuple(entry)),
        )


class NoSuchClaimError(TallystickError):
    """There is no such claim, or its agreement does not name you."""

    code = "no-such-claim"
    why = "No claim on record has this digest or short form, or its agreement does not name you."
    advice = "List the claims you may see (`tallystick claim list`)."
