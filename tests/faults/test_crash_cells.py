"""Every process of a site is killed at every point of a release; what was acknowledged is there once.

A cell is a point, a process, and a side of the answer. Each has a claim of its own; all
run on one site at once, so that what one kill does to the others is tried as well.
`make faults` runs both sides of all cells, `make crash-cells` one of each.
"""

import itertools
import os
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pytest

from tallystick.site import Site
from tallystick.store.database.session import open_database
from tests.support.judges.checker import check
from tests.support.judges.history import percentile
from tests.support.sites.faulty_site import PROCESSES, FaultySite, faulty, new_site
from tests.support.stories.releases import Point, Release, When
from tests.support.worlds.quick_agreements import quick_agreement

AT_ONCE: Final = int(os.environ.get("FAULTS_AT_ONCE", "8"))
"""One at a time, recovery is from one fault; several at once, others come while it recovers."""
DELAYS: Final = (0.005, 0.02, 0.06, 0.15)
"""Seconds after a request was begun; an answer takes from 0.05 to 1 s."""
FROZEN_AT: Final = Point.QUORUM
BOTH_SIDES: Final = os.environ.get("FAULTS") != "cells"
RECOVERY_P99_SECONDS_MAX: Final = 60.0
"""What I-11 promises; docs/testing.md has what was measured."""


@dataclass(kw_only=True)
class Cell:
    """One fault at one point of one release."""

    number: int
    point: Point
    process: str
    side: When
    freeze: bool = False
    site: FaultySite | None = None
    release: Release | None = None
    pending: list[threading.Thread] = field(default_factory=list[threading.Thread])

    @property
    def name(self) -> str:
        what = "frozen" if self.freeze else "killed"
        return f"{self.process} {what}: {self.point}, {self.side}"

    def reached(self, point: Point, side: When) -> None:
        """Do this cell's fault when its release reaches the point."""
        if (point, side) != (self.point, self.side):
            return
        assert self.site is not None
        if side is When.AFTER:
            self._hurt(0.0)
            return
        shot = threading.Thread(target=self._hurt, args=(DELAYS[self.number % len(DELAYS)],))
        shot.start()
        self.pending.append(shot)

    def _hurt(self, after_seconds: float) -> None:
        assert self.site is not None
        assert self.release is not None
        fault = (
            self.site.freeze(self.process)
            if self.freeze
            else self.site.kill(self.process, after_seconds=after_seconds)
        )
        self.release.history.hurt(fault.at)

    def run(self) -> None:
        assert self.release is not None
        try:
            self.release.run()
        except AssertionError as error:
            raise AssertionError(f"{self.name}: {error}") from error
        finally:
            for shot in self.pending:
                shot.join()
            self.release.close()


def cells() -> list[Cell]:
    """The kills, each on one side of the answer or on both, and a process frozen for some seconds."""
    numbers = itertools.count()
    made = [
        Cell(number=next(numbers), point=point, process=process, side=side)
        for (row, point), (column, process) in itertools.product(enumerate(Point), enumerate(PROCESSES))
        for place, side in enumerate(When)
        if BOTH_SIDES or (row + column) % 2 == place
    ]
    frozen = [
        Cell(number=next(numbers), point=FROZEN_AT, process=process, side=When.BEFORE, freeze=True)
        for process in PROCESSES
    ]
    return [*made, *frozen]


@dataclass(frozen=True, kw_only=True)
class Ran:
    """The results, once all cells have run."""

    site: Site
    cells: Sequence[Cell]


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    folder = tmp_path_factory.mktemp("cells")
    site, wanted = new_site(folder), cells()
    run_on_one_site(site, wanted, folder)
    return Ran(site=site, cells=wanted)


def run_on_one_site(site: Site, wanted: Sequence[Cell], folder: Path) -> None:
    with faulty(site) as running, ThreadPoolExecutor(AT_ONCE) as pool:
        for cell in wanted:
            cell.site, cell.release = (
                running,
                Release(
                    api=running.api,
                    database=running.database,
                    agreement=quick_agreement(f"cell-{cell.number}", site.deployment()),
                    scratch=folder,
                    at=cell.reached,
                ),
            )
        running.gather([pool.submit(cell.run) for cell in wanted], seconds=1800)


@pytest.mark.timeout(900)
def test_every_release_comes_to_its_end_and_every_promise_was_kept(ran: Ran) -> None:
    database = open_database(f"sqlite:///{ran.site.root}/tallystick.db")
    for cell in ran.cells:
        assert cell.release is not None
        check(cell.release, site=ran.site, database=database)
    database.dispose()


@pytest.mark.timeout(900)
def test_every_cell_hurt_somebody_and_the_next_act_was_acknowledged_in_time(ran: Ran) -> None:
    spans = [span for cell in ran.cells if cell.release for span in cell.release.history.recoveries]
    assert len(spans) >= len(ran.cells) * 9 // 10
    kills = {(cell.point, cell.process) for cell in ran.cells if not cell.freeze}
    assert len(kills) == len(Point) * len(PROCESSES)
    p50, p99 = percentile(spans, 0.5), percentile(spans, 0.99)
    told = f"{len(ran.cells)} cells, recovery p50 {p50:.1f} s, p99 {p99:.1f} s, worst {max(spans):.1f} s"
    report = Path(os.environ.get("FAULTS_REPORT", os.devnull))
    with report.open("a") as out:
        out.write(told + "\n")
    assert p99 < RECOVERY_P99_SECONDS_MAX, told
