"""A stage whose commands fail is tried again; only a person or the end of its window makes it a failure."""

import os
import select
import signal
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from tallystick.domain.instants import FIRST, LAST
from tallystick.limits.desk import COMMAND_LOG_BYTES_MAX
from tallystick.receiver.commands import CommandNotStartedError, Commands
from tallystick.receiver.delivery import OfferedStage
from tallystick.receiver.receiver import OWN_FOLDER, receive
from tallystick.receiver.trying import time_left
from tests.support.receivers import FAILS, PASSES, active, receive_all, setting
from tests.support.worlds.agreements import PROVISIONAL
from tests.support.worlds.deliveries import Release
from tests.support.worlds.escrows import FolderEscrow


def test_failed_try_is_not_reported_and_the_next_may_succeed(escrow: FolderEscrow, tmp_path: Path) -> None:
    there = tmp_path / "there"
    work = setting(escrow, tmp_path / "bank", commands=Commands(health=("test", "-e", str(there))))
    done = receive(work, escrow.release.claim)
    (trying,) = done.trying
    assert (done.reported, escrow.receipts(), active(tmp_path / "bank")) == ((), [], {})
    assert (trying.fault, trying.until) == (
        "the health check ended with exit code 1",
        escrow.now + timedelta(hours=48),
    )
    there.touch()
    assert receive(work, escrow.release.claim).reported == (), "its pause is not over"
    escrow.happens(lambda world: world.passes(timedelta(seconds=5)))
    receive(work, escrow.release.claim)
    assert escrow.outcomes() == [(PROVISIONAL, "activated")]


def test_version_before_serves_between_tries(
    escrow: FolderEscrow, next_release: Release, tmp_path: Path
) -> None:
    bank = tmp_path / "bank"
    receive_all(setting(escrow, bank), escrow.release.claim)
    before = active(bank)
    newer = FolderEscrow(tmp_path / "newer", next_release)
    receive(setting(newer, bank, commands=Commands(activate=FAILS)), next_release.claim)
    assert (active(bank), newer.receipts()) == (before, [])
    receive(setting(newer, bank, at_once=True), next_release.claim)
    assert active(bank) != before


def test_pauses_between_tries_grow_to_five_minutes(escrow: FolderEscrow, tmp_path: Path) -> None:
    work = setting(escrow, tmp_path / "bank", commands=Commands(activate=FAILS), at_once=True)
    pauses: list[float] = []
    for _ in range(9):
        (trying,) = receive(work, escrow.release.claim).trying
        pauses.append((trying.again_at - escrow.now).total_seconds())
    assert pauses == [5, 10, 20, 40, 80, 160, 300, 300, 300]


def test_failure_is_reported_when_no_other_try_fits_into_the_window(
    escrow: FolderEscrow, tmp_path: Path
) -> None:
    work = setting(escrow, tmp_path / "bank", commands=Commands(activate=FAILS))
    end = escrow.now + timedelta(hours=48)
    escrow.happens(lambda world: world.at(end - timedelta(seconds=26)))
    assert receive(work, escrow.release.claim).reported == ()
    escrow.happens(lambda world: world.at(end - timedelta(seconds=21)))
    receive(work, escrow.release.claim)
    assert escrow.outcomes() == [(PROVISIONAL, "failed")]


def test_command_may_not_run_longer_than_its_window_lasts(escrow: FolderEscrow, tmp_path: Path) -> None:
    end = escrow.now + timedelta(hours=48)
    escrow.happens(lambda world: world.at(end - timedelta(seconds=20)))
    work = setting(escrow, tmp_path / "bank", commands=Commands(activate=("sleep", "600")))
    receive(work, escrow.release.claim)
    assert escrow.receipts()[0].detail == "activation did not end within 1 s"


def test_log_of_a_command_that_talks_without_an_end_stays_bounded(
    escrow: FolderEscrow, tmp_path: Path
) -> None:
    bank = tmp_path / "bank"
    size, most = f"$(stat -c %s {bank}/{OWN_FOLDER}/logs/*)", COMMAND_LOG_BYTES_MAX
    talks = f"head -c {most + 1} /dev/zero; while [ {size} -gt {most} ]; do :; done; echo the end"
    commands = Commands(activate=("bash", "-c", talks), time_max=timedelta(seconds=20))
    receive(setting(escrow, bank, commands=commands, give_up=True), escrow.release.claim)
    (log,) = (bank / OWN_FOLDER / "logs").iterdir()
    lines = sorted(log.read_bytes().splitlines())  # a command may write before the note stands
    assert lines == [b"[tallystick: the log was full, and what it had was dropped]", b"the end"]
    assert escrow.outcomes() == [(PROVISIONAL, "activated")], "it is no failure to say much"


def test_log_that_a_command_fills_at_its_end_is_bounded_as_well(escrow: FolderEscrow, tmp_path: Path) -> None:
    bank = tmp_path / "bank"
    talks = ("head", "-c", str(COMMAND_LOG_BYTES_MAX + 1), "/dev/zero")
    receive(setting(escrow, bank, commands=Commands(activate=talks)), escrow.release.claim)
    (log,) = (bank / OWN_FOLDER / "logs").iterdir()
    assert log.stat().st_size < COMMAND_LOG_BYTES_MAX


def test_what_a_failed_command_left_at_work_ends_with_it(escrow: FolderEscrow, tmp_path: Path) -> None:
    """The background process holds a pipe open: whoever reads it sees the end once the process has ended."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reads = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    leaves = f"exec 3> {pipe}; sleep 600 & exit 3"
    work = setting(escrow, tmp_path / "bank", commands=Commands(activate=("bash", "-c", leaves)))
    (trying,) = receive(work, escrow.release.claim).trying
    assert trying.fault == "activation ended with exit code 3"
    os.set_blocking(reads, True)
    ready, _, _ = select.select([reads], [], [], 30)
    assert ready, "its background process still has the pipe open"
    assert os.read(reads, 1) == b""
    os.close(reads)


def test_command_that_cannot_be_started_is_never_reported(escrow: FolderEscrow, tmp_path: Path) -> None:
    command = tmp_path / "command"
    command.write_text("#!/no/such/interpreter\n")
    command.chmod(0o755)
    commands = Commands(activate=(str(command),))
    assert commands.fault() is None, "it can only be found out by starting it"
    work = setting(escrow, tmp_path / "bank", commands=commands, give_up=True)
    with pytest.raises(CommandNotStartedError, match="cannot start"):
        receive(work, escrow.release.claim)
    assert (escrow.receipts(), active(tmp_path / "bank")) == ([], {})
    receive(replace(work, commands=Commands(activate=PASSES)), escrow.release.claim)
    assert escrow.outcomes() == [(PROVISIONAL, "activated")]


@pytest.mark.parametrize(
    ("activate", "health", "told"),
    [
        (PASSES, PASSES, "activated and healthy"),
        (PASSES, (), "activated; its health was not checked"),
        ((), PASSES, "switched to and healthy; no command activated it"),
        ((), (), "switched to; no command activated it or checked its health"),
    ],
)
def test_receipt_says_what_was_run_and_what_was_not(
    activate: tuple[str, ...], health: tuple[str, ...], told: str, escrow: FolderEscrow, tmp_path: Path
) -> None:
    work = setting(escrow, tmp_path / "bank", commands=Commands(activate=activate, health=health))
    receive(work, escrow.release.claim)
    assert escrow.receipts()[0].detail == told


# What a command inherits.

_LOOK = """
import os, signal
print(oct(os.umask(0)))
print(sorted(map(int, os.listdir("/proc/self/fd"))))
print(signal.pthread_sigmask(signal.SIG_BLOCK, []))
print(sorted(name for name in os.environ if name.startswith("TALLYSTICK")))
"""


def test_command_inherits_nothing_of_the_receivers_own(
    escrow: FolderEscrow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("TALLYSTICK_KEY", "TALLYSTICK_API", "TALLYSTICK_DATABASE_URL"):
        monkeypatch.setenv(name, "secret")
    before = os.umask(0o027)
    try:
        work = setting(
            escrow, tmp_path / "bank", commands=Commands(activate=(sys.executable, "-I", "-c", _LOOK))
        )
        receive(work, escrow.release.claim)
        assert os.umask(0o027) == 0o027, "and its own umask is what it was"
    finally:
        os.umask(before)
    (log,) = (tmp_path / "bank" / ".tallystick" / "logs").iterdir()
    umask, files, mask, names = log.read_text().splitlines()
    assert (umask, mask) == ("0o27", "set()")
    assert files == "[0, 1, 2, 3]", "the last is the listing's own"
    assert names == "['TALLYSTICK_CLAIM', 'TALLYSTICK_DIR', 'TALLYSTICK_STAGE', 'TALLYSTICK_VERSION']"
    assert log.stat().st_mode & 0o077 == 0


def test_a_receiver_that_is_ended_leaves_no_command_at_work(escrow: FolderEscrow, tmp_path: Path) -> None:
    noted = tmp_path / "pid"
    ends_us = ("sh", "-c", f"echo $$ > {noted}; kill -INT $PPID; sleep 600")
    work = setting(escrow, tmp_path / "bank", commands=Commands(activate=ends_us))
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            receive(work, escrow.release.claim)
    finally:
        signal.signal(signal.SIGINT, before)
    with pytest.raises(ProcessLookupError):
        os.kill(int(noted.read_text()), 0)
    assert escrow.receipts() == []


def test_a_stage_to_be_reported_in_the_year_1_leaves_the_shortest_time() -> None:
    offered = OfferedStage(stage=PROVISIONAL, report_until=FIRST, components=())
    assert time_left(offered, LAST) == timedelta(seconds=1)
