"""Figures for Prometheus: requests, refusals by code, claims on record. No label is an id or a name."""

import time
from collections.abc import Callable
from typing import Final

from fastapi.routing import APIRoute
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_UNKNOWN_ROUTE: Final = "none"


class Metrics:
    """The figures of one process."""

    def __init__(self, claims_on_record: Callable[[], int]) -> None:
        """Begin at zero; `claims_on_record` is asked at each scrape."""
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "tallystick_requests",
            "Requests answered.",
            ("method", "route", "status"),
            registry=self._registry,
        )
        self._seconds = Histogram(
            "tallystick_request_seconds",
            "Time until an answer began.",
            ("method", "route"),
            registry=self._registry,
        )
        self._refusals = Counter(
            "tallystick_refusals", "Requests refused, by code.", ("code",), registry=self._registry
        )
        claims = Gauge("tallystick_claims", "Claims on record.", registry=self._registry)
        claims.set_function(claims_on_record)

    def text(self) -> bytes:
        """Return the figures in the text format of Prometheus."""
        return generate_latest(self._registry)

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count an answer."""
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(method, route).observe(seconds)

    def refused(self, code: str) -> None:
        """Count a refusal."""
        self._refusals.labels(code).inc()


class Counting:
    """ASGI middleware that counts answers, and keeps nothing about who asked for what."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        """Wrap `app`."""
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and count its answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.monotonic()

        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._count(scope, int(message["status"]), time.monotonic() - began)
            await send(message)

        await self._app(scope, receive, counted)

    def _count(self, scope: Scope, status: int, seconds: float) -> None:
        route = scope.get("route")
        path = route.path if isinstance(route, APIRoute) else _UNKNOWN_ROUTE
        method = scope["method"] if scope["method"] in _METHODS else "other"
        self._metrics.answered(method, path, status, seconds)
        code = scope.get("state", {}).get("refusal")
        if isinstance(code, str):
            self._metrics.refused(code)


_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"})
