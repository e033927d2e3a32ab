"""Blobs: uploads that can be resumed, and downloads for those who are entitled to the bytes."""

import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Annotated, Final, Literal, TypeAlias

from fastapi import Header, Query, Request, Response
from fastapi.responses import StreamingResponse
from starlette.requests import ClientDisconnect

from api.answers.shapes import BlobStored, UploadGoesOn
from api.backend.backend import Backend, OpenBackend
from api.http.auth import Caller, Known
from api.http.bounded import in_lane
from api.http.fetching import may_fetch, source_of
from api.http.openapi import BYTES_BODY
from api.http.problems import problem_response
from api.http.routing import strict_router
from api.http.turns import Lane, in_turn
from api.http.visibility import NAME_PATTERN, DigestName, seen_agreement
from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.agreement.parties import Role
from tallystick.domain.errors import TallystickError
from tallystick.domain.ids import AgreementId, Digest, PersonId, party_of
from tallystick.domain.refusals import NotYoursError
from tallystick.limits import (
    AGREEMENT_BLOB_BYTES_MAX,
    BLOB_BYTES_MAX,
    BLOB_CHUNK_BYTES,
    EVIDENCE_BLOB_BYTES_MAX,
    SEALED_BYTES_MAX,
)
from tallystick.store.blobs.chunks import ChunkHashing, record_chunks
from tallystick.store.blobs.replicas import BlobRangeError
from tallystick.store.blobs.store import BlobMissingError, BlobSizeMismatchError
from tallystick.store.blobs.uploads import (
    BlobPurpose,
    StoredBlob,
    blobs_with,
    find_blob,
    record_blob,
    stored_bytes,
)
from tallystick.store.database.session import reading, transaction

router = strict_router("blobs")

_RANGE: Final = re.compile(r"bytes=(?=-?\d)(\d{0,15})-(\d{0,15})", re.ASCII)
_OCTETS: Final = "application/octet-stream"
_CREATED: Final = 201
_PARTIAL: Final = 206


_Uploaded: TypeAlias = Literal[BlobPurpose.DEPOSIT, BlobPurpose.EVIDENCE, BlobPurpose.CONTRIBUTION]
"""What people upload a blob for; the gate's own shares come from the gate alone."""

_SIZE_MAX: Final[dict[_Uploaded, int]] = {
    BlobPurpose.DEPOSIT: BLOB_BYTES_MAX,
    BlobPurpose.EVIDENCE: EVIDENCE_BLOB_BYTES_MAX,
    BlobPurpose.CONTRIBUTION: SEALED_BYTES_MAX,
}


class BlobQuotaError(TallystickError):
    """The agreement has as many bytes in the stores as one agreement may."""

    code = "blob-quota"
    why = "The storage of each agreement is limited, so that nobody can use up another's space."
    advice = "Ask the deployment's operators; other agreements are not affected."


_Offset = Annotated[
    int, Header(alias="Upload-Offset", ge=0, le=BLOB_BYTES_MAX, description="Where this part begins.")
]
_Length = Annotated[
    int | None,
    Header(
        alias="Upload-Length",
        ge=0,
        le=BLOB_BYTES_MAX,
        description="The size of the whole blob; absent: this part is all of it.",
    ),
]
_AgreementQuery = Annotated[
    str, Query(pattern=NAME_PATTERN, description="The agreement under which the blob is stored.")
]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Upload:
    """One upload under way."""

    owner: Digest
    digest: Digest
    agreement_id: AgreementId
    purpose: _Uploaded
    limit: int


@router.put(
    "/blobs/{digest}",
    status_code=_CREATED,
    response_model=BlobStored,
    responses={202: {"model": UploadGoesOn, "description": "The part has arrived; more is expected."}},
    openapi_extra=BYTES_BODY,
)
@in_lane(Lane.UPLOAD)
async def put_blob(
    *,
    digest: DigestName,
    request: Request,
    caller: Known,
    backend: OpenBackend,
    agreement: _AgreementQuery,
    purpose: Annotated[_Uploaded, Query(description="What the blob is for.")],
    upload_offset: _Offset = 0,
    upload_length: _Length = None,
) -> BlobStored | UploadGoesOn | Response:
    """Store a blob, or a part of it. 201 means that it is whole, and durable in every store.

    Raises:
        TallystickError: Not the caller's to send, too large, another offset, size or digest.
    """
    limit = upload_length if upload_length is not None else _SIZE_MAX[purpose]
    wanted = Digest(digest)
    upload = await in_turn(_begun, backend, caller, agreement, wanted, purpose, limit=limit)
    if await in_turn(_is_mine, backend, upload) and upload_offset == upload_length:
        return BlobStored(digest=digest, size_bytes=upload_offset)  # the answer was lost, not the blob
    received = await _receive(backend, upload, request, upload_offset)
    if upload_length is not None and received < upload_length:
        answer = UploadGoesOn(offset=received)
        return Response(f'{{"offset":{answer.offset}}}', status_code=202, media_type="application/json")
    await in_turn(_finish, backend, upload, received)
    return BlobStored(digest=digest, size_bytes=received)


@router.head(
    "/blobs/{digest}",
    response_class=Response,
    responses={
        200: {
            "description": "`Upload-Offset` says how much of the caller's upload has arrived.",
            "content": {},
        }
    },
)
def show_upload(
    digest: DigestName,
    caller: Known,
    backend: OpenBackend,
    agreement: Annotated[str | None, Query(pattern=NAME_PATTERN)] = None,
    purpose: Annotated[_Uploaded | None, Query()] = None,
) -> Response:
    """Return how much of a blob has arrived from the caller; another person's upload is not shown."""
    del purpose  # the same parameters as PUT, so that a client need not leave any out
    wanted = Digest(digest)
    with reading(backend.database) as session:
        mine = [
            blob
            for blob in blobs_with(session, wanted)
            if blob.uploaded_by == caller.fingerprint and agreement in {None, blob.agreement_id}
        ]
    offset = mine[0].size_bytes if mine else backend.uploads.received_bytes(caller.fingerprint, wanted)
    return Response(headers={"Upload-Offset": str(offset), "Cache-Control": "no-store"})


@router.get(
    "/blobs/{digest}",
    response_class=StreamingResponse,
    responses={
        200: {
            "description": "The bytes.",
            "content": {_OCTETS: {"schema": {"type": "string", "format": "binary"}}},
        },
        206: {
            "description": "The bytes of the range.",
            "content": {_OCTETS: {"schema": {"type": "string", "format": "binary"}}},
        },
    },
)
@in_lane(Lane.HEAVY)
def get_blob(
    digest: DigestName,
    caller: Known,
    backend: OpenBackend,
    byte_range: Annotated[str | None, Header(alias="Range", max_length=64)] = None,
    if_range: Annotated[
        str | None, Header(alias="If-Range", max_length=256, description="The `ETag` that the range is of.")
    ] = None,
) -> Response:
    """Return a blob, or one range of it; each chunk of it is hashed for this very request.

    A range that is asked for only if another `If-Range` holds is not served: the answer is the whole blob.

    Raises:
        BlobMissingError: There is none, or the caller may not fetch it.
        BlobRangeError: The range does not lie within it.
    """
    wanted = Digest(digest)
    with reading(backend.database) as session:
        if not may_fetch(backend, session, caller, wanted):
            raise BlobMissingError("no such blob")
    try:
        return _served(backend, wanted, byte_range if if_range in {None, _etag(wanted)} else None)
    except BlobRangeError as error:
        size = error.facts.get("size_bytes")
        return problem_response(error, {"Content-Range": f"bytes */{size}"})


def _etag(digest: Digest) -> str:
    """Return the strong validator of a blob (RFC 9110 section 8.8.3): its bytes never change."""
    return f'"{digest}"'


def _served(backend: Backend, wanted: Digest, asked: str | None) -> Response:
    source = source_of(backend, wanted)
    span = None if asked is None else _RANGE.fullmatch(asked)  # other units and forms are ignored
    first, length = (0, source.size_bytes) if span is None else _range(span, source.size_bytes)
    chunks = source.read(first, length)
    head = next(chunks, b"")  # if no copy has it, the answer is a problem
    headers = {
        "Content-Length": str(length),
        "Accept-Ranges": "bytes",
        "ETag": _etag(wanted),
        "Cache-Control": "private, no-store",
        "Content-Disposition": "attachment",
        "X-Content-Type-Options": "nosniff",
    }
    status, rest = 200, _sent_in_turn(chain((head,), chunks))
    if span is not None:
        headers["Content-Range"] = f"bytes {first}-{first + length - 1}/{source.size_bytes}"
        status = _PARTIAL
    return StreamingResponse(rest, status_code=status, media_type=_OCTETS, headers=headers)


async def _sent_in_turn(chunks: Iterator[bytes]) -> AsyncIterator[bytes]:
    """Yield chunks, each read when it is the caller's turn: no thread waits for a caller who reads slowly."""
    while (chunk := await in_turn(next, chunks, b"")) != b"":
        yield chunk


def _range(span: re.Match[str], size_bytes: int) -> tuple[int, int]:
    """Return the first byte and the length of a range (RFC 9110 section 14.1.2).

    Raises:
        BlobRangeError: It does not begin within the blob.
    """
    if span.group(1) == "":
        first, end = max(size_bytes - int(span.group(2)), 0), size_bytes
    else:
        first, end = int(span.group(1)), min(int(span.group(2) or size_bytes - 1) + 1, size_bytes)
    if first >= end:
        raise BlobRangeError("not within the blob", first_byte=first, size_bytes=size_bytes)
    return first, end - first


def _begun(
    backend: Backend, caller: Caller, agreement: str, wanted: Digest, purpose: _Uploaded, *, limit: int
) -> _Upload:
    """Return the upload, if the caller may send such a blob and there is room for it.

    Raises:
        TallystickError: No such agreement, not the caller's to send, or too large.
    """
    with reading(backend.database) as session:
        registered = seen_agreement(session, caller, agreement)
        person = caller.persons[registered.agreement_id]
        _check_sender(registered.signed().agreement, person, purpose)
        used = stored_bytes(session, registered.agreement_id)
    if limit > _SIZE_MAX[purpose]:
        raise BlobSizeMismatchError("larger than such a blob may be", limit=_SIZE_MAX[purpose])
    under_way = backend.uploads.pending_bytes(caller.fingerprint)
    received = backend.uploads.received_bytes(caller.fingerprint, wanted)
    room = AGREEMENT_BLOB_BYTES_MAX - used - under_way + received
    if (limit > room and purpose is not BlobPurpose.DEPOSIT) or room <= 0:
        raise BlobQuotaError("no room under this agreement", limit=AGREEMENT_BLOB_BYTES_MAX, used=used)
    return _Upload(
        owner=caller.fingerprint,
        digest=wanted,
        agreement_id=registered.agreement_id,
        purpose=purpose,
        limit=min(limit, room),
    )


def _check_sender(agreement: Agreement, person: PersonId, purpose: _Uploaded) -> None:
    depositors = {party.id for party in agreement.parties_in(Role.DEPOSITOR)}
    if purpose is BlobPurpose.DEPOSIT and party_of(person) not in depositors:
        raise NotYoursError("only the depositor deposits", person=person, allowed=sorted(depositors))


async def _receive(backend: Backend, upload: _Upload, request: Request, offset: int) -> int:
    """Append what is sent, chunk by chunk; what has arrived before a failure is kept."""
    received = offset
    try:
        async for chunk in _chunks(request):
            if received + len(chunk) > upload.limit:
                raise BlobSizeMismatchError(
                    "more bytes than announced, or than there is room for", limit=upload.limit
                )
            received = await in_turn(
                backend.uploads.append_part, upload.owner, upload.digest, received, chunk
            )
    except ClientDisconnect:
        pass  # nobody waits for the answer; the upload can be resumed after what has arrived
    return received


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


def _finish(backend: Backend, upload: _Upload, size_bytes: int) -> None:
    hashing = ChunkHashing()
    backend.uploads.finish(upload.owner, upload.digest, size_bytes, chunks=hashing)
    blob = StoredBlob(
        digest=upload.digest,
        size_bytes=size_bytes,
        agreement_id=upload.agreement_id,
        uploaded_by=upload.owner,
        purpose=upload.purpose,
    )
    with transaction(backend.database) as session:
        record_blob(session, blob)
        record_chunks(session, upload.digest, hashing.hashes)


def _is_mine(backend: Backend, upload: _Upload) -> bool:
    with reading(backend.database) as session:
        blob = find_blob(session, upload.agreement_id, upload.digest)
    return blob is not None and blob.uploaded_by == upload.owner
