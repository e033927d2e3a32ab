"""Routes that know their own parameters, so that unknown ones are refused and every refusal is documented.

Checks that wait for nothing are coroutines: FastAPI would hand a plain function to a thread, which takes
longer than the check.
"""

from typing import Any, Final, cast, get_args

from fastapi import APIRouter, Depends, Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from api.http.bounded import BoundedRoute
from api.http.openapi import operation_id
from api.http.problems import InvalidParameterError, RequestRefusedError, UnsupportedMediaTypeError

VERSION: Final = "/v1"
_SINGLE_HEADERS: Final = (
    "authorization",
    "content-encoding",
    "content-range",
    "content-type",
    "idempotency-key",
    "if-range",
    "last-event-id",
    "range",
    "upload-length",
    "upload-offset",
)
"""The headers that decide something here."""
_WITH_BODY: Final = frozenset({"POST", "PUT"})


def known_query(route: APIRoute) -> dict[str, bool]:
    """Return the names of the query parameters that a route takes, and whether each may be repeated."""
    return _query_of(route.dependant)


async def check_query(request: Request) -> None:
    """Refuse query parameters that the route does not know, and single ones that are given twice.

    Raises:
        InvalidParameterError: There is one.
    """
    known = known_query(request.scope["route"])
    given = [name for name, _ in request.query_params.multi_items()]
    for name in given:
        if name not in known:
            raise InvalidParameterError("unknown parameter", parameter=name[:64], known=sorted(known))
        if not known[name] and given.count(name) > 1:
            raise InvalidParameterError("the parameter is given twice", parameter=name)


async def check_headers(request: Request) -> None:
    """Refuse a header that is given twice: programs disagree on which of the two counts.

    Raises:
        InvalidParameterError: There is one.
    """
    for name in _SINGLE_HEADERS:
        if len(request.headers.getlist(name)) > 1:
            raise InvalidParameterError("the parameter is given twice", parameter=name)


async def check_body(request: Request) -> None:
    """Refuse what says that a body means other bytes than those that arrive (RFC 9110 sections 8.4 and 14.5).

    Raises:
        UnsupportedMediaTypeError: It has a content coding, or is a form with parts.
        RequestRefusedError: It says with `Content-Range` that it is a part.
    """
    if request.method not in _WITH_BODY:
        return
    coding = request.headers.get("content-encoding", "identity").strip().lower()
    if coding != "identity":
        raise UnsupportedMediaTypeError("the body has a content coding", given=coding[:64])
    if (media_type := request.headers.get("content-type", "").lower()).startswith("multipart/"):
        raise UnsupportedMediaTypeError("the body is a form with parts", given=media_type[:64])
    if "content-range" in request.headers:
        raise RequestRefusedError("a part says where it begins with Upload-Offset, not with Content-Range")


def strict_router(tag: str) -> APIRouter:
    """Return a router under `/v1` that counts requests by caller, and is strict.

    It refuses unknown parameters, what is given twice, and coded bodies.
    """
    checks = [Depends(check_query), Depends(check_headers), Depends(check_body)]
    return APIRouter(
        prefix=VERSION,
        tags=[tag],
        dependencies=checks,
        route_class=BoundedRoute,
        generate_unique_id_function=operation_id,
    )


def _query_of(dependant: Dependant) -> dict[str, bool]:
    own = {field.alias: _is_list(field.field_info.annotation) for field in dependant.query_params}
    for part in dependant.dependencies:
        own |= _query_of(part)
    return own


def _is_list(annotation: Any) -> bool:  # noqa: ANN401 - a parameter may be annotated with anything
    kinds = cast("tuple[object, ...]", (annotation, *get_args(annotation)))
    return any(getattr(kind, "__origin__", None) is list for kind in kinds)
