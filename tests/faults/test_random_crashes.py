"""A seed chooses the claims and the kills: every promise to every client is kept.

`make faults SEEDS=300` runs many; here a few. A failure names its seed: FAULTS_SEED_FROM repeats it.
"""

import os
import random
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Final

import pytest

from tallystick.site import Site
from tallystick.store.database.session import open_database
from tests.support.judges.checker import check
from tests.support.judges.history import percentile
from tests.support.sites.faulty_site import FaultySite, faulty, new_site
from tests.support.stories.releases import Release
from tests.support.stories.stories_at_random import ENDS, PLOTS, Nemesis, Story
from tests.support.worlds.quick_agreements import quick_agreement

SEEDS: Final = int(os.environ.get("FAULTS_SEEDS", "4"))
FIRST: Final = int(os.environ.get("FAULTS_SEED_FROM", "1"))
AT_ONCE: Final = 3  # seeds on one site: six processes killed or stopped within 15 s
CLAIMS: Final = 2


def stories_of(seed: int, site: FaultySite, scratch: Path) -> list[Story]:
    chance = random.Random(seed)  # noqa: S311 - repeatable on purpose
    made: list[Story] = []
    for number in range(CLAIMS):
        name = chance.choice(sorted(PLOTS))
        terms = quick_agreement(
            f"seed-{seed}-{number}", site.site.deployment(), stages=chance.choice((1, 1, 2))
        )
        release = Release(api=site.api, database=site.database, agreement=terms, scratch=scratch)
        made.append(Story(name=name, release=release, ends=ENDS[name]))
    return made


def run_seeds(seeds: Sequence[int], site: Site, scratch: Path) -> list[float]:
    """Run some seeds on one site, and return how long each recovery took."""
    with faulty(site) as running, ThreadPoolExecutor(AT_ONCE * (CLAIMS + 1)) as pool:
        stories = {seed: stories_of(seed, running, scratch) for seed in seeds}
        began, work = time.monotonic(), list[Future[None]]()
        for seed, told in stories.items():
            work += [pool.submit(story.run) for story in told]
            nemesis = Nemesis(seed=seed, site=running)
            work.append(pool.submit(nemesis.run, began, [story.release for story in told]))
        running.gather(work, seconds=400)
    database = open_database(running.settings.database_url)
    for seed, told in stories.items():
        for story in told:
            try:
                check(story.release, site=site, database=database, ends=story.ends)
            except AssertionError as error:
                raise AssertionError(f"seed {seed}, {story.name}: {error}") from error
    database.dispose()
    return [span for told in stories.values() for story in told for span in story.release.history.recoveries]


@pytest.mark.timeout(60 + 120 * SEEDS)
def test_whatever_is_killed_when_no_promise_is_broken(tmp_path: Path) -> None:
    spans: list[float] = []
    report = Path(os.environ.get("FAULTS_REPORT", os.devnull))
    for start in range(FIRST, FIRST + SEEDS, AT_ONCE):
        seeds = range(start, min(start + AT_ONCE, FIRST + SEEDS))
        folder = tmp_path / f"from-{start}"
        folder.mkdir()
        spans += run_seeds(seeds, new_site(folder), folder)
        with report.open("a") as out:
            p50, p99 = percentile(spans, 0.5), percentile(spans, 0.99)
            out.write(
                f"seeds {FIRST} to {seeds[-1]} kept every promise; recovery {p50:.1f} s, p99 {p99:.1f} s\n"
            )
    assert len(spans) >= SEEDS
