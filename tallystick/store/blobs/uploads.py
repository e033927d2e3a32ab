"""Uploads that can be resumed, and which agreement has which blob.

An unfinished upload is stored under its sender's fingerprint: nobody can spoil, or learn
of, another person's upload of the same blob. It becomes a blob only when it is whole.
"""

import fcntl
import os
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO, Final

from sqlmodel import Session, col, select

from tallystick.domain.errors import TallystickError
from tallystick.domain.ids import AgreementId, Digest, digest, digits_of
from tallystick.durable import reason_of
from tallystick.limits.storage import BLOB_BYTES_MAX, BLOB_CHUNK_BYTES
from tallystick.store.blobs.chunks import ChunkHashing
from tallystick.store.blobs.measured import check_spare, drop_older
from tallystick.store.blobs.replicas import ReplicatedBlobs, Stored
from tallystick.store.blobs.store import (
    BlobDigestMismatchError,
    BlobSizeMismatchError,
    BlobStoreFailedError,
)
from tallystick.store.database.tables import BlobRow

_ARRIVED: Final = col(BlobRow.arrived_at).is_not(None)


class UploadOffsetError(TallystickError):
    """A part that does not begin where the last one ended; `received` says where that was."""

    code = "upload-offset"
    why = "Parts are appended in order: each must begin where the last one ended."
    advice = "Send the part that begins at `received`."


class BlobPurpose(StrEnum):
    """What a blob is for: decides who may send it, how large it may be, and who may fetch it."""

    DEPOSIT = "deposit"
    EVIDENCE = "evidence"
    CONTRIBUTION = "contribution"
    """The gate's share of a released component's key, sealed to the claim's receivers, who may fetch it."""
    CUSTODY_SHARE = "custody-share"
    """The gate's share of a component's key, sealed to the gate: nobody uploads or fetches one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredBlob:
    """A blob that has arrived, as one agreement knows it from one sender.

    Attributes:
        uploaded_by: A key's fingerprint.
        party: Who pays for it: the sender's party, or the gate.
        purpose: A `BlobPurpose`; any other word entitles nobody to fetch it.
        lost: Whether no store was seen to have a good copy; the same bytes can be sent again.
    """

    digest: Digest
    size_bytes: int
    agreement_id: AgreementId
    uploaded_by: Digest
    party: str
    purpose: str
    arrived_at: datetime
    lost: bool = False


class Uploads:
    """Blobs that are still arriving, kept as partial files in a local folder."""

    def __init__(self, folder: Path, blobs: ReplicatedBlobs) -> None:
        """Keep partial files under `folder`, and finished ones in `blobs`.

        Raises:
            BlobStoreFailedError: The folder cannot be made.
        """
        self._folder, self._blobs = folder, blobs
        with _failures():
            folder.mkdir(parents=True, exist_ok=True)

    def received_bytes(self, owner: Digest, wanted: Digest) -> int:
        """Return how many bytes of a blob have arrived from `owner` (a key's fingerprint)."""
        try:
            return self._path(owner, wanted).stat().st_size
        except FileNotFoundError:
            return 0

    def append_part(
        self, owner: Digest, wanted: Digest, offset: int, chunk: bytes, *, spare_bytes: int = 0
    ) -> int:
        """Append bytes that begin at `offset`, and return how many have arrived.

        Raises:
            StoreFullError: Fewer than `spare_bytes` would be left free on this disk.
            UploadOffsetError: Not where the last part ended; nothing was appended.
            BlobSizeMismatchError: Larger than a blob may be.
            BlobStoreFailedError: Disk full, or another failure; what arrived before is kept.
        """
        with _failures():
            check_spare(self._folder, len(chunk), spare_bytes)
        with self._locked(owner, wanted) as part:
            received = part.seek(0, os.SEEK_END)
            if offset != received:
                if not received:  # opening made the file: a refusal leaves nothing
                    self._path(owner, wanted).unlink(missing_ok=True)
                raise UploadOffsetError(
                    "this is not the upload's next part", received=received, offset=offset
                )
            if received + len(chunk) > BLOB_BYTES_MAX:
                raise BlobSizeMismatchError("the blob is larger than any may be", limit=BLOB_BYTES_MAX)
            _append(part, chunk, received)
            return received + len(chunk)

    def finish(
        self,
        owner: Digest,
        wanted: Digest,
        size_bytes: int,
        *,
        chunks: ChunkHashing | None = None,
        spare_bytes: int = 0,
    ) -> Stored:
        """Verify an upload and store it; on return it is durable, and `chunks` has its hashes.

        Wrong bytes are thrown away, so that the upload can begin again.

        Raises:
            UploadOffsetError: Some of the bytes have not arrived.
            BlobSizeMismatchError, BlobDigestMismatchError: Not the announced bytes.
            StoreFullError: Fewer than `spare_bytes` would be left free in a store.
            BlobStoreFailedError: Nothing is acknowledged; `finish` can be repeated.
        """
        hashing = chunks or ChunkHashing()
        with self._locked(owner, wanted) as part:
            if (received := part.seek(0, os.SEEK_END)) < size_bytes:
                raise UploadOffsetError("the upload is incomplete", received=received, size_bytes=size_bytes)
            try:
                stored = self._blobs.put(
                    wanted, size_bytes, lambda: hashing.passing(_chunks(part)), spare_bytes=spare_bytes
                )
            except (BlobSizeMismatchError, BlobDigestMismatchError):
                self._path(owner, wanted).unlink(missing_ok=True)
                raise
            self._path(owner, wanted).unlink(missing_ok=True)
            return stored

    def discard_stale(self, before: datetime) -> int:
        """Remove uploads that nobody has continued since a moment, and return how many.

        Raises:
            BlobStoreFailedError: One could not be removed; the others were.
        """
        with _failures():
            return drop_older(self._folder.glob("*/*"), before)

    def _path(self, owner: Digest, wanted: Digest) -> Path:
        parts = (digits_of(digest(text)) for text in (owner, wanted))
        return self._folder.joinpath(*parts)

    @contextmanager
    def _locked(self, owner: Digest, wanted: Digest) -> Generator[BinaryIO]:
        """Yield the partial file, locked against everyone else."""
        path = self._path(owner, wanted)
        with _failures():
            path.parent.mkdir(exist_ok=True)
            with _open_locked(path) as part:
                yield part


def record_blob(session: Session, blob: StoredBlob, *, everywhere: bool = True) -> StoredBlob:
    """Note that an agreement has this blob from its sender, and return the note that counts: the first.

    Args:
        everywhere: Whether every store has it; if not, copies are behind.
    """
    row = session.get(BlobRow, (blob.agreement_id, blob.digest, blob.uploaded_by, blob.purpose))
    if row is not None and row.arrived_at is not None:
        return _stored(row)
    session.add(
        BlobRow(
            agreement_id=blob.agreement_id,
            digest=blob.digest,
            uploaded_by=blob.uploaded_by,
            purpose=str(blob.purpose),
            party=blob.party,
            size_bytes=blob.size_bytes,
            arrived_at=blob.arrived_at,
            arriving_bytes=None,
            continued_at=blob.arrived_at,
            behind_since=None if everywhere else blob.arrived_at,
        )
    )
    session.flush()
    return blob


def find_blob(
    session: Session, agreement_id: AgreementId, wanted: Digest, purpose: BlobPurpose
) -> StoredBlob | None:
    """Return a blob that was sent for a purpose under this agreement, no matter who sent it first."""
    known = blobs_with(session, wanted)
    return next((b for b in known if (b.agreement_id, b.purpose) == (agreement_id, purpose)), None)


def blobs_with(session: Session, wanted: Digest) -> list[StoredBlob]:
    """Return the blob as each agreement that has it knows it, from each of its senders, first come first."""
    query = select(BlobRow).where(col(BlobRow.digest) == wanted, _ARRIVED)
    rows = session.exec(query.order_by(col(BlobRow.agreement_id), col(BlobRow.arrived_at)))
    return [_stored(row) for row in rows]


def agreements_with(session: Session, wanted: Digest) -> list[AgreementId]:
    """Return the agreements that have the blob."""
    query = select(BlobRow.agreement_id).where(col(BlobRow.digest) == wanted, _ARRIVED).distinct()
    return [AgreementId(known) for known in session.exec(query.order_by(col(BlobRow.agreement_id)))]


def known_blobs(session: Session) -> list[Digest]:
    """Return every blob that some agreement has: what a scrub must find."""
    query = select(BlobRow.digest).where(_ARRIVED).distinct().order_by(col(BlobRow.digest))
    return [Digest(known) for known in session.exec(query)]


def _open_locked(path: Path) -> BinaryIO:
    while True:  # each further round means that another process finished or dropped this upload: it ends
        part = path.open("a+b", buffering=0)
        fcntl.flock(part, fcntl.LOCK_EX)
        if os.fstat(part.fileno()).st_nlink:
            return part
        part.close()


def _append(part: BinaryIO, chunk: bytes, received: int) -> None:
    """Write all of `chunk`, or nothing: a raw file may take less than it is given."""
    try:
        rest = memoryview(chunk)
        while rest:
            rest = rest[part.write(rest) :]
    except OSError:
        part.truncate(received)
        raise


def _chunks(part: BinaryIO) -> Iterator[bytes]:
    part.seek(0)
    while chunk := part.read(BLOB_CHUNK_BYTES):
        yield chunk


def _stored(row: BlobRow) -> StoredBlob:
    return StoredBlob(
        digest=Digest(row.digest),
        size_bytes=row.size_bytes,
        agreement_id=AgreementId(row.agreement_id),
        uploaded_by=Digest(row.uploaded_by),
        party=row.party,
        purpose=row.purpose,
        arrived_at=row.arrived_at or row.continued_at,
        lost=row.lost,
    )


@contextmanager
def _failures() -> Generator[None]:
    try:
        yield
    except OSError as error:
        reason = reason_of(error)
        raise BlobStoreFailedError("the upload folder failed", reason=reason) from error
