"""A whole site of real processes that are killed, frozen and started again while people use it.

Who wants a process dead asks from any thread; it is started again by the thread that
started it, because the kernel ends a child together with the thread that made it.
"""

import os
import signal
import threading
import time
from collections.abc import Callable, Generator, Iterable, Mapping
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from tallystick.crypto.enrolment import enrol, public_file_bytes
from tallystick.settings import Settings
from tallystick.site import Site, prepare, settings_of
from tallystick.stack.processes import StackProcess, free_port, processes
from tallystick.stack.stack import Stack, running
from tests.support.worlds.agreements import ANA, PEOPLE
from tests.support.worlds.ledgers import ledger_file

PROCESSES: Final = ("api", "worker", "gate", "temporal")
DEPLOYMENT: Final = "test"
READY_SECONDS_MAX: Final = 60
_LOOK_SECONDS: Final = 0.02
_FROZEN_SECONDS: Final = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault: to which process, and when, by a clock that only goes forward."""

    process: str
    number: signal.Signals
    at: float


@dataclass(slots=True, kw_only=True)
class _Target:
    """One process as a target, for one fault at a time."""

    busy: threading.Lock = field(default_factory=threading.Lock)
    ready: threading.Event = field(default_factory=threading.Event)


class FaultySite:
    """The running site, and how to hurt it. `tend_until` has to run in the thread that made it."""

    def __init__(self, site: Site, settings: Settings, stack: Stack) -> None:
        self.site, self.settings, self._stack = site, settings, stack
        self._processes: Mapping[str, StackProcess] = {one.name: one for one in processes(site, settings)}
        self._targets = {name: _Target() for name in PROCESSES}
        self._starting: set[str] = set()
        self.faults: list[Fault] = []
        for target in self._targets.values():
            target.ready.set()

    @property
    def api(self) -> str:
        return self._stack.api_url

    @property
    def figures(self) -> str:
        return f"http://{self.settings.metrics_address}/metrics"

    @property
    def database(self) -> Path:
        return ledger_file(self.settings)

    def kill(self, process: str, *, after_seconds: float = 0.0) -> Fault:
        """End a process with SIGKILL, and return at once; it is started again."""
        target = self._aim(process)
        try:
            target.ready.clear()
            time.sleep(after_seconds)
            return self._hurt(process, signal.SIGKILL)
        finally:
            target.busy.release()

    def freeze(self, process: str) -> Fault:
        """Stop a process for some seconds, as a machine that swaps does, and then let it continue."""
        target = self._aim(process)
        try:
            return self._freeze(process)
        finally:
            target.busy.release()

    def tend_until(self, done: Callable[[], bool], *, seconds: float) -> None:
        """Start again what was killed until `done`, and longer: until everything is ready."""
        give_up = time.monotonic() + seconds
        while not (done() and all(target.ready.is_set() for target in self._targets.values())):
            assert time.monotonic() < give_up, "the site did not recover"
            self._tend()
            time.sleep(_LOOK_SECONDS)

    def gather(self, work: Iterable[Future[None]], *, seconds: float) -> None:
        """Tend the site until all of `work` is done, and raise what it raised."""
        futures = list(work)
        self.tend_until(lambda: all(one.done() for one in futures), seconds=seconds)
        for one in futures:
            one.result()

    def _aim(self, process: str) -> _Target:
        target = self._targets[process]
        assert target.busy.acquire(timeout=READY_SECONDS_MAX * 2)
        assert target.ready.wait(READY_SECONDS_MAX), f"{process} did not come back"
        return target

    def _freeze(self, process: str) -> Fault:
        fault = self._hurt(process, signal.SIGSTOP)
        time.sleep(_FROZEN_SECONDS)
        self._hurt(process, signal.SIGCONT)
        return fault

    def _hurt(self, process: str, number: signal.Signals) -> Fault:
        fault = Fault(process=process, number=number, at=time.monotonic())
        with suppress(ProcessLookupError):
            os.kill(self._stack.pids()[process], number)
        self.faults.append(fault)
        return fault

    def _tend(self) -> None:
        before = dict(self._stack.pids())
        self._stack.tend(lambda _: None)
        after = self._stack.pids()
        for name, target in self._targets.items():
            if before[name] != after[name]:
                target.ready.clear()
                self._starting.add(name)
            elif name in self._starting and self._is_ready(name):
                self._starting.discard(name)
                target.ready.set()

    def _is_ready(self, name: str) -> bool:
        return self._processes[name].ready(self.site.logs / f"{name}.log")


def new_site(folder: Path) -> Site:
    """A site's folder whose escrow agent is Ana."""
    ana = PEOPLE[ANA]
    enrolled = enrol(
        ANA,
        ana.signing_key,
        age_recipient=str(ana.identity.recipient()),
        issued_at=datetime(2026, 1, 1, tzinfo=UTC),
    )
    public = folder / "ana@harbour.pub"
    public.write_bytes(public_file_bytes(enrolled))
    return prepare(folder / "site", deployment=DEPLOYMENT, root_files=[public])


@contextmanager
def faulty(site: Site) -> Generator[FaultySite]:
    """Run the processes of `site` while the block runs; what is killed is started again without a pause."""
    settings = settings_of(site, api_port=free_port(), temporal_port=free_port(), metrics_port=free_port())
    with running(site, settings, lambda _: None, restart_pause_max=timedelta(0)) as stack:
        yield FaultySite(site, settings, stack)
