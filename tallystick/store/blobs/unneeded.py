"""Blobs that nobody needs: sent long ago and named by no statement, or known to no agreement.

Nothing is removed that a statement names, whatever kind it is of: its payload is searched for digests.
"""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement
from sqlmodel import Session, col, delete, select

from tallystick.domain.ids import AgreementId, Digest
from tallystick.limits.logs import LEDGER_PAGE_ENTRIES_MAX
from tallystick.limits.storage import BLOB_UNNAMED_MAX
from tallystick.store.blobs.room import ROOMS
from tallystick.store.database.tables import BlobChunksRow, BlobRow
from tallystick.store.ledger import ledger

_DIGESTS: Final = re.compile(rb"sha256:[0-9a-f]{64}")  # canonical JSON writes them as they are
_SENT_BY_PEOPLE: Final = col(BlobRow.purpose).in_([str(purpose) for purpose in ROOMS])


@dataclass(frozen=True, slots=True, kw_only=True)
class Unnamed:
    """Blobs that no statement of an agreement names, as far as its log was read.

    Attributes:
        read_to: The index of the last entry that was read; -1 if there is none.
    """

    digests: frozenset[Digest]
    read_to: int


def doubtful(session: Session, at: datetime) -> dict[AgreementId, frozenset[Digest]]:
    """Return what people sent longer ago than BLOB_UNNAMED_MAX, unless a statement was found to name it."""
    found: dict[AgreementId, set[Digest]] = {}
    query = select(BlobRow.agreement_id, BlobRow.digest).where(*_old(at), col(BlobRow.named).is_(False))
    for agreement_id, digest in session.exec(query):
        found.setdefault(AgreementId(agreement_id), set()).add(Digest(digest))
    return {agreement_id: frozenset(digests) for agreement_id, digests in found.items()}


def unnamed(
    session: Session, agreement_id: AgreementId, among: Collection[Digest], *, after: int = -1
) -> Unnamed:
    """Return which blobs no statement names that was recorded after an index.

    Raises:
        LedgerCorruptError: An entry cannot be read: it may name any of them.
    """
    left, read_to = set(among), after
    while page := ledger.entries(session, agreement_id, after=read_to, limit=LEDGER_PAGE_ENTRIES_MAX):
        for entry in page:
            left -= {Digest(name.decode()) for name in _DIGESTS.findall(entry.statement().payload)}
        read_to = page[-1].index
    return Unnamed(digests=frozenset(left), read_to=read_to)


def note_named(session: Session, agreement_id: AgreementId, digests: Iterable[Digest]) -> None:
    """Note that statements name these blobs; as no statement is ever removed, nobody need look again."""
    for digest in digests:
        rows = select(BlobRow).where(col(BlobRow.agreement_id) == agreement_id, col(BlobRow.digest) == digest)
        for row in session.exec(rows).all():
            row.named = True
            session.add(row)
    session.flush()


def forget(session: Session, agreement_id: AgreementId, digests: Iterable[Digest], at: datetime) -> int:
    """Drop what no statement names, unless it is being sent again; return how many notes that were."""
    return sum(
        session.exec(
            delete(BlobRow).where(
                col(BlobRow.agreement_id) == agreement_id, col(BlobRow.digest) == digest, *_old(at)
            )
        ).rowcount
        for digest in digests
    )


def expected(session: Session) -> frozenset[Digest]:
    """Return every blob that some agreement has, or that is on its way to one."""
    return frozenset(Digest(known) for known in session.exec(select(BlobRow.digest).distinct()))


def forget_chunks(session: Session, digest: Digest) -> None:
    """Drop the hashes of the chunks of a blob that is removed."""
    session.exec(delete(BlobChunksRow).where(col(BlobChunksRow.digest) == digest))


def is_expected(session: Session, digest: Digest) -> bool:
    """Return whether some agreement has this blob, or it is on its way to one."""
    return session.exec(select(BlobRow.digest).where(col(BlobRow.digest) == digest)).first() is not None


def _old(at: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        _SENT_BY_PEOPLE,
        col(BlobRow.arrived_at) < at - BLOB_UNNAMED_MAX,
        col(BlobRow.arriving_bytes).is_(None),
    )
