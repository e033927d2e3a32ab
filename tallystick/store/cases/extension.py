"""Whether a log extends what the authors of statements had verified, as the database shows it.

To admit an act where it is recorded, call `admitted`; `check_log` asks about any statement that helps or
stops a release. `unextended` finds what must not count, among all that is on a claim's record.
"""

from datetime import datetime

from sqlmodel import Session

from tallystick.crypto.log.merkle import LogRangeError
from tallystick.domain.admission.door import admit_act
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
from tallystick.domain.statements.signed import Body, Signed
from tallystick.store.cases.casefile import CaseFile
from tallystick.store.damage import LedgerCorruptError
from tallystick.store.ledger.ledger import frontier_of
from tallystick.store.ledger.tree import root_at


def admitted(session: Session, case: CaseFile, signed: Signed[Body], at: datetime) -> str | None:
    """Admit an act to a claim's record, as the claim and the log stand in `session`.

    Returns:
        What is wrong with the log, if it does not extend what the author of an act that stops had verified.
        The act is recorded all the same, and the ones who can act must get to know of it.

    Raises:
        LedgerNotExtendedError: The log does not, and the act helps a release.
        TallystickError: The rule that refuses it.
    """
    admit_act(case.agreement, case.claim, signed, at=at)
    return check_log(session, case.agreement.id, case.claim, signed.body)


def check_log(session: Session, agreement_id: AgreementId, claim: Claim | None, body: Header) -> str | None:
    """Return what `admitted` does, or refuse as it does, because of the log alone.

    Args:
        claim: The claim that an act is about; None if `body` files it.

    Raises:
        LedgerNotExtendedError: The log does not extend what the author had verified, and it helps a release.
    """
    seen = ledger_seen(body)
    if seen is None:
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
