"""The embedded stack: a whole site on one machine, from real processes in one data folder.

It starts a Temporal server, the worker, the gate and the API as child processes,
waits until each is ready, restarts one that dies for as long as the site runs, and stops them all in the end.
It imports none of them: the same commands run them anywhere else.
"""

import ctypes
import fcntl
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import BinaryIO, Final

from tallystick.domain.errors import TallystickError
from tallystick.domain.pauses import backoff
from tallystick.limits.processes import (
    STACK_READY_SECONDS_MAX,
    STACK_RESTART_PAUSE_MAX,
    STACK_RESTART_PAUSE_MIN,
    STACK_STEADY_SECONDS,
    STACK_STOP_SECONDS_MAX,
)
from tallystick.regular import open_lock
from tallystick.settings import Settings
from tallystick.site import Site
from tallystick.stack.processes import StackProcess, processes
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


@dataclass(slots=True, kw_only=True)
class _Child:
    """A process that was started.

    Attributes:
        began_at: When that was, by the monotonic clock; 0 once it has ended.
        again_at: When the next start is due, once it has ended.
        failures: How often it has ended soon, or could not be started, since it last ran for a while.
        hindrance: Why it could not be started at the last try.
    """

    process: StackProcess
    log: Path
    running: subprocess.Popen[bytes]
    began_at: float
    again_at: float = 0
    failures: int = 0
    hindrance: str = ""

    def failed(self, now: float, pause_max: timedelta) -> float:
        """Count a failure, and return the seconds until the next start: none at first, then ever more."""
        if self.began_at and now - self.began_at >= STACK_STEADY_SECONDS:
            self.failures = 0
        self.failures, self.began_at = self.failures + 1, 0
        pause = timedelta()
        if self.failures > 1:
            pause = backoff(self.failures - 1, STACK_RESTART_PAUSE_MIN, pause_max)
        self.again_at = now + pause.total_seconds()
        return pause.total_seconds()


class Stack:
    """The running processes of one site; get it from `running`, which stops them whatever happens.

    `restart_pause_max` bounds the pause before a process that ended again and again is started again. Zero
    suits a site whose processes are killed on purpose: none of them ends by a fault that lasts.
    """

    def __init__(
        self,
        site: Site,
        settings: Settings,
        processes: Sequence[StackProcess],
        *,
        restart_pause_max: timedelta = STACK_RESTART_PAUSE_MAX,
    ) -> None:
        self.site = site
        self.settings = settings
        self._processes = processes
        self._restart_pause_max = restart_pause_max
        self._children: list[_Child] = []

    @property
    def api_url(self) -> str:
        """The API's URL."""
        return f"http://{self.settings.api_host}:{self.settings.api_port}"

    def start(self, tell: Callable[[str], None]) -> None:
        """Start every process, each once the one before it is ready; pass the name of each to `tell`.

        Raises:
            StackNotReadyError: One could not be started, or did not come up in time.
        """
        for process in self._processes:
            running, log = self._spawn(process)
            child = _Child(process=process, log=log, running=running, began_at=time.monotonic())
            self._children.append(child)
            self._await_ready(child)
            tell(process.name)

    def tend(self, tell: Callable[[str], None]) -> None:
        """Restart every process that has died, and pass a line about it to `tell`.

        One that dies again, or that this machine cannot start at the moment, is tried again ever more seldom:
        the others work on, and the site is whole as soon as what hinders it has passed.
        """
        now = time.monotonic()
        for child in self._children:
            if child.running.poll() is None:
                continue
            if child.began_at:
                pause = child.failed(now, self._restart_pause_max)
                when = f" in {pause:.0f} s" if pause else ""
                tell(f"{child.process.name} ended with {child.running.returncode}; restarting it{when}")
            if now >= child.again_at:
                self._restart(child, now, tell)

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

    def _restart(self, child: _Child, now: float, tell: Callable[[str], None]) -> None:
        """Start a process that has ended, or say why it cannot be started now, if that is news."""
        try:
            child.running, child.log = self._spawn(child.process)
        except StackNotReadyError as error:
            child.failed(now, self._restart_pause_max)
            if error.message != child.hindrance:
                tell(f"{error.message}; trying again until it can")
            child.hindrance = error.message
            return
        if child.hindrance:
            tell(f"{child.process.name} is started again")
        child.began_at, child.hindrance = now, ""

    def _spawn(self, process: StackProcess) -> tuple[subprocess.Popen[bytes], Path]:
        """Start a process, and return it with the log to which it writes.

        Raises:
            StackNotReadyError: This machine cannot start it, at least at the moment.
        """
        try:
            log = self.site.new_log(process.name)
            with log.open("wb") as out:
                return _popen(process, out), log
        except (OSError, subprocess.SubprocessError, MemoryError) as error:
            reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
            raise StackNotReadyError(
                f"{process.name} cannot be started: {reason}", reason=reason, log=str(self.site.logs)
            ) from error

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
def running(
    site: Site,
    settings: Settings,
    tell: Callable[[str], None],
    *,
    restart_pause_max: timedelta = STACK_RESTART_PAUSE_MAX,
) -> Generator[Stack, None, None]:
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
        stack = Stack(site, settings, processes(site, settings), restart_pause_max=restart_pause_max)
        try:
            stack.start(tell)
            yield stack
        finally:
            stack.stop()


def _popen(process: StackProcess, out: BinaryIO) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603 - our own commands
        process.arguments,
        env=dict(process.environment),
        stdin=subprocess.DEVNULL,
        stdout=out,
        stderr=subprocess.STDOUT,
        start_new_session=True,  # Ctrl-C reaches only us; we stop the children in order
        preexec_fn=_die_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509
    )


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


def _refuse_taken(host: str, port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the server does
        try:
            probe.bind((host, port))
        except OSError as error:
            raise PortTakenError(
                f"the API cannot listen on port {port}", port=port, reason=error.strerror
            ) from None


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
