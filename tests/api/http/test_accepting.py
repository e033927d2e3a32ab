"""More connections than a process has descriptors: it says so once, and serves again when they are gone."""

import os
import resource
import subprocess
import sys
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from socket import SHUT_WR, create_connection, create_server

import httpx

from tests.support.waits import wait_for

DESCRIPTORS = 96
LOG_BYTES_MAX = 100_000


@contextmanager
def api_with_few_descriptors(folder: Path, port: int) -> Generator[Path]:
    settings = {"TALLYSTICK_DATA": str(folder), "TALLYSTICK_DEPLOYMENT": "harbour"}
    served = ("--http", "api.http.connections:Connection", "--port", str(port), "--no-access-log")
    log = folder / "log"
    with log.open("wb") as out:
        running = subprocess.Popen(
            [sys.executable, "-m", "uvicorn", "api.app:create_app", "--factory", *served],
            env={**os.environ, **settings},
            stdout=out,
            stderr=out,
        )
    resource.prlimit(running.pid, resource.RLIMIT_NOFILE, (DESCRIPTORS, DESCRIPTORS))
    try:
        yield log
    finally:
        running.terminate()
        running.wait(30)


def answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/healthz", timeout=2).status_code == 200
    except httpx.TransportError:
        return False


def test_a_flood_of_connections_leaves_a_short_log_and_the_api_serves_again(tmp_path: Path) -> None:
    with create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    with api_with_few_descriptors(tmp_path, port) as log:
        wait_for(lambda: answers(port))
        with ExitStack() as crowd:
            for _ in range(2 * DESCRIPTORS):
                crowd.enter_context(create_connection(("127.0.0.1", port), timeout=2))
            wait_for(lambda: "no room for" in log.read_text() or log.stat().st_size > LOG_BYTES_MAX)
            assert not answers(port)
        wait_for(lambda: answers(port))
        said = log.read_text()
    assert said.count("no room for another connection") == 1
    assert len(said) < LOG_BYTES_MAX


def test_what_anybodys_connections_cause_is_a_line_a_minute_and_no_defect(tmp_path: Path) -> None:
    with create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    json = b"host: escrow\r\ncontent-type: application/json\r\n"
    half = b"POST /v1/claims HTTP/1.1\r\n" + json + b"content-length: 9\r\n\r\n{"
    upgrade = b"GET /healthz HTTP/1.1\r\n" + json + b"connection: upgrade\r\nupgrade: websocket\r\n\r\n"
    with api_with_few_descriptors(tmp_path, port) as log:
        wait_for(lambda: answers(port))
        for sent in (b"no HTTP\r\n\r\n", upgrade, half) * 8:
            with create_connection(("127.0.0.1", port), timeout=10) as stranger:
                stranger.sendall(sent)
                stranger.shutdown(SHUT_WR)
                stranger.recv(65536)
        assert answers(port)
        said = log.read_text()
    assert said.count("Invalid HTTP request") == 1
    assert "upgrade" not in said.lower()
    assert "Exception in ASGI application" not in said
    assert "ClientDisconnect" not in said
