"""Routes that know their own parameters, so that unknown ones are refused and every refusal is documented.

Checks that wait for nothing are coroutines: FastAPI would hand a plain function to a thread, which takes
longer than the check.
"""

from typing import Any, Final, cast, get_args

from fastapi import APIRouter, Depends, Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from api.http.problems import InvalidParameterError

VERSION: Final = "/v1"
_SINGLE_HEADERS: Final = (
    "authorization",
    "content-encoding",
    "content-type",
    "idempotency-key",
    "last-event-id",
    "range",
    "upload-length",
    "upload-offset",
)
"""The headers that decide something here."""


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
            raise InvalidParameterError("given twice", parameter=name)


async def check_headers(request: Request) -> None:
    """Refuse a header that is given twice: programs disagree on which of the two counts.

    Raises:
        InvalidParameterError: There is one.
    """
    for name in _SINGLE_HEADERS:
        if len(request.headers.getlist(name)) > 1:
            raise InvalidParameterError("given twice", parameter=name)


def strict_router(tag: str) -> APIRouter:
    """Return a router under `/v1` whose routes refuse unknown parameters, and what is given twice."""
    checks = [Depends(check_query), Depends(check_headers)]
    return APIRouter(prefix=VERSION, tags=[tag], dependencies=checks)


def _query_of(dependant: Dependant) -> dict[str, bool]:
    own = {field.alias: _is_list(field.field_info.annotation) for field in dependant.query_params}
    for part in dependant.dependencies:
        own |= _query_of(part)
    return own


def _is_list(annotation: Any) -> bool:  # noqa: ANN401 - a parameter may be annotated with anything
    kinds = cast("tuple[object, ...]", (annotation, *get_args(annotation)))
    return any(getattr(kind, "__origin__", None) is list for kind in kinds)
