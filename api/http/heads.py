"""HEAD wherever GET is: monitors and load balancers use it to see whether a site is up.

FastAPI answers HEAD only where a route says so. A route that declares HEAD, as for blobs, is asked itself.
"""

from collections.abc import Callable

from starlette.types import ASGIApp, Message, Receive, Scope, Send


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
