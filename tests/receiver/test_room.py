"""What this machine lacks is said with folder and figures, and is never a stage's outcome."""

import os
import shutil
import subprocess
from collections.abc import Generator
from dataclasses import replace
from pathlib import Path

import pytest

from tallystick.bag.restore import NamesNotKeptApartError
from tallystick.receiver.receiver import OWN_FOLDER, receive
from tallystick.receiver.room import (
    FolderNotOwnError,
    NoRoomError,
    ReceiverHinderedError,
    check_room,
    needed_bytes,
)
from tests.support.blind_disk import make_blind
from tests.support.receivers import active, receive_all, setting
from tests.support.worlds.agreements import DOCS, PROVISIONAL
from tests.support.worlds.deliveries import CONTENT, Release
from tests.support.worlds.escrows import FolderEscrow


def test_stage_that_does_not_fit_is_not_fetched_and_the_folder_and_figures_are_named(
    release: Release, tmp_path: Path
) -> None:
    large = replace(release.sealed[DOCS].deposited, payload_bytes=1 << 60)
    with pytest.raises(NoRoomError) as refused:
        check_room(tmp_path, [large])
    facts = refused.value.facts
    assert (facts["folder"], facts["needed_bytes"]) == (str(tmp_path), needed_bytes([large]))
    assert facts["free_bytes"] in range(1 << 60)
    assert refused.value.retryable
    check_room(tmp_path, [large], held_bytes=1 << 60)


@pytest.fixture
def small_disk(tmp_path: Path) -> Generator[Path]:
    """A file system of its own, of 512 KiB."""
    place = tmp_path / "small"
    place.mkdir()
    if ran("mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", place) != 0:
        pytest.skip("needs the right to mount")
    yield place
    ran("umount", place)


def ran(command: str, *words: str | Path) -> int:
    """How one of the system's own commands ended."""
    found = shutil.which(command)
    return 1 if found is None else subprocess.run([found, *words], check=False).returncode


def test_receiver_waits_while_the_disk_is_full_and_continues_once_there_is_room(
    small_disk: Path, tmp_path: Path
) -> None:
    content = {**CONTENT, DOCS: {"large.bin": os.urandom(300_000)}}
    (tmp_path / "large").mkdir()
    release = Release(scratch=tmp_path / "large", number=9, content=content)
    escrow = FolderEscrow(tmp_path / "escrow", release)
    work = setting(escrow, small_disk / "bank")
    with pytest.raises(NoRoomError):
        receive(work, release.claim)
    assert escrow.receipts() == []
    assert ran("mount", "-o", "remount,size=8m", small_disk) == 0
    receive(work, release.claim)
    assert escrow.outcomes() == [(PROVISIONAL, "activated")]


def test_error_of_this_machines_files_is_reported_with_the_folder_and_reports_nothing(
    escrow: FolderEscrow, tmp_path: Path
) -> None:
    (tmp_path / "bank" / OWN_FOLDER).mkdir(parents=True, mode=0o700)
    (tmp_path / "bank").chmod(0o700)
    (tmp_path / "bank" / OWN_FOLDER / "logbook").write_text("not a folder")
    with pytest.raises(ReceiverHinderedError, match="logbook") as refused:
        receive(setting(escrow, tmp_path / "bank"), escrow.release.claim)
    assert refused.value.facts["folder"] == str(tmp_path / "bank")
    assert escrow.receipts() == []
    (tmp_path / "bank" / OWN_FOLDER / "logbook").unlink()
    receive_all(setting(escrow, tmp_path / "bank"), escrow.release.claim)
    assert active(tmp_path / "bank")


def test_disk_that_takes_two_names_for_one_is_no_stages_outcome_and_nothing_is_activated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = {**CONTENT, DOCS: {"README": b"of the product", "readme": b"of the licence"}}
    release = Release(scratch=tmp_path, number=9, content=content)
    escrow = FolderEscrow(tmp_path / "escrow", release)
    work = setting(escrow, tmp_path / "bank")
    with monkeypatch.context() as patching:
        make_blind(tmp_path / "bank", patching)
        with pytest.raises(NamesNotKeptApartError):
            receive(work, release.claim)
        assert escrow.receipts() == []
        assert list((tmp_path / "bank" / "stages").iterdir()) == []
    receive(work, release.claim)
    assert escrow.outcomes() == [(PROVISIONAL, "activated")]


# A folder of one's own.


def elsewhere(tmp_path: Path) -> Path:
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    return tmp_path / "elsewhere"


@pytest.mark.parametrize("part", ["bank", "bank/.tallystick", "bank/versions", "bank/stages"])
def test_folder_that_is_a_link_is_not_used(part: str, escrow: FolderEscrow, tmp_path: Path) -> None:
    (tmp_path / part).parent.mkdir(exist_ok=True, mode=0o700)
    (tmp_path / part).symlink_to(elsewhere(tmp_path))
    with pytest.raises(FolderNotOwnError, match="is a symbolic link"):
        receive(setting(escrow, tmp_path / "bank"), escrow.release.claim)
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_folder_that_others_may_write_to_is_not_used(escrow: FolderEscrow, tmp_path: Path) -> None:
    (tmp_path / "bank").mkdir()
    (tmp_path / "bank").chmod(0o703)
    with pytest.raises(FolderNotOwnError, match="may be written to by everybody: run"):
        receive(setting(escrow, tmp_path / "bank"), escrow.release.claim)
    assert list((tmp_path / "bank").iterdir()) == []


def test_folder_that_anybody_could_put_another_in_the_place_of_is_not_used(
    escrow: FolderEscrow, tmp_path: Path
) -> None:
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared").chmod(0o777)
    with pytest.raises(FolderNotOwnError, match="everybody may write"):
        receive(setting(escrow, tmp_path / "shared" / "bank"), escrow.release.claim)
    assert list((tmp_path / "shared").iterdir()) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="needs the right to give a folder away")
def test_folder_of_another_user_is_not_used(escrow: FolderEscrow, tmp_path: Path) -> None:
    (tmp_path / "bank").mkdir(mode=0o700)
    os.chown(tmp_path / "bank", 65534, 65534)
    with pytest.raises(FolderNotOwnError, match="belongs to another user"):
        receive(setting(escrow, tmp_path / "bank"), escrow.release.claim)
    assert list((tmp_path / "bank").iterdir()) == []
