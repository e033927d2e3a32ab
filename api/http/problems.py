"""Refusals as RFC 9457 problems. HTTP status is decided here, and nowhere else.

A class without a row of its own has the status of its nearest base: a new error needs a
row here only if its base's status is wrong for it.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import Final, TypeAlias, cast

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ExceptionHandler

from api.backend.backend import ClaimNotCarriedError, EngineUnreachableError
from api.http.turns import NoTurnInTimeError, TooManyRequestsError
from tallystick.crypto.envelope import SignatureInvalidError
from tallystick.crypto.keys import InvalidPointError
from tallystick.crypto.log.merkle import LogRangeError
from tallystick.domain import refusals
from tallystick.domain.acts.all import NotDraftedError
from tallystick.domain.agreement.agreement import NotInAgreementError
from tallystick.domain.agreement.deadlines import CalendarExhaustedError, UnknownTimeZoneError
from tallystick.domain.claim.claim import WrongClaimStateError
from tallystick.domain.errors import Fact, MalformedError, TallystickError
from tallystick.domain.quoting import escaped_json
from tallystick.domain.soundness.check import UnsoundAgreementError
from tallystick.domain.soundness.registering import OtherEngineError
from tallystick.site import DeploymentUnreadableError
from tallystick.store.blobs.checked import BlobRangeError
from tallystick.store.blobs.replicas import NoGoodReplicaError
from tallystick.store.blobs.store import BlobDigestMismatchError, BlobMissingError, BlobSizeMismatchError
from tallystick.store.cases.casefile import RecordUnreadableError
from tallystick.store.damage import LedgerCorruptError
from tallystick.store.database.session import DatabaseSetupError, ValueDamagedError
from tallystick.store.registers.agreements import NoSuchAgreementError
from tallystick.store.registers.claims import NoSuchClaimError
from tallystick.telemetry import logger

MEDIA_TYPE: Final = "application/problem+json"
_RETRY_AFTER_SECONDS: Final = 2
_LATER: Final = frozenset({408, 429, 503})
"""The statuses that promise another answer later."""
_log = logger(__name__)

Addresses: TypeAlias = tuple[tuple[re.Pattern[str], frozenset[str]], ...]
"""The methods that each route takes."""


class UnauthenticatedError(TallystickError):
    """The request does not say who asks, or its token cannot be verified."""

    code = "unauthenticated"
    why = (
        "A request needs a fresh bearer JWT (EdDSA), signed by a key in an agreement that nobody has revoked."
    )
    advice = (
        "The `tallystick` commands sign one with your `--key`. Or sign it yourself: `sub` is the key's "
        "fingerprint, `aud` the deployment's name (`GET /v1/deployment`), `exp` at most 300 s after `iat`. "
        "If it is still refused, set the clock, then ask your party whether the agreement lists this key."
    )


class NoSuchThingError(TallystickError):
    """There is nothing at this address, or nothing that you may see."""

    code = "not-found"
    why = "There is nothing at this address, or you may not see it; the answer is the same."
    advice = (
        "Compare the address with `GET /v1/openapi.json`, and the ids with what `GET /v1/agreements` and "
        "`GET /v1/claims` show you. A new entry is covered by a checkpoint only a moment later."
    )


class MethodNotAllowedError(TallystickError):
    """The address does not take this method."""

    code = "method-not-allowed"
    why = "Each address takes only the methods that the OpenAPI document lists."
    advice = "Use one of the methods in the `Allow` header."


class UnsupportedMediaTypeError(TallystickError):
    """A body of another media type, or with a content coding."""

    code = "unsupported-media-type"
    why = (
        "A body is taken as it arrives: a statement as `application/json` in UTF-8, a blob as its own bytes."
    )
    advice = (
        "Send a statement as it was signed, with `Content-Type: application/json`, and a blob as it is; "
        "leave `Content-Encoding` out."
    )


class BodyTooLargeError(TallystickError):
    """More bytes than this address takes."""

    code = "body-too-large"
    why = "The body is larger than this address takes; the rest was not read."
    advice = "Send at most `limit` bytes."


class BodyTooSlowError(TallystickError):
    """A body that arrives so slowly that it would keep others waiting."""

    code = "body-too-slow"
    why = "The body, or its next part, did not arrive in time; of a blob, what has arrived is kept."
    advice = "Send it again over a better connection; a blob can be continued from where it stopped."
    retryable = True


class InvalidParameterError(TallystickError):
    """A query parameter, path segment or header that this address does not take."""

    code = "invalid-parameter"
    why = "A parameter is unknown, given twice, or not of the form that this address takes; nothing was done."
    advice = "Correct the parameter that the facts name."


class RequestRefusedError(TallystickError):
    """The HTTP server refused the request before it reached a route."""

    code = "bad-request"
    why = "HTTP does not allow this request here."
    advice = "Correct the request."


class DefectError(TallystickError):
    """Something went wrong that never should; nothing was acknowledged."""

    code = "defect"
    why = "The server met a broken invariant and stopped; nothing was acknowledged."
    advice = "Tell the deployment's operators; the server's log has the details. Repeating is harmless."


class NotReadyError(TallystickError):
    """The server runs, but something that it needs does not answer."""

    code = "not-ready"
    why = "The database or Temporal does not answer."
    advice = "Wait; if it lasts, operators find the cause in the facts and in docs/runbook.md."
    retryable = True


STATUS: Final[Mapping[type[TallystickError], int]] = MappingProxyType(
    {
        TallystickError: 409,  # what is left are conflicts with the record
        MalformedError: 400,
        RequestRefusedError: 400,
        UnauthenticatedError: 401,
        SignatureInvalidError: 403,
        refusals.NotYoursError: 403,
        refusals.SelfServingError: 403,
        refusals.KeyRevokedError: 403,
        NoSuchThingError: 404,
        NoSuchClaimError: 404,
        NoSuchAgreementError: 404,
        BlobMissingError: 404,
        LogRangeError: 404,
        NotDraftedError: 404,
        MethodNotAllowedError: 405,
        BodyTooSlowError: 408,
        WrongClaimStateError: 409,
        BodyTooLargeError: 413,
        UnsupportedMediaTypeError: 415,
        BlobRangeError: 416,
        InvalidParameterError: 422,
        InvalidPointError: 422,
        NotInAgreementError: 422,
        UnsoundAgreementError: 422,
        OtherEngineError: 422,
        CalendarExhaustedError: 422,
        UnknownTimeZoneError: 422,
        BlobSizeMismatchError: 422,
        BlobDigestMismatchError: 422,
        refusals.MisdirectedError: 422,
        refusals.BadTimingError: 422,
        refusals.UnknownStageError: 422,
        refusals.UnknownGroundError: 422,
        refusals.ConditionNotMetError: 422,
        refusals.RulingIncompleteError: 422,
        TooManyRequestsError: 429,
        NoTurnInTimeError: 503,
        DefectError: 500,
        RecordUnreadableError: 500,
        LedgerCorruptError: 500,
        ValueDamagedError: 500,
        DeploymentUnreadableError: 500,
        DatabaseSetupError: 503,
        NoGoodReplicaError: 503,
        EngineUnreachableError: 503,
        ClaimNotCarriedError: 503,
    }
)
"""The status of each class; a retryable one without a row of its own is 503."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A refusal (RFC 9457): `code` and `facts` are the contract, `detail` is for people."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    facts: Mapping[str, Fact]
    advice: str
    retryable: bool


def status_of(kind: type[TallystickError]) -> int:
    """Return the HTTP status of a refusal of this class."""
    for base in kind.__mro__:
        if base is TallystickError and kind.retryable:
            return 503
        if base in STATUS:
            return STATUS[base]
    raise AssertionError("every refusal is a TallystickError")


def problem(error: TallystickError) -> Problem:
    """Return `error` as the caller gets it."""
    return Problem(
        type=f"urn:tallystick:problem:{error.code}",
        title=error.why,
        status=status_of(type(error)),
        detail=error.message,
        code=error.code,
        facts=error.facts,
        advice=error.advice,
        retryable=error.retryable,
    )


def problem_response(error: TallystickError, headers: Mapping[str, str] | None = None) -> Response:
    """Return the HTTP answer for `error`."""
    shown = problem(error)
    extra = dict(headers or {})
    if shown.status in _LATER:
        extra.setdefault("Retry-After", str(_RETRY_AFTER_SECONDS))
    if shown.status == 401:  # noqa: PLR2004 - RFC 9110 section 11.6.1
        extra["WWW-Authenticate"] = "Bearer"
    members = {**asdict(shown), "facts": _plain(shown.facts)}
    return Response(
        escaped_json(json.dumps(members, ensure_ascii=False)).encode("utf-8", "replace"),
        status_code=shown.status,
        media_type=MEDIA_TYPE,
        headers=extra,
    )


def install(app: FastAPI) -> None:
    """Have every refusal of `app` answered as a problem; call this once all its routes are included."""
    handlers: Mapping[type[Exception], ExceptionHandler] = {
        TallystickError: _refused,
        HTTPException: _refused_by_http,
        RequestValidationError: _invalid,
        ClientDisconnect: _gone,
        Exception: _defect,
    }
    for kind, handler in handlers.items():
        app.add_exception_handler(kind, handler)
    app.state.addresses = tuple(
        (route.path_regex, frozenset(route.methods or ()))
        for route in app.routes
        if isinstance(route, APIRoute)
    )


def methods_at(app: FastAPI, path: str) -> frozenset[str]:
    """Return the methods for which `app` has routes at `path`."""
    addresses = cast("Addresses", app.state.addresses)
    return frozenset(method for address, taken in addresses if address.match(path) for method in taken)


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, TallystickError)
    request.state.refusal = error.code
    if status_of(type(error)) == 500:  # noqa: PLR2004 - nobody's fault but ours
        _log.error("defect", code=error.code, facts=error.facts)
    return problem_response(error)


async def _refused_by_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    kinds: Mapping[int, TallystickError] = {
        404: NoSuchThingError("there is nothing here"),
        405: MethodNotAllowedError("not with this method"),
    }
    refusal = kinds.get(error.status_code, RequestRefusedError("not a request that can be served"))
    request.state.refusal = refusal.code
    return problem_response(refusal, {**(error.headers or {}), **_allowed(request, error.status_code)})


def _allowed(request: Request, status: int) -> Mapping[str, str]:
    """Return every method that the address takes: Starlette names only those of its first route."""
    if status != 405:  # noqa: PLR2004 - RFC 9110 section 15.5.6
        return {}
    methods = methods_at(request.app, str(request.scope["path"]))
    return {"Allow": ", ".join(sorted({*methods, *(("HEAD",) if "GET" in methods else ())}))}


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    mistakes = [
        {"at": "/".join(str(part) for part in one["loc"])[:128], "message": str(one["msg"])[:256]}
        for one in list(error.errors())[:8]
    ]
    request.state.refusal = InvalidParameterError.code
    return problem_response(InvalidParameterError("not what this address takes", invalid=mistakes))


async def _gone(request: Request, error: Exception) -> Response:
    """Log nothing about a client that hung up within its body: that is no defect. Nobody reads this."""
    del error
    request.state.refusal = RequestRefusedError.code
    return problem_response(RequestRefusedError("the body did not arrive to its end"))


async def _defect(request: Request, error: Exception) -> Response:
    request.state.refusal = DefectError.code
    _log.error("defect", exc_info=error, path=request.url.path)
    return problem_response(DefectError("the server met a defect"))


def _plain(fact: Fact) -> Fact:
    """Return a fact as plain JSON values, whatever kind of mapping or sequence it is."""
    if isinstance(fact, str | bool | int) or fact is None:
        return str(fact) if isinstance(fact, str) else fact
    if isinstance(fact, Mapping):
        return {str(name): _plain(member) for name, member in fact.items()}
    assert isinstance(fact, Sequence)
    return [_plain(member) for member in fact]
