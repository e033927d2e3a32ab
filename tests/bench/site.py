"""A real site with agreements and claims on it, and the bare worker beside it."""

import copy
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Final

from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.periods import Period
from tallystick.domain.statements.acts import Intake
from tallystick.settings import Settings
from tallystick.site import settings_of
from tallystick.stack.processes import free_port
from tallystick.stack.stack import Stack, running
from tests.support.sites.faulty_site import new_site
from tests.support.stories.releases import Release
from tests.support.worlds.agreements import ANA
from tests.support.worlds.ledgers import ledger_file
from tests.support.worlds.quick_agreements import quick_agreement

ROOT: Final = Path(__file__).parents[2]
AT_ONCE: Final = 6
CLAIMS_EACH_MAX: Final = 10
"""Under one agreement: anyone who files has all claims under it read."""
_WINDOW: Final = Period("PT2H")
_RECONCILE: Final = timedelta(seconds=30)
"""What it is unless somebody sets it: the embedded stack of the tests looks more often."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchSite:
    """The running site; `folder` is for scratch files on the same disk."""

    settings: Settings
    stack: Stack
    folder: Path

    @property
    def api(self) -> str:
        return self.stack.api_url

    @property
    def database(self) -> Path:
        return ledger_file(self.settings)

    def agreements(self, names: Sequence[str]) -> list[Release]:
        """Register agreements whose windows last for hours, each with a verified deposit."""

        def one(name: str) -> Release:
            made = Release(
                api=self.api,
                database=self.database,
                agreement=self._agreement(name),
                scratch=self.folder,
            )
            made.agree()
            made.deposit()
            assert made.documents, "uploaded before anything is measured"
            return made

        with ThreadPoolExecutor(AT_ONCE) as pool:
            return list(pool.map(one, names))

    def _agreement(self, name: str) -> Agreement:
        """An agreement with many conditions: on each, a party may have one open claim."""
        quick = quick_agreement(name, self.stack.site.deployment(), window=_WINDOW)
        first = quick.conditions[0]
        conditions = tuple(replace(first, id=f"insolvency-{place}") for place in range(CLAIMS_EACH_MAX))
        return replace(quick, conditions=conditions)

    def open_claims(self, under: Sequence[Release], each: int, *, seconds: float = 600.0) -> list[Release]:
        """File and accept `each` claims under every agreement, or as many as `seconds` allow."""
        give_up = time.monotonic() + seconds

        def some(agreement: Release) -> list[Release]:
            made: list[Release] = []
            for condition in agreement.agreement.conditions[:each]:
                if time.monotonic() > give_up:
                    break
                claim = copy.copy(agreement)
                claim.file(condition=condition.id)
                claim.insist("intakes", claim.act(Intake, ANA, accepted=True), ANA)
                made.append(claim)
            return made

        with ThreadPoolExecutor(AT_ONCE) as pool:
            return [claim for claims in pool.map(some, under) for claim in claims]


@contextmanager
def bench_site(folder: Path, tell: Callable[[str], None]) -> Generator[BenchSite]:
    """Run a site, and the floor's worker, while the block runs."""
    site = new_site(folder)
    settings = replace(
        settings_of(site, api_port=free_port(), temporal_port=free_port()), reconcile_every=_RECONCILE
    )
    with running(site, settings, tell) as stack, _floor_worker(settings.temporal_address):
        yield BenchSite(settings=settings, stack=stack, folder=folder)


@contextmanager
def _floor_worker(address: str) -> Generator[None]:
    command = [sys.executable, "-m", "tests.bench.floor", address]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as worker:
        try:
            assert worker.stdout is not None
            assert worker.stdout.readline() == "ready\n", "the floor's worker did not come up"
            yield
        finally:
            worker.terminate()
