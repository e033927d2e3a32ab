"""An upload, from before its first byte to a blob in every store: who may send it, and the room it takes."""

from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Final, Literal, TypeAlias

from fastapi import Request
from starlette.requests import ClientDisconnect

from api.backend.backend import Backend
from api.http.auth import Caller
from api.http.turns import in_turn
from api.http.visibility import seen_agreement
from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.authorship.senders import check_sends_deposits, check_sends_evidence
from tallystick.domain.errors import MalformedError
from tallystick.domain.ids import Digest, PersonId, party_of
from tallystick.limits.storage import (
    BLOB_BYTES_MAX,
    BLOB_CHUNK_BYTES,
    EVIDENCE_BLOB_BYTES_MAX,
    UPLOAD_RENEWED_BYTES,
)
from tallystick.store.blobs import room
from tallystick.store.blobs.chunks import ChunkHashing, record_chunks
from tallystick.store.blobs.room import ROOMS, Upload
from tallystick.store.blobs.store import BlobDigestMismatchError, BlobSizeMismatchError
from tallystick.store.blobs.uploads import BlobPurpose, StoredBlob, UploadOffsetError, blobs_with
from tallystick.store.database.session import reading, transaction

Uploaded: TypeAlias = Literal[BlobPurpose.DEPOSIT, BlobPurpose.EVIDENCE]
"""What people upload a blob for; shares and contributions come from the gate, the one custodian, alone."""

_SIZE_MAX: Final[dict[Uploaded, int]] = {
    BlobPurpose.DEPOSIT: BLOB_BYTES_MAX,
    BlobPurpose.EVIDENCE: EVIDENCE_BLOB_BYTES_MAX,
}
_SENDERS: Final[dict[Uploaded, Callable[[Agreement, PersonId], None]]] = {
    BlobPurpose.DEPOSIT: check_sends_deposits,
    BlobPurpose.EVIDENCE: check_sends_evidence,
}
_KEPT_AGAIN_AFTER: Final = timedelta(days=1)


class UploadLengthMissingError(MalformedError):
    """An upload that does not say how long it is."""

    code = "upload-length-missing"
    why = "Room is taken before the first byte, so the server must know how many bytes will come."
    advice = "Send `Upload-Length`, or `Content-Length` if this part is all of it."


def announced_bytes(request: Request, offset: int, upload_length: int | None) -> int:
    """Return how long the whole blob will be, by its headers.

    Raises:
        UploadLengthMissingError: They do not say so.
        BlobSizeMismatchError: This part alone would be longer.
    """
    length = request.headers.get("content-length", "")
    known = length.isascii() and length.isdecimal() and len(length) <= len(str(BLOB_BYTES_MAX))
    end = offset + int(length) if known else None
    if upload_length is None and end is None:
        raise UploadLengthMissingError("no length was announced", offset=offset)
    if upload_length is not None and (end or 0) > upload_length:
        raise BlobSizeMismatchError("the upload has more bytes than were announced", limit=upload_length)
    return upload_length if upload_length is not None else end or 0


def permitted(
    backend: Backend, caller: Caller, agreement: str, wanted: Digest, purpose: Uploaded, *, size_bytes: int
) -> Upload:
    """Return an upload that the caller may send.

    Raises:
        TallystickError: No such agreement, not the caller's to send, or too large.
    """
    with reading(backend.database) as session:
        registered = seen_agreement(session, caller, agreement)
        signed = registered.signed()
    person = caller.persons[registered.agreement_id]
    _SENDERS[purpose](signed.agreement, person)
    if size_bytes > _SIZE_MAX[purpose]:
        raise BlobSizeMismatchError(
            "the blob is larger than one of its kind may be", limit=_SIZE_MAX[purpose]
        )
    return Upload(
        agreement_id=registered.agreement_id,
        digest=wanted,
        purpose=purpose,
        owner=caller.fingerprint,
        party=party_of(person),
    )


def is_there(backend: Backend, upload: Upload, size_bytes: int) -> bool:
    """Return whether the sender's blob of that size is there; if so, it is kept as if it were new."""
    with reading(backend.database) as session:
        mine = _arrived(blobs_with(session, upload.digest), upload)
    if mine is None or mine.lost or mine.size_bytes != size_bytes:
        return False
    if mine.arrived_at < backend.now() - _KEPT_AGAIN_AFTER:
        with transaction(backend.database) as session:
            return room.keep(session, upload, backend.now())
    return True


def take_room(backend: Backend, upload: Upload, size_bytes: int, offset: int) -> None:
    """Take room for a whole upload, unless it was taken when its first part came.

    Raises:
        UploadOffsetError: This part does not begin where the last one ended, so nothing is taken for it.
        BlobQuotaError: There is no room.
    """
    received = backend.uploads.received_bytes(upload.owner, upload.digest)
    if offset != received:
        raise UploadOffsetError("this is not the upload's next part", received=received, offset=offset)
    taken, at = max(size_bytes, received), backend.now()  # a smaller length frees no room that is in use
    with reading(backend.database) as session:
        needed = room.needs_room(session, upload, taken, at)
    if needed:
        with transaction(backend.database) as session:
            room.take(session, upload, taken, at)


async def receive(backend: Backend, upload: Upload, request: Request, offset: int, size_bytes: int) -> int:
    """Append what is sent, chunk by chunk, and return how much has arrived; that is kept after a failure.

    Raises:
        TallystickError: More than announced, not where the last part ended, or a disk has no room.
    """
    received, looked_at, spare = offset, offset, ROOMS[upload.purpose].spare_bytes
    try:
        async for chunk in _chunks(request):
            if received + len(chunk) > size_bytes:
                raise BlobSizeMismatchError("the upload has more bytes than were announced", limit=size_bytes)
            if received - looked_at >= UPLOAD_RENEWED_BYTES:  # another request may have given it up
                await in_turn(take_room, backend, upload, size_bytes, received)
                looked_at = received
            received = await in_turn(
                backend.uploads.append_part, upload.owner, upload.digest, received, chunk, spare_bytes=spare
            )
    except ClientDisconnect:
        pass  # nobody waits for the answer; the upload can be resumed after what has arrived
    return received


def finish(backend: Backend, upload: Upload, size_bytes: int) -> None:
    """Put a whole upload into the stores; wrong bytes are thrown away, and their room is free again.

    Raises:
        TallystickError: Not the announced bytes, or a store failed.
    """
    spare, hashing = ROOMS[upload.purpose].spare_bytes, ChunkHashing()
    try:
        stored = backend.uploads.finish(
            upload.owner, upload.digest, size_bytes, chunks=hashing, spare_bytes=spare
        )
    except (BlobDigestMismatchError, BlobSizeMismatchError):
        with transaction(backend.database) as session:
            room.give_up(session, upload)
        raise
    with transaction(backend.database) as session:
        room.has_arrived(session, upload, size_bytes, backend.now(), everywhere=stored.everywhere)
        record_chunks(session, upload.digest, hashing.hashes)


def offset_of(backend: Backend, caller: Caller, wanted: Digest, agreement: str | None) -> int:
    """Return how much of a blob has arrived from the caller, for any purpose, and is not lost since."""
    with reading(backend.database) as session:
        mine = [
            blob
            for blob in blobs_with(session, wanted)
            if blob.uploaded_by == caller.fingerprint
            and agreement in {None, blob.agreement_id}
            and not blob.lost
        ]
    return mine[0].size_bytes if mine else backend.uploads.received_bytes(caller.fingerprint, wanted)


def _arrived(known: list[StoredBlob], upload: Upload) -> StoredBlob | None:
    mine = (upload.agreement_id, upload.owner, upload.purpose)
    return next((b for b in known if (b.agreement_id, b.uploaded_by, b.purpose) == mine), None)


async def _chunks(request: Request) -> AsyncIterator[bytes]:
    """Yield the body in pieces of about a chunk, and an empty piece if there is no body."""
    held, sent = bytearray(), False
    async for part in request.stream():
        held += part
        if len(held) >= BLOB_CHUNK_BYTES:
            yield bytes(held)
            held.clear()
            sent = True
    if held or not sent:
        yield bytes(held)
