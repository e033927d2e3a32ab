"""The receiver dies at a step, as if its power had been cut, and another one finishes; and one at a time."""

import os
import signal
import sys
from collections.abc import Callable, Mapping
from datetime import timedelta
from itertools import count
from pathlib import Path

import pytest

from tallystick.domain.ids import Digest
from tallystick.durable import make_private
from tallystick.limits.logs import EVIDENCE_ENTRIES_MAX
from tallystick.receiver.commands import Commands
from tallystick.receiver.delivery import DeliveryRefusedError
from tallystick.receiver.fence import (
    Fence,
    ReceiverBusyError,
    ReceiverOvertakenError,
    fenced,
)
from tallystick.receiver.logbook import Logbook, Progress, StageNote
from tallystick.receiver.receiver import OWN_FOLDER, receive
from tallystick.receiver.versions import Versions
from tests.support.receivers import ALL, FAILS, active, killed_at, payloads, receive_all, setting
from tests.support.worlds.agreements import CRITICAL, PROVISIONAL
from tests.support.worlds.deliveries import Release
from tests.support.worlds.escrows import FolderEscrow

FORWARD = (
    "opened",
    "adopted",
    "staged",
    "switched",
    "checked",
    "active",
    "signed-activated",
    "reported-activated",
)
BACKWARD = ("checked", "failed", "switched-back", "signed-failed", "reported-failed")
IN_USE = {"active": "old", "opened": "new", "current": "old"}
OVERTAKEN = 7
UNDOING = ("switched-back", "went-back", "removed", "undone", "signed-rolled_back", "reported-rolled_back")


@pytest.mark.parametrize("step", FORWARD)
def test_receiver_killed_on_the_way_forward_is_finished_by_the_next(
    step: str, escrow: FolderEscrow, tmp_path: Path
) -> None:
    work = setting(escrow, tmp_path / "bank")
    assert killed_at(step, work, escrow.release.claim)
    receive_all(work, escrow.release.claim)
    assert payloads(tmp_path / "bank") == ALL
    assert escrow.outcomes() == [(PROVISIONAL, "activated"), (CRITICAL, "activated")]
    assert list((tmp_path / "bank" / OWN_FOLDER / "work").iterdir()) == []


@pytest.mark.parametrize("step", BACKWARD)
def test_receiver_killed_after_a_failure_goes_back_all_the_same(
    step: str, escrow: FolderEscrow, next_release: Release, tmp_path: Path
) -> None:
    bank = tmp_path / "bank"
    receive_all(setting(escrow, bank), escrow.release.claim)
    before = active(bank)
    newer = FolderEscrow(tmp_path / "newer", next_release, stages=(PROVISIONAL,))
    work = setting(newer, bank, commands=Commands(health=FAILS), give_up=True)
    assert killed_at(step, work, next_release.claim)
    receive(work, next_release.claim)
    receive(work, next_release.claim)
    assert active(bank) == before
    assert newer.outcomes() == [(PROVISIONAL, "failed"), (PROVISIONAL, "rolled_back")]


@pytest.mark.parametrize("step", UNDOING)
def test_receiver_killed_while_it_rolls_back_is_finished_by_the_next(
    step: str, escrow: FolderEscrow, next_release: Release, tmp_path: Path
) -> None:
    bank = tmp_path / "bank"
    receive_all(setting(escrow, bank), escrow.release.claim)
    before = active(bank)
    newer = FolderEscrow(tmp_path / "newer", next_release, stages=(PROVISIONAL,))
    work = setting(newer, bank)
    receive(work, next_release.claim)
    newer.undo_all()
    assert killed_at(step, work, next_release.claim)
    receive(work, next_release.claim)
    assert active(bank) == before
    assert newer.outcomes() == [(PROVISIONAL, "activated"), (PROVISIONAL, "rolled_back")]


# One receiver at a time.


def test_second_receiver_in_one_folder_is_refused(tmp_path: Path) -> None:
    with fenced(tmp_path), pytest.raises(ReceiverBusyError), fenced(tmp_path):
        pass


def test_overtaken_receiver_switches_nothing(tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    with fenced(tmp_path / "own") as stale:
        versions = Versions(tmp_path / "bank", stale)
    with fenced(tmp_path / "own") as fresh:
        fresh.check()
        with pytest.raises(ReceiverOvertakenError):
            versions.switch(PROVISIONAL, "version")
    assert versions.active(PROVISIONAL) is None


CHANGES: Mapping[str, Callable[[Fence, Path], None]] = {
    "write": lambda fence, bank: fence.write(bank / "note", b"stale"),
    "link": lambda fence, bank: fence.link(bank / "current", Path("stale")),
    "move": lambda fence, bank: fence.move(bank / "opened", bank / "version"),
    "remove": lambda fence, bank: fence.remove(bank / "active"),
    "remove link": lambda fence, bank: fence.remove(bank / "current"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_receiver_that_was_overtaken_changes_nothing(change: str, tmp_path: Path) -> None:
    bank = folder_in_use(tmp_path)
    with fenced(tmp_path / "own") as stale:
        pass
    with fenced(tmp_path / "own"), pytest.raises(ReceiverOvertakenError):
        CHANGES[change](stale, bank)
    assert in_use(bank) == IN_USE


@pytest.mark.parametrize("change", CHANGES)
def test_receiver_that_is_stopped_right_before_the_change_while_another_takes_over_changes_nothing(
    change: str, tmp_path: Path
) -> None:
    bank = folder_in_use(tmp_path)
    stale = stopped_before_its_last_rename(change, tmp_path / "own", bank)
    (tmp_path / "own" / "lock").unlink()  # as a file system that forgets its locks
    with fenced(tmp_path / "own"):
        os.kill(stale, signal.SIGCONT)
        assert os.waitstatus_to_exitcode(os.waitpid(stale, 0)[1]) == OVERTAKEN
    assert {**in_use(bank), "opened": "new"} == IN_USE


def test_files_that_a_receiver_left_on_their_way_are_gone_at_the_next_start(tmp_path: Path) -> None:
    with fenced(tmp_path):
        (turn,) = tmp_path.glob("turn.*")
        (turn / "half").mkdir()
        (turn / "half" / "file").write_text("plaintext")
        (turn / "link").symlink_to("half")
    with fenced(tmp_path):
        (turn,) = tmp_path.glob("turn.*")
        assert list(turn.iterdir()) == []


def test_folder_that_was_restored_with_several_turns_has_one_receiver(tmp_path: Path) -> None:
    for name in ("turn.a", "turn.b"):
        (tmp_path / name).mkdir()
    with fenced(tmp_path) as fence:
        fence.check()
        assert len(list(tmp_path.glob("turn.*"))) == 1
        for name in ("turn.a", "turn.b"):
            with pytest.raises(ReceiverOvertakenError):
                Fence(tmp_path / name).check()


def test_what_is_missing_by_itself_is_not_taken_for_an_overtaking(tmp_path: Path) -> None:
    with fenced(tmp_path) as fence, pytest.raises(FileNotFoundError):
        fence.move(tmp_path / "missing", tmp_path / "version")


def test_plaintext_that_a_crash_left_is_gone_at_the_next_start(escrow: FolderEscrow, tmp_path: Path) -> None:
    work = setting(escrow, tmp_path / "bank")
    assert killed_at("opened", work, escrow.release.claim)
    assert list((tmp_path / "bank" / OWN_FOLDER / "work").glob("*/opened*"))
    with pytest.raises(DeliveryRefusedError):
        receive(work, "clm-aaaaaaaaaaaaaaaa")
    assert not list((tmp_path / "bank" / OWN_FOLDER / "work").glob("*/opened*"))


def test_overtaken_receiver_writes_no_logbook(tmp_path: Path, release: Release) -> None:
    (tmp_path / "own").mkdir()
    with fenced(tmp_path / "own") as stale:
        logbook = Logbook(tmp_path / "logbook", stale)
    note = StageNote(claim=release.claim, stage=PROVISIONAL, step=Progress.STAGED, version="v", components=())
    with fenced(tmp_path / "own"), pytest.raises(ReceiverOvertakenError):
        logbook.write(note)
    assert logbook.read(release.claim, PROVISIONAL) is None


def test_version_that_a_crash_left_unrecorded_is_gone_once_its_stage_is_undone(
    escrow: FolderEscrow, tmp_path: Path
) -> None:
    work = setting(escrow, tmp_path / "bank")
    assert killed_at("adopted", work, escrow.release.claim)
    assert list((tmp_path / "bank" / "versions").iterdir())
    escrow.happens(lambda world: world.passes(timedelta(days=3)))
    receive(work, escrow.release.claim)
    assert escrow.outcomes() == [(PROVISIONAL, "rolled_back")]
    assert list((tmp_path / "bank" / "versions").iterdir()) == []


def test_logbook_remembers_all_that_persons_may_say_about_a_claim(tmp_path: Path, release: Release) -> None:
    said = frozenset(map(digest_of_number, range(EVIDENCE_ENTRIES_MAX)))
    with fenced(make_private(tmp_path / "own")) as fence:
        logbook = Logbook(tmp_path / "logbook", fence)
        logbook.remember(release.claim, said)
        assert logbook.known(release.claim) == said


def folder_in_use(folder: Path) -> Path:
    """Return a receiver's folder in which something is active, and something else was opened."""
    bank = make_private(folder / "bank")
    make_private(folder / "own")
    for name in ("active", "opened"):
        (bank / name).mkdir()
    (bank / "active" / "file").write_text("old")
    (bank / "opened" / "file").write_text("new")
    (bank / "current").symlink_to("active")
    return bank


def in_use(bank: Path) -> Mapping[str, str]:
    """Return what a user of the folder finds at each name."""
    return {path.name: (path / "file").read_text() for path in bank.iterdir()}


def stopped_before_its_last_rename(change: str, own: Path, bank: Path) -> int:
    """Return the process id of a receiver that stands still when it has asked for the rename that counts."""
    last = 2 if change == "move" else 1  # into the turn, and out of it
    child = os.fork()
    if child == 0:  # pragma: no cover - ends here, without any clean-up
        renames = count(1)

        def stand_still(event: str, _: object) -> None:
            if event == "os.rename" and next(renames) == last:
                os.kill(os.getpid(), signal.SIGSTOP)

        try:
            with fenced(own) as fence:
                sys.addaudithook(stand_still)
                CHANGES[change](fence, bank)
        except ReceiverOvertakenError:
            os._exit(OVERTAKEN)
        finally:
            os._exit(1)
    os.waitid(os.P_PID, child, os.WSTOPPED)
    return child


def digest_of_number(number: int) -> Digest:
    return Digest(f"sha256:{number:064x}")
