"""Figures for Prometheus: requests, refusals by code, claims, copies behind. No label is an id or a name."""

import time
from collections.abc import Callable, Mapping
from typing import Final

from fastapi.routing import APIRoute
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_UNKNOWN_ROUTE: Final = "none"


class Metrics:
    """The figures of one process."""

    def __init__(self, looked_up: Mapping[str, tuple[str, Callable[[], float]]]) -> None:
        """Begin at zero.

        Args:
            looked_up: Figures by name, each with what it is, and what is asked for it at each scrape.
        """
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
        for name, (what, look) in looked_up.items():
            Gauge(name, what, registry=self._registry).set_function(look)

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
