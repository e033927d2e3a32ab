"""The strict door: who asks, how much they may send, and that a repeated request counts once."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Final, TypeVar

from fastapi import Depends, Request
from fastapi.responses import Response
from pydantic import TypeAdapter

from api.backend.backend import Backend, OpenBackend
from api.http.auth import Known, known_or
from api.http.problems import BodyTooLargeError, UnsupportedMediaTypeError
from api.http.tokens import bearer_of, signer_of
from api.http.turns import in_turn
from tallystick.crypto.envelope import Envelope, body_of, envelope_bytes_max, parse_envelope
from tallystick.crypto.keys import key_id
from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.codec import decode
from tallystick.domain.ids import Digest, PublicKey, sha256_digest
from tallystick.domain.kinds import Kind
from tallystick.domain.refusals import MisdirectedError
from tallystick.limits.documents import AGREEMENT_SIZE_BYTES_MAX, JSON_SIZE_BYTES_MAX
from tallystick.proof.reading import kind_read
from tallystick.store.database import idempotency
from tallystick.store.database.session import reading, transaction

T = TypeVar("T")

_JSON: Final = "application/json"
_IDEMPOTENCY_KEY: Final = "idempotency-key"
_CREATED: Final = 201
_ADAPTERS: Final = dict[type, TypeAdapter[object]]()


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """A body from a known sender.

    Attributes:
        repeat: The request that the sender's `Idempotency-Key` names, if there is one.
    """

    body: bytes
    repeat: idempotency.Request | None


async def statement(request: Request, caller: Known) -> Posted:
    """Return an ordinary statement's bytes; they are not parsed yet.

    Raises:
        UnsupportedMediaTypeError, BodyTooLargeError, MalformedIdempotencyKeyError: At the door.
    """
    body = await _bounded(request, envelope_bytes_max(JSON_SIZE_BYTES_MAX))
    return _posted(request, caller.fingerprint, body)


async def agreement(request: Request, backend: OpenBackend) -> Posted:
    """Return an agreement's bytes, sent by a known key, a root key, or one that the agreement lists.

    Raises:
        UnauthenticatedError: By none of these.
        UnsupportedMediaTypeError, BodyTooLargeError, MalformedIdempotencyKeyError: At the door.
        MalformedError: Not an agreement.
    """
    token = bearer_of(request)
    body = await _bounded(request, envelope_bytes_max(AGREEMENT_SIZE_BYTES_MAX))
    key = await in_turn(_registering_key, backend, token, body)
    return _posted(request, key_id(key), body)


PostedStatement = Annotated[Posted, Depends(statement)]
PostedAgreement = Annotated[Posted, Depends(agreement)]


async def envelope_of(posted: Posted, kind: Kind) -> Envelope:
    """Return the envelope that was sent; it must be a statement of `kind`.

    It is read in a thread, when it is the caller's turn: what reads all connections reads no body.

    Raises:
        MalformedError: Not strict JSON, or not an envelope.
        MisdirectedError: A statement of another kind.
    """
    return await in_turn(_envelope_of, posted, kind)


def _envelope_of(posted: Posted, kind: Kind) -> Envelope:
    size = AGREEMENT_SIZE_BYTES_MAX if kind is Kind.AGREEMENT else JSON_SIZE_BYTES_MAX
    envelope = parse_envelope(posted.body, body_size_bytes_max=size)
    if (given := kind_read(envelope)) is not kind:
        raise MisdirectedError(
            "this address takes another kind of statement", expected=kind.value, given=given.value
        )
    return envelope


async def once(
    backend: Backend, posted: Posted, answer: type[T], make: Callable[[], Awaitable[T]]
) -> Response:
    """Return what `make` answers as 201, or the same answer again to the same `Idempotency-Key`.

    Raises:
        IdempotencyKeyReusedError: The key was used for another request.
        TallystickError: `make` refused.
    """
    if (repeat := posted.repeat) is None:
        return _created(_written(answer, await make()))
    earlier = await in_turn(_recalled, backend, repeat)
    if earlier is None:
        given = idempotency.Answer(status=_CREATED, response=_written(answer, await make()))
        earlier = await in_turn(_remembered, backend, repeat, given)
    return _created(earlier.response)


def _written(answer: type[T], made: T) -> bytes:
    # To build an adapter takes longer than all that is done with it.
    adapter = _ADAPTERS.get(answer) or _ADAPTERS.setdefault(answer, TypeAdapter(answer))
    return adapter.dump_json(made)


def _created(body: bytes) -> Response:
    return Response(body, status_code=_CREATED, media_type=_JSON)


def _recalled(backend: Backend, repeat: idempotency.Request) -> idempotency.Answer | None:
    with reading(backend.database) as session:
        return idempotency.recall(session, repeat, backend.now())


def _remembered(
    backend: Backend, repeat: idempotency.Request, given: idempotency.Answer
) -> idempotency.Answer:
    with transaction(backend.database) as session:
        return idempotency.remember(session, repeat, given, backend.now())


def _posted(request: Request, sender: Digest, body: bytes) -> Posted:
    key = request.headers.get(_IDEMPOTENCY_KEY)
    if key is None:
        return Posted(body=body, repeat=None)
    repeat = idempotency.Request(
        principal=sender,
        key=key,
        route=f"{request.method} {request.url.path}"[:256],
        body_digest=sha256_digest(body),
    )
    return Posted(body=body, repeat=repeat)


def _registering_key(backend: Backend, token: str, body: bytes) -> PublicKey:
    def listed() -> list[PublicKey]:
        envelope = parse_envelope(body, body_size_bytes_max=AGREEMENT_SIZE_BYTES_MAX)
        persons = decode(Agreement, body_of(envelope)).persons
        return [*backend.deployment().root_keys, *(person.signing_key for person in persons)]

    return signer_of(token, backend, known_or(backend, listed))


async def _bounded(request: Request, limit: int) -> bytes:
    """Read the body, but no more than `limit` bytes, whatever length was announced."""
    media_type, *parameters = [
        part.strip().lower() for part in request.headers.get("content-type", "").split(";")
    ]
    if media_type != _JSON or not set(parameters) <= {"charset=utf-8", 'charset="utf-8"'}:
        raise UnsupportedMediaTypeError("the body is not plain JSON", given=media_type[:64], expected=_JSON)
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise BodyTooLargeError("the body is too large", limit=limit)
    return bytes(body)
