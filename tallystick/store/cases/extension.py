"""Whether a log extends what the authors of statements had verified, as the database shows it.

`check_log` asks about a statement that is about to be recorded, `unextended` about all that are on a claim's
record: what it finds must not count.
"""

from sqlmodel import Session

from tallystick.crypto.log.merkle import LogRangeError
from tallystick.domain.admission.extension import (
    LogFound,
    check_extended,
    contradiction,
    helps_release,
    ledger_seen,
)
from tallystick.domain.claim.claim import Claim
from tallystick.domain.ids import AgreementId, Digest
from tallystick.domain.statements.header import Header
from tallystick.store.cases.casefile import CaseFile
from tallystick.store.damage import LedgerCorruptError
from tallystick.store.ledger.ledger import frontier_of
from tallystick.store.ledger.tree import root_at


def check_log(session: Session, agreement_id: AgreementId, claim: Claim | None, body: Header) -> str | None:
    """Refuse a statement that helps a release if the log does not extend what its author had verified.

    Returns:
        What does not fit, if the statement stops a release: it is recorded, and others must learn of it.

    Args:
        claim: The claim that an act is about; None if `body` files it.

    Raises:
        LedgerNotExtendedError: The log does not extend what the author had verified, and it helps a release.
    """
    if (seen := ledger_seen(body)) is None:
        return None
    size = frontier_of(session, agreement_id).size
    return check_extended(claim, body, LogFound(size=size, root=_root(session, agreement_id, seen.size)))


def unextended(session: Session, case: CaseFile) -> frozenset[Digest]:
    """Return the statements on record that help a release, and whose authors had verified another log.

    Nobody can have verified a log that had the statement's own entry in it.
    """
    roots: dict[int, Digest | None] = {}
    found: set[Digest] = set()
    for entry in case.claim.entries:
        seen = ledger_seen(entry.signed.body)
        if seen is None or not helps_release(case.claim, entry.signed.body):
            continue
        if seen.size not in roots:
            roots[seen.size] = _root(session, case.agreement.id, seen.size)
        if contradiction(seen, LogFound(size=entry.index, root=roots[seen.size])) is not None:
            found.add(entry.signed.id)
    return frozenset(found)


def _root(session: Session, agreement_id: AgreementId, size: int) -> Digest | None:
    """Return the log's root at a size; None if it never had that size, or the stored tree is damaged."""
    try:
        return Digest(f"sha256:{root_at(session, agreement_id, size).hex()}")
    except (LogRangeError, LedgerCorruptError):
        return None  # whoever only stops a release is not kept from it by our damage
