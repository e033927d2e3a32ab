"""The embedded stack starts its processes, restarts those that die, and leaves nothing behind."""

import fcntl
import os
import re
import signal
import socket
import sys
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

import pytest
from sqlalchemy import make_url

from tallystick.domain.errors import TallystickError
from tallystick.limits.processes import STACK_RESTART_PAUSE_MAX, STACK_RESTART_PAUSE_MIN
from tallystick.site import Site, prepare, settings_of
from tallystick.stack.processes import StackProcess, free_port
from tallystick.stack.stack import (
    DatabaseUnreachableError,
    PortTakenError,
    Stack,
    StackNotReadyError,
    StackRunsAlreadyError,
    running,
)
from tallystick.store.database.session import DatabaseSetupError
from tests.support.sites.postgresql import PostgresServer, running_postgresql
from tests.support.waits import wait_for

_WAITS = "import signal,sys; print('\"ready\"', flush=True); signal.pause()"
_DIES_SOON = "import time; print('ready', flush=True); time.sleep(0.3)"
_ENDS = "print('no luck', flush=True); raise SystemExit(3)"


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return prepare(tmp_path / "site", deployment="harbour")


def stack_of(
    site: Site,
    programs: Sequence[tuple[str, str]],
    *,
    restart_pause_max: timedelta = STACK_RESTART_PAUSE_MAX,
) -> Stack:
    processes = [
        StackProcess(
            name=name,
            arguments=(sys.executable, "-c", program),
            environment=dict(os.environ),
            ready=lambda log: b"ready" in log.read_bytes(),
        )
        for name, program in programs
    ]
    settings = settings_of(site, api_port=1, temporal_port=2)
    return Stack(site, settings, processes, restart_pause_max=restart_pause_max)


def tended(stack: Stack, told: list[str]) -> int:
    """Tend the stack, and return how many restarts there have been."""
    stack.tend(told.append)
    return len(told)


def tried(stack: Stack, told: list[str], log: Path, tries: set[int]) -> int:
    """Tend the stack, and return how many starts in vain the log has seen, each of which emptied it."""
    stack.tend(told.append)
    tries.add(log.stat().st_mtime_ns)
    return len(tries)


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_every_process_is_awaited_and_none_is_left(site: Site) -> None:
    stack, told = stack_of(site, [("one", _WAITS), ("two", _WAITS)]), list[str]()
    try:
        stack.start(told.append)
        pids = list(stack.pids().values())
        assert told == ["one", "two"]
        assert all(is_alive(pid) for pid in pids)
    finally:
        stack.stop()
    assert not any(is_alive(pid) for pid in pids)


def test_a_process_that_dies_is_started_again(site: Site) -> None:
    stack = stack_of(site, [("one", _WAITS)])
    try:
        stack.start(lambda _: None)
        first = stack.pids()["one"]
        os.kill(first, signal.SIGKILL)
        told = list[str]()
        give_up = time.monotonic() + 10
        while not told and time.monotonic() < give_up:
            stack.tend(told.append)
        assert "one ended with -9" in told[0]
        assert is_alive(stack.pids()["one"])
        assert stack.pids()["one"] != first
    finally:
        stack.stop()


def test_a_process_that_dies_again_and_again_is_tried_ever_more_seldom_and_the_others_work_on(
    site: Site,
) -> None:
    stack, told = stack_of(site, [("steady", _WAITS), ("one", _DIES_SOON)]), list[str]()
    try:
        stack.start(lambda _: None)
        steady = stack.pids()["steady"]
        wait_for(lambda: tended(stack, told) == 2)
        begun = time.monotonic()
        wait_for(lambda: tended(stack, told) == 3)
        assert time.monotonic() - begun > STACK_RESTART_PAUSE_MIN.total_seconds()
        assert is_alive(steady)
        assert stack.pids()["steady"] == steady
    finally:
        stack.stop()
    again = "one ended with 0; restarting it"
    assert told == [again, f"{again} in 1 s", f"{again} in 2 s"]


def test_a_process_that_dies_again_and_again_is_started_at_once_where_no_pause_is_wanted(site: Site) -> None:
    stack = stack_of(site, [("one", _DIES_SOON)], restart_pause_max=timedelta(0))
    told = list[str]()
    try:
        stack.start(lambda _: None)
        wait_for(lambda: tended(stack, told) == 3)
    finally:
        stack.stop()
    assert told == 3 * ["one ended with 0; restarting it"]


def test_a_process_that_cannot_be_started_again_is_reported_once_and_tried_until_it_can(
    site: Site, tmp_path: Path
) -> None:
    program = tmp_path / "program"
    program.symlink_to(sys.executable)
    one = StackProcess(
        name="one",
        arguments=(str(program), "-c", _WAITS),
        environment=dict(os.environ),
        ready=lambda log: b"ready" in log.read_bytes(),
    )
    stack, told = Stack(site, settings_of(site, api_port=1, temporal_port=2), [one]), list[str]()
    try:
        stack.start(lambda _: None)
        log, tries = site.logs / "one.log", set[int]()
        said = log.read_bytes()
        program.rename(tmp_path / "away")
        os.kill(stack.pids()["one"], signal.SIGKILL)
        wait_for(lambda: tended(stack, told) == 2)
        wait_for(lambda: tried(stack, told, log, tries) == 2)
        (tmp_path / "away").rename(program)
        wait_for(lambda: tended(stack, told) == 3)
        assert is_alive(stack.pids()["one"])
        assert (site.logs / "one.log.1").read_bytes() == said  # no failed start has pushed it out
    finally:
        stack.stop()
    assert told == [
        "one ended with -9; restarting it",
        "one cannot be started: No such file or directory; trying again until it can",
        "one is started again",
    ]


def test_a_process_that_cannot_be_started_at_all_is_reported_in_a_sentence(site: Site) -> None:
    absent = StackProcess(name="one", arguments=("/absent",), environment={}, ready=lambda _log: True)
    stack = Stack(site, settings_of(site, api_port=1, temporal_port=2), [absent])
    with pytest.raises(StackNotReadyError, match="one cannot be started: No such file"):
        stack.start(lambda _: None)


def test_a_process_that_fails_to_start_is_reported_with_its_last_words(site: Site) -> None:
    stack = stack_of(site, [("one", _ENDS)])
    try:
        with pytest.raises(StackNotReadyError) as refused:
            stack.start(lambda _: None)
    finally:
        stack.stop()
    assert refused.value.facts["last_lines"] == ["no luck"]


def test_a_second_stack_over_the_same_folder_is_refused(site: Site) -> None:
    settings = settings_of(site, api_port=1, temporal_port=2)
    (site.root / "stack.lock").touch()

    with (site.root / "stack.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(StackRunsAlreadyError), running(site, settings, lambda _: None):
            pass


def test_a_process_that_ended_is_not_ready_although_another_answers_in_its_place(site: Site) -> None:
    def ready(log: Path) -> bool:
        while not (said := log.read_text().split()):
            pass
        os.waitid(os.P_PID, int(said[0]), os.WEXITED | os.WNOWAIT)
        return True

    program = (sys.executable, "-c", "import os; print(os.getpid(), flush=True)")
    ends = StackProcess(name="one", arguments=program, environment=dict(os.environ), ready=ready)
    stack = Stack(site, settings_of(site, api_port=1, temporal_port=2), [ends])
    try:
        with pytest.raises(StackNotReadyError):
            stack.start(lambda _: None)
    finally:
        stack.stop()


def test_a_port_on_which_another_listens_is_refused_before_anything_starts(site: Site) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        settings = settings_of(site, api_port=port, temporal_port=2)
        with pytest.raises(PortTakenError) as refused, running(site, settings, lambda _: None):
            pass
    assert refused.value.facts["port"] == port
    assert list(site.logs.iterdir()) == []


def test_an_unreachable_database_starts_nothing_and_its_password_is_not_shown(site: Site) -> None:
    with closed_port() as port:
        url = f"postgresql+psycopg://anna:hunter2@127.0.0.1:{port}/ledger"
        settings = settings_of(site, api_port=1, temporal_port=2, database_url=url)
        with pytest.raises(DatabaseUnreachableError) as refused, running(site, settings, print):
            raise AssertionError("it started")
    assert f"127.0.0.1:{port}" in refused.value.message
    assert "hunter2" not in str(refused.value)
    assert refused.value.__cause__ is None


@pytest.fixture(scope="module")
def postgresql() -> Generator[PostgresServer]:
    with running_postgresql() as server:
        server.ask_for_password("anna", "s3same")
        yield server


@pytest.mark.parametrize(
    ("who", "database", "expected"),
    [
        ("anna:hunter2", "postgres", DatabaseUnreachableError),
        ("anna", "postgres", DatabaseUnreachableError),
        ("anna:s3same", "absent", DatabaseUnreachableError),
        ("nobody:hunter2", "postgres", DatabaseUnreachableError),
        ("anna:s3same", "postgres", DatabaseSetupError),  # she may make no tables there
    ],
)
def test_a_database_that_lets_this_site_do_nothing_is_reported_in_a_sentence(
    who: str, database: str, expected: type[TallystickError], site: Site, postgresql: PostgresServer
) -> None:
    url = f"postgresql://{who}@/{database}?host={quote(str(postgresql.folder))}"
    settings = settings_of(site, api_port=free_port(), temporal_port=2, database_url=url)
    with pytest.raises(expected) as refused, running(site, settings, print):
        raise AssertionError("it started")
    shown = f"{refused.value.message} {refused.value.facts}"
    assert not {"hunter2", "s3same"} & set(re.findall(r"\w+", shown))
    assert refused.value.__cause__ is None


def test_a_ledger_file_that_is_no_database_is_reported_in_a_sentence(site: Site) -> None:
    content = b"not a database" * 100
    settings = settings_of(site, api_port=free_port(), temporal_port=2)
    database = Path(str(make_url(settings.database_url).database))
    database.write_bytes(content)
    with pytest.raises(DatabaseSetupError), running(site, settings, print):
        raise AssertionError("it started")
    assert database.read_bytes() == content


@contextmanager
def closed_port() -> Generator[int]:
    """A port of this machine that is taken, and at which nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield int(taken.getsockname()[1])
