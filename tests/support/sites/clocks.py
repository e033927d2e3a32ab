"""A whole site of real processes whose clocks can be set one by one, while they run: by libfaketime.

Each process reads its own clock from a file of its own. Only the time of day is moved:
timers, timeouts and sleeps go by the monotonic clock, as they do when an operator sets
the time. Temporal's server, a static program, keeps the real time.
"""

import importlib.util
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Final

from tallystick.settings import Settings
from tallystick.site import Site, settings_of
from tallystick.stack.processes import StackProcess, free_port, processes
from tallystick.stack.stack import Stack
from tallystick.store.database.session import open_database
from tallystick.store.database.tables import create_tables
from tests.support.worlds.ledgers import ledger_file

CLOCKED: Final = ("worker", "gate", "api")
RIGHT: Final = timedelta(0)
_LIBRARY: Final = "libfaketime.so.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockedSite:
    """A running site; `set_clock` changes the time of day that one of its processes sees."""

    site: Site
    settings: Settings
    stack: Stack

    @property
    def api(self) -> str:
        return self.stack.api_url

    @property
    def database(self) -> Path:
        return ledger_file(self.settings)

    def set_clock(self, process: str, off_by: timedelta) -> None:
        """Move the clock of a process, from its next look at the time on."""
        set_clock(_clock_file(self.site, process), off_by)

    def log(self, process: str) -> str:
        return (self.site.logs / f"{process}.log").read_text(errors="replace")

    def is_clocked(self, process: str) -> bool:
        """Whether a process really runs with a clock that can be set."""
        return _LIBRARY in Path(f"/proc/{self.stack.pids()[process]}/maps").read_text()


@contextmanager
def clocked(site: Site, clocks: Sequence[str] = CLOCKED) -> Generator[ClockedSite]:
    """Run the processes of `site` during the block, those in `clocks` with a clock that can be set."""
    settings = settings_of(site, api_port=free_port(), temporal_port=free_port())
    create_tables(open_database(settings.database_url))
    stack = Stack(site, settings, [_dressed(one, site, clocks) for one in processes(site, settings)])
    try:
        stack.start(lambda _: None)
        yield ClockedSite(site=site, settings=settings, stack=stack)
    finally:
        stack.stop()


def set_clock(clock: Path, off_by: timedelta) -> None:
    """Write atomically into the file `clock` how far off a process that reads it shall be."""
    fresh = clock.with_suffix(".new")
    fresh.write_text(f"{off_by.total_seconds():+.0f}\n")
    fresh.replace(clock)


def environment_of_clock(clock: Path) -> Mapping[str, str]:
    """Return the environment for a process whose time of day is off by what `clock` says."""
    package = importlib.util.find_spec("libfaketime")
    assert package is not None, "the package libfaketime brings the library"
    assert package.origin is not None
    return {
        # By folder and name: a path in LD_PRELOAD may not have a space in it.
        "LD_LIBRARY_PATH": str(Path(package.origin).parent / "vendor" / "libfaketime" / "src"),
        "LD_PRELOAD": _LIBRARY,
        "FAKETIME_TIMESTAMP_FILE": str(clock),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "FAKETIME_FORCE_MONOTONIC_FIX": "0",
    }


def _dressed(process: StackProcess, site: Site, clocks: Sequence[str]) -> StackProcess:
    """Return `process`, with a clock that can be set if it is one of `clocks`."""
    if process.name not in clocks:
        return process
    clock = _clock_file(site, process.name)
    set_clock(clock, RIGHT)
    return replace(process, environment={**process.environment, **environment_of_clock(clock)})


def _clock_file(site: Site, process: str) -> Path:
    return site.root / f"{process}.clock"
