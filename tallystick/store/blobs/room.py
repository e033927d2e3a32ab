"""Room for blobs: taken before the first byte arrives, by person, party and purpose.

The sender of a blob pays for it, and nobody else: the same bytes from another sender are charged to
that one as well. Writers take turns, so of two uploads that begin at once the second finds what the
first has taken.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, case, func
from sqlalchemy.orm import Mapped
from sqlmodel import Session, col, select

from tallystick.domain.errors import TallystickError
from tallystick.domain.ids import AgreementId, Digest, PartyId
from tallystick.limits.storage import (
    BLOB_CHARGE_BYTES_MIN,
    BLOB_UNNAMED_MAX,
    DEPOSIT_ROOM_PER_PARTY_BYTES,
    DEPOSIT_ROOM_PER_PERSON_BYTES,
    DEPOSIT_SPARE_BYTES,
    EVIDENCE_ROOM_PER_PARTY_BYTES,
    EVIDENCE_ROOM_PER_PERSON_BYTES,
    EVIDENCE_SPARE_BYTES,
    UPLOAD_IDLE_MAX,
    UPLOAD_RENEWED_AFTER,
    UPLOADS_UNDER_WAY_MAX,
)
from tallystick.store.blobs.uploads import BlobPurpose
from tallystick.store.database.tables import BlobRow


class BlobQuotaError(TallystickError):
    """A person or a party has as many bytes under an agreement as they may, or too many uploads."""

    code = "blob-quota"
    why = "For each purpose a person and a party have room of their own, so that nobody uses up another's."
    advice = "Finish the uploads that you have begun. What no statement names is removed, and frees its room."


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """How much may be stored for a purpose under one agreement.

    Attributes:
        spare_bytes: What is left free on every disk, no matter who still has room.
    """

    party_bytes: int
    person_bytes: int
    spare_bytes: int


ROOMS: Final = {
    BlobPurpose.DEPOSIT: Room(
        party_bytes=DEPOSIT_ROOM_PER_PARTY_BYTES,
        person_bytes=DEPOSIT_ROOM_PER_PERSON_BYTES,
        spare_bytes=DEPOSIT_SPARE_BYTES,
    ),
    BlobPurpose.EVIDENCE: Room(
        party_bytes=EVIDENCE_ROOM_PER_PARTY_BYTES,
        person_bytes=EVIDENCE_ROOM_PER_PERSON_BYTES,
        spare_bytes=EVIDENCE_SPARE_BYTES,
    ),
}
"""The room for what people upload; a purpose without one is not theirs to upload for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """One upload: what is sent, under which agreement, for what, by whom, and who pays for it.

    Attributes:
        owner: The fingerprint of the sender's key.
    """

    agreement_id: AgreementId
    digest: Digest
    purpose: BlobPurpose
    owner: Digest
    party: PartyId


def needs_room(session: Session, upload: Upload, size_bytes: int, at: datetime) -> bool:
    """Return whether `take` has to be called before bytes arrive: it was not, or not lately."""
    row = _row(session, upload)
    if row is None or row.arriving_bytes is None:
        return True
    return row.arriving_bytes < size_bytes or row.continued_at < at - UPLOAD_RENEWED_AFTER


def take(session: Session, upload: Upload, size_bytes: int, at: datetime) -> None:
    """Take room for `size_bytes`, in a transaction of the caller, before the first of them arrives.

    Room that was taken before for the same upload is given up only when it ends or is dropped.

    Raises:
        BlobQuotaError: The person or the party has no room for so many, or too many uploads under way.
    """
    row = _row(session, upload) or _new_row(upload, at)
    if row.arriving_bytes is None:
        _check_under_way(session, upload)
    taken = max(size_bytes, row.arriving_bytes or 0)
    if (more := _charge(taken) - _charge(row.arriving_bytes)) > 0:
        _check(session, upload, more)
    row.arriving_bytes, row.continued_at = taken, at
    session.add(row)
    session.flush()


def has_arrived(
    session: Session, upload: Upload, size_bytes: int, at: datetime, *, everywhere: bool = True
) -> None:
    """Note that a blob is whole and in a store: now its size counts, and nothing is under way.

    Args:
        everywhere: Whether every store has it; if not, copies are behind.
    """
    row = _row(session, upload) or _new_row(upload, at)
    row.size_bytes, row.arrived_at, row.arriving_bytes, row.continued_at = size_bytes, at, None, at
    row.behind_since, row.lost = None if everywhere else at, False
    session.add(row)
    session.flush()


def give_up(session: Session, upload: Upload) -> None:
    """Give back the room of an upload that came to nothing; what had arrived before it stays."""
    if (row := _row(session, upload)) is not None:
        _end(session, row)


def keep(session: Session, upload: Upload, at: datetime) -> bool:
    """Have a blob that is there kept as if it had arrived now: its sender still wants to name it.

    Return whether it was there.
    """
    row = _row(session, upload)
    if row is None or row.arrived_at is None:
        return False
    row.arrived_at = at
    session.add(row)
    session.flush()
    return True


def drop_idle(session: Session, at: datetime) -> int:
    """Give back the room of every upload that nobody has continued for UPLOAD_IDLE_MAX; say of how many."""
    under_way = col(BlobRow.arriving_bytes).is_not(None)
    idle = session.exec(
        select(BlobRow).where(under_way, col(BlobRow.continued_at) < at - UPLOAD_IDLE_MAX)
    ).all()
    for row in idle:
        _end(session, row)
    return len(idle)


def unnamed_since(at: datetime) -> datetime:
    """Return before when a blob must have arrived to be removed now, if no statement names it."""
    return at - BLOB_UNNAMED_MAX


def _check(session: Session, upload: Upload, more_bytes: int) -> None:
    room = ROOMS[upload.purpose]
    mine = col(BlobRow.uploaded_by) == upload.owner
    theirs = col(BlobRow.party) == upload.party
    for whose, limit, who in (
        (mine, room.person_bytes, "person"),
        (theirs, room.party_bytes, "party"),
    ):
        used = _used(session, upload, whose)
        if used + more_bytes > limit:
            raise BlobQuotaError(
                f"no room left for this {who}", limit=limit, used=used, purpose=upload.purpose
            )


def _used(session: Session, upload: Upload, whose: ColumnElement[bool]) -> int:
    """Return what counts already: what has arrived, and what is under way."""
    arrived = case((col(BlobRow.arrived_at).is_(None), 0), else_=_charged(col(BlobRow.size_bytes)))
    arriving = case((col(BlobRow.arriving_bytes).is_(None), 0), else_=_charged(col(BlobRow.arriving_bytes)))
    query = select(func.sum(arrived + arriving)).where(
        col(BlobRow.agreement_id) == upload.agreement_id, col(BlobRow.purpose) == upload.purpose, whose
    )
    return int(session.exec(query).one() or 0)


def _check_under_way(session: Session, upload: Upload) -> None:
    query = select(func.count()).where(
        col(BlobRow.agreement_id) == upload.agreement_id,
        col(BlobRow.uploaded_by) == upload.owner,
        col(BlobRow.arriving_bytes).is_not(None),
    )
    if session.exec(query).one() >= UPLOADS_UNDER_WAY_MAX:
        raise BlobQuotaError("too many uploads under way", limit=UPLOADS_UNDER_WAY_MAX)


def _charged(size: Mapped[int] | Mapped[int | None]) -> ColumnElement[int]:
    return case((size < BLOB_CHARGE_BYTES_MIN, BLOB_CHARGE_BYTES_MIN), else_=size)


def _charge(size_bytes: int | None) -> int:
    """Return what a blob counts as: even an empty one takes a file in each store, and a row."""
    return 0 if size_bytes is None else max(size_bytes, BLOB_CHARGE_BYTES_MIN)


def _row(session: Session, upload: Upload) -> BlobRow | None:
    return session.get(BlobRow, (upload.agreement_id, upload.digest, upload.owner, str(upload.purpose)))


def _new_row(upload: Upload, at: datetime) -> BlobRow:
    return BlobRow(
        agreement_id=upload.agreement_id,
        digest=upload.digest,
        uploaded_by=upload.owner,
        purpose=str(upload.purpose),
        party=upload.party,
        size_bytes=0,
        arrived_at=None,
        arriving_bytes=None,
        continued_at=at,
    )


def _end(session: Session, row: BlobRow) -> None:
    if row.arrived_at is None:
        session.delete(row)
    else:
        row.arriving_bytes = None
        session.add(row)
    session.flush()
