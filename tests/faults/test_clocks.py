"""One clock of a running site is weeks off: no window ends early, and all continues once it is right.

Real processes under libfaketime. SQLite has no clock of its own: the database's is that of
anyone who writes, the worker's for what falls due. All clocks behind but Temporal's is Temporal's ahead.
"""

import os
import platform
import subprocess
import sys
from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import pytest
from sqlalchemy import Engine

from tallystick.crypto.envelope import statement_id
from tallystick.domain.claim.claim import Claim
from tallystick.domain.claim.state import ClaimState
from tallystick.domain.ids import PersonId
from tallystick.domain.kinds import Happening, Kind
from tallystick.domain.periods import Period
from tallystick.domain.statements.acts import Intake, NoticeAcknowledgement
from tallystick.domain.statements.engine import DecisionStatement, Event, Sighting
from tallystick.domain.statements.signed import BY_ENGINE, Entry
from tallystick.limits.steps import GATE_RETRY_MIN
from tallystick.site import Site
from tallystick.store.cases.casefile import load
from tallystick.store.database.session import open_database, reading
from tallystick.store.ledger import ledger
from tests.support.judges.checker import check_answers, check_decisions
from tests.support.judges.history import Told
from tests.support.sites.clocks import CLOCKED, RIGHT, ClockedSite, clocked, environment_of_clock, set_clock
from tests.support.sites.faulty_site import new_site
from tests.support.stories.releases import Release
from tests.support.waits import wait_for
from tests.support.worlds.agreements import ANA, CRITICAL, DORA, KIM, TOM
from tests.support.worlds.quick_agreements import quick_agreement

pytestmark = pytest.mark.skipif(
    (sys.platform, platform.machine()) != ("linux", "x86_64"), reason="libfaketime comes built for these"
)
long_run = pytest.mark.skipif("FAULTS" not in os.environ, reason="runs with make faults")

FAR: Final = timedelta(days=40)
SHORT: Final = Period("PT3S")
LONG: Final = Period("PT2H")
WRONG: Final = [
    pytest.param(process, off_by, id=f"{process}-{'ahead' if off_by > RIGHT else 'behind'}")
    for process in CLOCKED
    for off_by in (FAR, -FAR)
]
TELLS: Final = """
import datetime, sqlite3, time
began = time.monotonic()
print(datetime.datetime.now(datetime.UTC).date())
print(sqlite3.connect(":memory:").execute("SELECT date(CURRENT_TIMESTAMP)").fetchone()[0])
open({clock!r}, "w").write("+0")
print(datetime.datetime.now(datetime.UTC).date())
print(time.monotonic() - began < 60)
"""


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A running site whose clocks are right, and a claim under each name, filed and not accepted yet."""

    site: ClockedSite
    scratch: Path
    database: Engine
    releases: dict[str, Release] = field(default_factory=dict[str, Release])

    def prepare(self, windows: dict[str, Period]) -> None:
        """File claims all at once, each under an agreement with such a window."""
        with ThreadPoolExecutor(len(windows)) as pool:
            self.releases.update(zip(windows, pool.map(self._filed, windows, windows.values()), strict=True))

    @contextmanager
    def wrong(self, off_by: timedelta, *processes: str) -> Generator[None]:
        """Set the clocks of `processes` wrong while the block runs."""
        try:
            for process in processes:
                self.site.set_clock(process, off_by)
            yield
        finally:
            for process in processes:
                self.site.set_clock(process, RIGHT)

    def claim(self, release: Release) -> Claim:
        with reading(self.database) as session:
            return load(session, release.claim).claim

    def goes_on(self, release: Release) -> None:
        """Bring a claim that waits only for its engine to its end, and check its record."""
        release.receive(CRITICAL)
        release.recorded("release-completed")
        release.check_evidence("RELEASED")
        with reading(self.database) as session:
            check_answers(release.history, ledger.entries(session, release.agreement.id))
            check_decisions(load(session, release.claim))

    def _filed(self, name: str, window: Period) -> Release:
        terms = quick_agreement(name, self.site.site.deployment(), window=window)
        release = Release(
            api=self.site.api, database=self.site.database, agreement=terms, scratch=self.scratch
        )
        release.agree()
        release.deposit()
        release.file()
        return release


@contextmanager
def staged(site: Site, scratch: Path, clocks: Sequence[str] = CLOCKED) -> Generator[Stage]:
    with clocked(site, clocks) as running:
        database = open_database(running.settings.database_url)
        stage = Stage(site=running, scratch=scratch, database=database)
        try:
            yield stage
        finally:
            for release in stage.releases.values():
                release.close()
            database.dispose()


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Generator[Stage]:
    folder = tmp_path_factory.mktemp("clocks")
    with staged(new_site(folder), folder) as stage:
        names = ("worker-ahead", "worker-behind", "gate-ahead", "gate-behind", "unseen", "notice")
        stage.prepare(dict.fromkeys(names, SHORT) | {"long": LONG})
        opened(stage.releases["long"], KIM, TOM, ANA)
        yield stage


def opened(release: Release, *approvers: PersonId) -> None:
    """Open the window, and complete the quorum while it runs."""
    release.accept()
    approved(release, *approvers)


def approved(release: Release, *approvers: PersonId) -> None:
    for person in approvers:
        release.approve(person)


def now() -> datetime:
    return datetime.now(UTC)


def happening(claim: Claim, what: Happening) -> tuple[Entry, Event]:
    (only,) = ((entry, body) for entry, body in claim.entries_of(Event) if body.happening is what)
    return only


def refusals(claim: Claim) -> list[tuple[Entry, DecisionStatement]]:
    return [(entry, body) for entry, body in claim.entries_of(DecisionStatement) if not body.released]


def unmet(decision: DecisionStatement) -> set[str]:
    return {verdict.premise for verdict in decision.premises if not verdict.holds}


def test_a_process_has_its_time_of_day_from_its_file_and_its_timers_from_the_machine(tmp_path: Path) -> None:
    clock, today = tmp_path / "a clock", now()
    set_clock(clock, FAR)
    ran = subprocess.run(
        [sys.executable, "-c", TELLS.format(clock=str(clock))],
        env={**os.environ, **environment_of_clock(clock)},
        capture_output=True,
        text=True,
        check=True,
    )
    python, sqlite, mended, steady = ran.stdout.split()
    assert python == sqlite
    assert timedelta(0) <= datetime.fromisoformat(python).date() - (today + FAR).date() <= timedelta(days=1)
    assert mended in {str(today.date()), str(now().date())}
    assert steady == "True"


def test_each_process_but_temporals_server_has_such_a_clock(stage: Stage) -> None:
    assert {name for name in stage.site.stack.pids() if stage.site.is_clocked(name)} == set(CLOCKED)


@pytest.mark.parametrize(("process", "off_by"), WRONG)
def test_a_window_of_hours_stays_open_whichever_clock_is_wrong(
    stage: Stage, process: str, off_by: timedelta
) -> None:
    """The clock jumps while the process runs, in the window of a claim that lacks nothing but its end."""
    release = stage.releases["long"]
    before = stage.claim(release)
    # Two act, so that the workflow has looked in between; the API lets in nobody by a wrong clock.
    acts = [release.act(NoticeAcknowledgement, DORA) for _ in range(2)]
    expected = (Told.REFUSED, "unauthenticated") if process == "api" else (Told.OK, "")
    with stage.wrong(off_by, process):
        for act in acts:
            sent = release.send("acknowledgements", act, DORA)
            assert (sent.told, sent.code) == expected
    for act in acts:
        release.insist("acknowledgements", act, DORA)
    after = stage.claim(release)
    added = [entry.signed.id for entry in after.entries[len(before.entries) :]]
    assert added == [statement_id(act) for act in acts], "nothing but what was said"
    assert after.state is ClaimState.WINDOW


def test_a_worker_that_is_ahead_ends_the_window_when_it_is_over(stage: Stage) -> None:
    release = stage.releases["worker-ahead"]
    release.accept()
    with stage.wrong(FAR, "worker"):
        for person in (KIM, TOM, ANA):
            release.approve(person)
        release.recorded("window-ended")
        seen_at = now()
        release.recorded(f"released {CRITICAL}")
    entry, ended = happening(stage.claim(release), Happening.WINDOW_ENDED)
    assert ended.until is not None
    assert ended.until < entry.accepted_at <= seen_at
    stage.goes_on(release)


def test_a_worker_that_is_behind_says_so_in_its_log_and_the_window_ends_once_it_is_right(
    stage: Stage,
) -> None:
    release = stage.releases["worker-behind"]
    with stage.wrong(-FAR, "worker"):
        opened(release, KIM, TOM, ANA)
        wait_for(lambda: "the clocks do not agree that the time is over" in stage.site.log("worker"))
        claim = stage.claim(release)
        assert claim.window_until is not None
        assert claim.window_until < now()
        assert claim.window_ended_at is None
    release.recorded(f"released {CRITICAL}")
    stage.goes_on(release)


def test_a_gate_that_is_behind_refuses_with_patience_and_releases_once_it_is_right(stage: Stage) -> None:
    release = stage.releases["gate-behind"]
    release.accept()
    release.recorded("sighting")
    with stage.wrong(-FAR, "gate"):
        approved(release, KIM, TOM, ANA)
        release.recorded(f"refused {CRITICAL}")
    release.recorded(f"released {CRITICAL}")
    claim = stage.claim(release)
    asked, asked_again, *_ = (
        entry.accepted_at
        for entry, body in claim.entries_of(Event)
        if body.happening is Happening.QUORUM_REACHED
    )
    (entry, body), *_ = refusals(claim)
    assert "window-over" in unmet(body)
    assert body.decided_at < asked - FAR / 2, "the gate's own clock was asked"
    assert entry.accepted_at >= asked, "recorded when it was asked, at the earliest"
    assert asked_again >= entry.accepted_at + GATE_RETRY_MIN
    stage.goes_on(release)


def test_a_gate_that_is_ahead_counts_no_approval_that_expired_by_its_clock_and_is_asked_again_soon(
    stage: Stage,
) -> None:
    release = stage.releases["gate-ahead"]
    release.accept()
    release.recorded("sighting")
    with stage.wrong(FAR, "gate"):
        approved(release, KIM, TOM, ANA)
        release.recorded(f"refused {CRITICAL}")
    (entry, body), *_ = refusals(stage.claim(release))
    assert unmet(body) == {"quorum-reached"}
    assert entry.accepted_at > now() + FAR / 2, "the gate's own clock was asked"
    release.recorded(f"released {CRITICAL}")
    stage.goes_on(release)


def test_a_gate_whose_clock_is_wrong_sees_no_notice_until_it_is_right_and_then_delays_nothing(
    stage: Stage,
) -> None:
    release = stage.releases["unseen"]
    with stage.wrong(FAR, "gate"):
        opened(release, KIM, TOM, ANA)
        wait_for(lambda: "the gate could not see the notice" in stage.site.log("worker"))
        claim = stage.claim(release)
        assert (claim.state, claim.entries_of(Sighting)) == (ClaimState.WINDOW, ())
    release.recorded(f"released {CRITICAL}")
    stage.goes_on(release)


def test_a_worker_that_is_ahead_gives_no_notice_that_counts_from_a_day_to_come(stage: Stage) -> None:
    """Nobody acknowledges this one: the window opens by the agreement's rule of deemed receipt."""
    release = stage.releases["notice"]
    with stage.wrong(FAR, "worker"):
        release.insist("intakes", release.act(Intake, ANA, accepted=True), ANA)
        wait_for(lambda: "clocks-disagree" in stage.site.log("worker"))
        assert not stage.claim(release).notices
    release.recorded("window-opened")
    ((entry, _),) = stage.claim(release).notices
    assert entry.accepted_at <= now()
    for person in (KIM, TOM, ANA):
        release.approve(person)
    release.recorded(f"released {CRITICAL}")
    stage.goes_on(release)


def test_a_window_of_hours_has_outlived_every_wrong_clock_before(stage: Stage) -> None:
    release = stage.releases["long"]
    assert release.state() == ClaimState.WINDOW
    assert stage.claim(release).window_ended_at is None
    assert stage.claim(release).decided_stages == ()
    engine_made = {entry.signed.kind for entry in stage.claim(release).entries} & BY_ENGINE
    assert engine_made == {Kind.NOTICE, Kind.SIGHTING, Kind.EVENT}


@long_run
@pytest.mark.timeout(300)
def test_temporals_server_alone_is_ahead_and_ends_no_window(tmp_path: Path) -> None:
    """Every other clock is behind; then they are right, and the processes are started again without."""
    site = new_site(tmp_path)
    with staged(site, tmp_path) as stage:
        stage.prepare({"all-behind": SHORT})
        release = stage.releases["all-behind"]
        opened(release, KIM, TOM)
        for process in CLOCKED:
            stage.site.set_clock(process, -FAR)
        release.send("approvals", release.approval(ANA), ANA)
        wait_for(lambda: "the clocks do not agree that the time is over" in stage.site.log("worker"))
        assert stage.claim(release).window_ended_at is None
    with staged(site, tmp_path, clocks=()) as stage:
        assert not any(stage.site.is_clocked(process) for process in CLOCKED)
        stage.releases["all-behind"], release.api = release, stage.site.api
        release.approve(ANA)
        release.recorded(f"released {CRITICAL}")
        stage.goes_on(release)
