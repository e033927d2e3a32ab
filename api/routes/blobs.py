"""Blobs: uploads that can be resumed, and downloads for those who are entitled to the bytes."""

import re
from collections.abc import AsyncIterator, Iterator
from itertools import chain
from typing import Annotated, Final

from fastapi import Header, Query, Request, Response
from fastapi.responses import StreamingResponse

from api.answers.shapes import BlobStored, UploadGoesOn
from api.backend.backend import Backend, OpenBackend
from api.blobs.fetching import may_fetch, source_of
from api.blobs.uploading import (
    Uploaded,
    announced_bytes,
    finish,
    is_there,
    offset_of,
    permitted,
    receive,
    take_room,
)
from api.http.auth import Known
from api.http.bounded import in_lane
from api.http.openapi import BYTES_BODY
from api.http.problems import problem_response
from api.http.routing import strict_router
from api.http.turns import Lane, in_long_turn, in_turn
from api.http.visibility import NAME_PATTERN, DigestName
from tallystick.domain.ids import Digest
from tallystick.limits.api import UPLOAD_LONG_BYTES_MIN
from tallystick.limits.storage import BLOB_BYTES_MAX
from tallystick.store.blobs.checked import BlobRangeError
from tallystick.store.blobs.store import BlobMissingError
from tallystick.store.database.session import reading

router = strict_router("blobs")

_RANGE: Final = re.compile(r"bytes=(?=-?\d)(\d{0,15})-(\d{0,15})", re.ASCII)
_OCTETS: Final = "application/octet-stream"
_CREATED: Final = 201
_PARTIAL: Final = 206

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
    purpose: Annotated[Uploaded, Query(description="What the blob is for.")],
    upload_offset: _Offset = 0,
    upload_length: _Length = None,
) -> BlobStored | UploadGoesOn | Response:
    """Store a blob, or a part of it. 201 means that it is whole, and durable in every store.

    Raises:
        TallystickError: Not the caller's to send, too large, no room, another offset, size or digest.
    """
    size_bytes, wanted = announced_bytes(request, upload_offset, upload_length), Digest(digest)
    upload = await in_turn(permitted, backend, caller, agreement, wanted, purpose, size_bytes=size_bytes)
    if upload_offset == upload_length and await in_turn(is_there, backend, upload, size_bytes):
        return BlobStored(digest=digest, size_bytes=size_bytes)  # the answer was lost, not the blob
    await in_turn(take_room, backend, upload, size_bytes, upload_offset)
    received = await receive(backend, upload, request, upload_offset, size_bytes)
    if received < size_bytes:
        answer = UploadGoesOn(offset=received)
        return Response(f'{{"offset":{answer.offset}}}', status_code=202, media_type="application/json")
    turn = in_turn if received < UPLOAD_LONG_BYTES_MIN else in_long_turn
    await turn(finish, backend, upload, received)
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
    purpose: Annotated[Uploaded | None, Query()] = None,
) -> Response:
    """Return how much of a blob has arrived from the caller; another person's upload is not shown."""
    del purpose  # the same parameters as PUT, so that a client need not leave any out
    offset = offset_of(backend, caller, Digest(digest), agreement)
    return Response(headers={"Upload-Offset": str(offset)})


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
        raise BlobRangeError("the range is not within the blob", first_byte=first, size_bytes=size_bytes)
    return first, end - first
