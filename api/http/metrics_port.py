"""The figures, on a port of their own: the public address tells nobody what only operators need."""

import socket
import threading
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

import uvicorn
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from api.http.metrics import Metrics
from tallystick.domain.errors import TallystickError
from tallystick.limits.processes import METRICS_READERS_MAX

_STOP_SECONDS_MAX: Final = 5


class MetricsPortError(TallystickError):
    """The figures cannot be served where the settings say."""

    code = "metrics-port"
    why = (
        "The system does not give the process the address of its figures; most often another program has it."
    )
    advice = "Stop that program, or name another address in `TALLYSTICK_METRICS_ADDRESS`."


def metrics_app(metrics: Metrics) -> Starlette:
    """Return the app that answers `GET /metrics` in the text format of Prometheus, and nothing else."""

    def show(_: Request) -> Response:
        return Response(metrics.text(), media_type=CONTENT_TYPE_LATEST)

    return Starlette(routes=[Route("/metrics", show)])


@contextmanager
def served(metrics: Metrics, address: str | None) -> Generator[None]:
    """Serve the figures at `address`, such as 127.0.0.1:9464, while the block runs; nowhere if it is absent.

    Raises:
        MetricsPortError: The address is taken, or is none of this machine's.
    """
    if address is None:
        yield
        return
    host, _, port = address.rpartition(":")
    try:
        listening = socket.create_server((host, int(port)))
    except OSError as error:
        raise MetricsPortError(
            f"cannot listen on {address}", address=address, reason=error.strerror
        ) from None
    config = uvicorn.Config(
        metrics_app(metrics),
        ws="none",
        log_config=None,
        access_log=False,
        limit_concurrency=METRICS_READERS_MAX,
    )
    server = uvicorn.Server(config)
    # In a thread of its own, so that figures are answered however busy the API is; it takes no signals there.
    thread = threading.Thread(target=server.run, args=([listening],), name="metrics", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        thread.join(_STOP_SECONDS_MAX)
        listening.close()
