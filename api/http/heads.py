"""What heads say, whatever the route: HEAD wherever GET is, one length, and answers that nobody keeps.

Monitors and load balancers use HEAD to see whether a site is up. FastAPI answers it only where a route says
so. A route that declares HEAD, as for blobs, is asked itself.
"""

from collections.abc import Callable
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.http.problems import RequestRefusedError, problem_response

_LENGTHS: Final = frozenset({b"content-length", b"transfer-encoding"})


class Heads:
    """ASGI middleware that answers HEAD as GET without the body (RFC 9110 section 9.3.2)."""

    def __init__(self, app: ASGIApp, has_its_own: Callable[[str], bool]) -> None:
        """Wrap `app`; `has_its_own` says whether a path has a route for HEAD."""
        self._app, self._has_its_own = app, has_its_own

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, a HEAD as the GET that it asks about."""
        if scope["type"] != "http" or scope["method"] != "HEAD" or self._has_its_own(scope["path"]):
            await self._app(scope, receive, send)
            return

        async def head(message: Message) -> None:
            if message["type"] == "http.response.start":
                await send(message)
                # The answer ends here, and so does what makes it: a stream of events sees a disconnect.
                await send({"type": "http.response.body", "body": b"", "more_body": False})

        await self._app({**scope, "method": "GET"}, receive, head)


class Unkept:
    """ASGI middleware that lets nobody keep an answer (RFC 9111 section 5.2.2.5).

    Some caches keep what was answered to one caller and show it to the next, or show a log as it was before,
    unless an answer itself forbids it.
    """

    def __init__(self, app: ASGIApp) -> None:
        """Wrap `app`."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and say of its answer that it is for nobody else and for no other time."""

        async def unkept(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["Cache-Control"] = "private, no-store"
            await send(message)

        await self._app(scope, receive, unkept if scope["type"] == "http" else send)


class OneLength:
    """ASGI middleware that refuses a body with two lengths, and hangs up (RFC 9112 section 6.3).

    A proxy that goes by the other one would take what follows for the next request of somebody else.
    """

    def __init__(self, app: ASGIApp) -> None:
        """Wrap `app`."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, unless its head has both Content-Length and Transfer-Encoding."""
        if scope["type"] != "http" or not {name for name, _ in scope["headers"]} >= _LENGTHS:
            await self._app(scope, receive, send)
            return
        refusal = RequestRefusedError("a body with Content-Length and Transfer-Encoding")
        await problem_response(refusal, {"Connection": "close"})(scope, receive, send)
