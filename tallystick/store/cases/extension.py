"""Whether a log extends what the authors of statements had verified, as the database shows it.

`check_log` asks about a statement that is about to be recorded, `doubt_about` about one that is on record,
and `unextended` about all that a claim rests on: what it finds must not count.
"""

from collections.abc import Iterator

from sqlmodel import Session

from tallystick.crypto.envelope import body_of
from tallystick.crypto.log.merkle import LogRangeError
from tallystick.domain.admission.extension import (
    LogFound,
    check_extended,
    contradiction,
    helps_release,
)
from tallystick.domain.bodies import read_body
from tallystick.domain.claim.claim import Claim
from tallystick.domain.ids import AgreementId, Digest, as_digest
from tallystick.domain.statements.deposits import Deposit
from tallystick.domain.statements.header import Header
from tallystick.domain.statements.seen import ledger_seen
from tallystick.proof.reading import kind_read
from tallystick.store.cases.casefile import CaseFile
from tallystick.store.damage import LedgerCorruptError, as_written, unless_damaged
from tallystick.store.ledger.entry import LedgerEntry
from tallystick.store.ledger.ledger import frontier_of
from tallystick.store.ledger.tree import root_at, roots_at
from tallystick.store.registers import deposits


def check_log(session: Session, agreement_id: AgreementId, claim: Claim | None, body: Header) -> str | None:
    """Refuse a statement that helps a release if the log does not extend what its author had verified.

    Returns:
        What does not fit, if the statement stops a release: it is recorded, and others must learn of it.

    Args:
        claim: The claim that an act is about; None if `body` files it, or is about no claim.

    Raises:
        LedgerNotExtendedError: The log does not extend what the author had verified, and it helps a release.
    """
    if (seen := ledger_seen(body)) is None:
        return None
    size = frontier_of(session, agreement_id).size
    return check_extended(claim, body, LogFound(size=size, root=_root(session, agreement_id, seen.size)))


def doubt_about(session: Session, entry: LedgerEntry) -> str | None:
    """Return in what the log does not extend what the author of an entry had verified; None if it does.

    Raises:
        LedgerCorruptError: The stored bytes were altered.
    """
    with as_written(entry.index):
        envelope = entry.statement()
        seen = ledger_seen(read_body(kind_read(envelope), body_of(envelope)))
    if seen is None:
        return None
    return contradiction(seen, LogFound(size=entry.index, root=_root(session, entry.agreement_id, seen.size)))


def unextended(session: Session, case: CaseFile) -> frozenset[Digest]:
    """Return the statements on record that help a release, and whose authors had verified another log.

    The pinned deposit is among those that are asked about. Nobody can have verified a log that had the
    statement's own entry in it.
    """
    claimed = ((entry.index, entry.signed.id, entry.signed.body) for entry in case.claim.entries)
    named = [
        (index, statement, seen)
        for index, statement, body in (*claimed, *_deposited(session, case))
        if (seen := ledger_seen(body)) is not None and helps_release(case.claim, body)
    ]
    roots = roots_at(session, case.agreement.id, {seen.size for _, _, seen in named})
    return frozenset(
        statement
        for index, statement, seen in named
        if contradiction(seen, LogFound(size=index, root=_digest(roots.get(seen.size)))) is not None
    )


def _deposited(session: Session, case: CaseFile) -> Iterator[tuple[int, Digest, Deposit]]:
    stored = deposits.by_digest(session, case.agreement.id, case.claim.filing.deposit)
    if stored is None:
        return
    with unless_damaged("a deposit is unreadable", agreement=case.agreement.id, deposit=stored.digest):
        yield stored.entry.index, stored.digest, stored.body()


def _digest(root: bytes | None) -> Digest | None:
    return None if root is None else as_digest(root)


def _root(session: Session, agreement_id: AgreementId, size: int) -> Digest | None:
    """Return the log's root at a size; None if it never had that size, or the stored tree is damaged."""
    try:
        return _digest(root_at(session, agreement_id, size))
    except (LogRangeError, LedgerCorruptError):
        return None  # whoever only stops a release is not kept from it by our damage
