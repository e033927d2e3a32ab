"""The OpenAPI document: what FastAPI generates, and every refusal that the code can give.

A route does not list its refusals: the statuses that an operation may answer with
follow from its method, and from whether the caller must say who they are.
"""

import json
from collections.abc import Mapping
from functools import cache
from typing import Any, Final, cast

from fastapi import FastAPI, Request, Response
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from api.http.problems import MEDIA_TYPE, status_of
from tallystick.domain.errors import known_errors

PATH: Final = "/v1/openapi.json"

ENVELOPE_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "description": "A DSSE v1.0.2 envelope over an RFC 8785 body, as it was signed.",
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Envelope"}}},
    }
}
"""For routes that read a statement's bytes themselves."""

BYTES_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": False,
        "description": "The bytes that begin at `Upload-Offset`.",
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}
"""For the route that takes blobs."""

_ENVELOPE: Final[Mapping[str, Any]] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["payload", "payloadType", "signatures"],
    "properties": {
        "payload": {"type": "string", "contentEncoding": "base64"},
        "payloadType": {"type": "string"},
        "signatures": {
            "type": "array",
            "minItems": 1,
            "maxItems": 16,
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["sig"],
                "properties": {
                    "keyid": {"type": "string"},
                    "sig": {"type": "string", "contentEncoding": "base64"},
                },
            },
        },
    },
}

_PROBLEM: Final[Mapping[str, Any]] = {
    "type": "object",
    "description": "A refusal (RFC 9457): `code` and `facts` are the contract, `detail` is for people.",
    "required": ["type", "title", "status", "detail", "code", "facts", "advice", "retryable"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string"},
        "facts": {"type": "object"},
        "advice": {"type": "string"},
        "retryable": {"type": "boolean"},
    },
}

_ALWAYS: Final = (400, 404, 405, 422, 429, 500, 503)
_BY_METHOD: Final[Mapping[str, tuple[int, ...]]] = {
    "get": (403, 409, 416),
    "head": (403,),
    "post": (403, 408, 409, 413, 415),
    "put": (403, 408, 409, 413, 415),
}
_TITLES: Final[Mapping[int, str]] = {
    400: "Malformed",
    401: "The request does not say who asks",
    403: "Not allowed to this person",
    404: "There is no such thing, or you may not see it",
    405: "Not with this method",
    408: "It did not arrive in time",
    409: "In conflict with the record",
    413: "Too large",
    415: "Another media type",
    416: "Not within the blob",
    422: "Refused because of what it says",
    429: "Too many at once from this caller; nothing was done",
    500: "A defect; nothing was acknowledged",
    503: "Not now; repeating loses nothing",
}


def install(app: FastAPI, public: frozenset[str]) -> None:
    """Have `app` describe itself; at the `public` paths nobody needs to say who they are.

    Its description is written once: whoever asks for it needs no key, and to write it takes long.
    """

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _document(app, public)
        return app.openapi_schema

    @cache
    def written() -> bytes:
        return json.dumps(document(), ensure_ascii=False, separators=(",", ":")).encode()

    async def shown(_: Request) -> Response:
        return Response(written(), media_type="application/json")

    app.openapi = document  # type: ignore[method-assign] # FastAPI's documented way
    app.add_route(PATH, shown, include_in_schema=False)


def operation_id(route: APIRoute) -> str:
    """Return an operation's name in the document: that of its function, which is unique and readable."""
    return route.name


def codes_by_status() -> Mapping[int, list[str]]:
    """Return the codes of all refusals that this process knows, by HTTP status."""
    codes: dict[int, list[str]] = {}
    for kind in sorted(set(known_errors()), key=lambda kind: kind.code):
        codes.setdefault(status_of(kind), []).append(kind.code)
    return codes


def _document(app: FastAPI, public: frozenset[str]) -> dict[str, Any]:
    document = get_openapi(
        title=app.title, version=app.version, description=app.description, routes=app.routes
    )
    schemas = cast("dict[str, Any]", document.setdefault("components", {}).setdefault("schemas", {}))
    schemas.pop("HTTPValidationError", None)
    schemas.pop("ValidationError", None)
    schemas.update(Envelope=dict(_ENVELOPE), Problem=dict(_PROBLEM))
    document["components"]["securitySchemes"] = {
        "person": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT, EdDSA, by one's own key"}
    }
    codes = codes_by_status()
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            _describe(operation, method, codes, known=path not in public)
    return document


def _describe(operation: dict[str, Any], method: str, codes: Mapping[int, list[str]], *, known: bool) -> None:
    statuses = {*_ALWAYS, *_BY_METHOD[method], *((401,) if known else ())}
    operation["security"] = [{"person": []}] if known else []
    if "description" in operation:  # what is raised is among the responses
        operation["description"] = operation["description"].partition("\n\nRaises:")[0]
    responses = cast("dict[str, Any]", operation["responses"])
    for status in sorted(statuses):
        listed = ", ".join(f"`{code}`" for code in codes.get(status, []))
        responses[str(status)] = {
            "description": f"{_TITLES[status]}: {listed}",
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
