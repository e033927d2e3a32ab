"""The API, as `uvicorn api.app:create_app --factory` starts it. It holds no key.

Blocking work runs in threads: FastAPI runs routes that are plain functions there, and
other code says so by name. An answer follows from the record and the moment alone.
"""

import asyncio
import logging
import os
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from datetime import datetime

from fastapi import FastAPI
from temporalio.runtime import Runtime

from api.backend.backend import Backend, EnginePort, open_backend, utc_now
from api.backend.temporal import TemporalEngine
from api.backend.tidying import keep_tidying
from api.http import openapi, problems
from api.http.accepting import UVICORN_SELDOM, NoRoom
from api.http.bounded import Arrivals
from api.http.heads import Heads, OneLength, Unkept
from api.http.metrics import Counting, Metrics
from api.http.metrics_port import served
from api.http.turns import Turns
from api.routes import (
    acts,
    agreements,
    blobs,
    claims,
    deposits,
    drafts,
    events,
    health,
    inbox,
    ledgers,
)
from tallystick import __version__, telemetry
from tallystick.limits.api import THREAD_SWITCH
from tallystick.settings import Settings, read_settings
from workflows.worker.core_logs import core_runtime


def create_app(
    settings: Settings | None = None,
    *,
    engine_port: EnginePort | None = None,
    clock: Callable[[], datetime] = utc_now,
) -> FastAPI:
    """Return the app of one deployment.

    Args:
        settings: Absent: read from the environment, logs go to standard error as JSON, and what keeps the
            process from starting ends it with a sentence there.
        engine_port: The engine; absent: the deployment's Temporal.
        clock: This machine's time.

    Raises:
        TallystickError: The settings are malformed, or what they name cannot be opened.
    """
    if settings is None:
        return _app_of_environment(engine_port, clock)
    backend = open_backend(settings, engine_port or TemporalEngine(settings), clock)
    app = FastAPI(
        title="Tallystick",
        version=__version__,
        description="Multi-party release approval for escrowed software: only signatures decide.",
        openapi_url=None,  # `openapi.install` has the route
        docs_url=None,  # its page would load scripts from elsewhere
        redoc_url=None,
        redirect_slashes=False,
        lifespan=_lifespan,
    )
    app.state.backend = backend
    app.state.turns = Turns()
    app.state.metrics = Metrics(health.figures(backend))
    health.install(app, backend)
    for router in ROUTERS:  # as they are: `include_router` would build each route once more, with its models
        app.router.routes.extend(router.routes)
    problems.install(app)
    openapi.install(app, health.PUBLIC)
    app.add_middleware(Counting, metrics=app.state.metrics)
    app.add_middleware(Heads, has_its_own=lambda path: "HEAD" in problems.methods_at(app, path))
    app.add_middleware(OneLength)
    app.add_middleware(Unkept)
    app.add_middleware(Arrivals)
    return app


def _app_of_environment(engine_port: EnginePort | None, clock: Callable[[], datetime]) -> FastAPI:
    telemetry.configure("api")
    Runtime.set_default(core_runtime(), error_if_already_set=False)
    with telemetry.ending_in_words():
        return create_app(read_settings(os.environ), engine_port=engine_port, clock=clock)


ROUTERS = (
    health.router,
    agreements.router,
    ledgers.router,
    deposits.router,
    blobs.router,
    claims.router,
    acts.router,
    drafts.router,
    events.router,
    inbox.router,
)


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncGenerator[None]:
    backend = app.state.backend
    assert isinstance(backend, Backend)
    # Each step of each answer waits for the threads at work: 5 ms, unless it is said, for each of them.
    sys.setswitchinterval(THREAD_SWITCH.total_seconds())
    asyncio.get_running_loop().set_exception_handler(NoRoom())
    logging.getLogger("uvicorn.error").addFilter(UVICORN_SELDOM)
    tidying = asyncio.create_task(keep_tidying(backend))
    with served(app.state.metrics, backend.settings.metrics_address):
        yield
    tidying.cancel()
    backend.database.dispose()
