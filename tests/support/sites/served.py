"""An application served on a port of this machine, as the services are served."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import uvicorn
from starlette.types import ASGIApp

from api.http.connections import Connection
from tallystick.stack.processes import free_port
from tests.support.waits import until


@asynccontextmanager
async def served(
    app: ASGIApp,
    connection: type[Connection] = Connection,
    upgraded: type[asyncio.Protocol] | None = None,
    *,
    idle_seconds: int = 5,
) -> AsyncGenerator[int]:
    """Serve `app` as the services are served, where a library may upgrade connections; yield the port."""
    port = free_port()
    config = uvicorn.Config(
        app,
        http=connection,
        ws=upgraded or "auto",
        port=port,
        log_config=None,
        lifespan="off",
        timeout_keep_alive=idle_seconds,
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    await until(lambda: server.started)
    yield port
    server.should_exit = server.force_exit = True
    await serving
