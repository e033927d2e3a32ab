"""The receiver dies at a step, as if its power had been cut, and another one finishes; and one at a time."""

from datetime import timedelta
from pathlib import Path

import pytest

from tallystick.domain.ids import Digest
from tallystick.durable import make_private
from tallystick.limits.logs import EVIDENCE_ENTRIES_MAX
from tallystick.receiver.commands import Commands
from tallystick.receiver.delivery import DeliveryRefusedError
from tallystick.receiver.fence import (
    Fence,
    FenceDamagedError,
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


def test_fence_of_a_folder_that_was_restored_lets_nobody_pass(tmp_path: Path) -> None:
    with pytest.raises(ReceiverOvertakenError):
        Fence(tmp_path / "generation", 3).check()


def test_fence_without_its_number_lets_nobody_pass(tmp_path: Path) -> None:
    (tmp_path / "generation").write_bytes(b"")
    with pytest.raises(FenceDamagedError), fenced(tmp_path):
        pass


def test_plaintext_that_a_crash_left_is_gone_at_the_next_start(escrow: FolderEscrow, tmp_path: Path) -> None:
    work = setting(escrow, tmp_path / "bank")
    assert killed_at("opened", work, escrow.release.claim)
    assert list((tmp_path / "bank" / OWN_FOLDER / "work").glob("*/opened"))
    with pytest.raises(DeliveryRefusedError):
        receive(work, "clm-aaaaaaaaaaaaaaaa")
    assert not list((tmp_path / "bank" / OWN_FOLDER / "work").glob("*/opened"))


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


def digest_of_number(number: int) -> Digest:
    return Digest(f"sha256:{number:064x}")
