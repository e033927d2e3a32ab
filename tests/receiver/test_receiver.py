"""The receiver: what was released becomes active, or what was before stays; a crash costs only time."""

import stat
from datetime import timedelta
from pathlib import Path

from tallystick.domain.kinds import ReceiptOutcome
from tallystick.receiver.commands import Commands
from tallystick.receiver.receiver import OWN_FOLDER, receive
from tests.support.receivers import ALL, FAILS, active, payloads, receive_all, setting
from tests.support.worlds.agreements import ACTIVATION_RULES, CRITICAL, DOCS, LICENCE_KEYS, PROVISIONAL
from tests.support.worlds.deliveries import Release
from tests.support.worlds.escrows import FolderEscrow


def test_released_stages_become_active_and_are_reported(escrow: FolderEscrow, tmp_path: Path) -> None:
    done = receive_all(setting(escrow, tmp_path / "bank"), escrow.release.claim)
    assert payloads(tmp_path / "bank") == ALL
    assert escrow.outcomes() == [(PROVISIONAL, "activated"), (CRITICAL, "activated")]
    assert [report.stage for report in done] == [PROVISIONAL, CRITICAL]
    receipt = escrow.receipts()[1]
    assert [c.component for c in receipt.components] == [LICENCE_KEYS, ACTIVATION_RULES]
    assert receipt.components[0].manifest_digest == (
        escrow.release.sealed[LICENCE_KEYS].deposited.manifest_digest
    )


def test_a_second_look_changes_nothing(escrow: FolderEscrow, tmp_path: Path) -> None:
    receive_all(setting(escrow, tmp_path / "bank"), escrow.release.claim)
    before = active(tmp_path / "bank")
    assert receive(setting(escrow, tmp_path / "bank"), escrow.release.claim).reported == ()
    assert (active(tmp_path / "bank"), len(escrow.receipts())) == (before, 2)


def test_nobody_else_may_enter_a_folder_with_what_was_opened(escrow: FolderEscrow, tmp_path: Path) -> None:
    receive_all(setting(escrow, tmp_path / "bank"), escrow.release.claim)
    bank = tmp_path / "bank"
    versions = list((bank / "versions").iterdir())
    assert len(versions) == 2
    private = [bank, *bank.iterdir(), *versions, *(bank / OWN_FOLDER).rglob("*")]
    assert [path for path in private if stat.S_IMODE(path.stat().st_mode) & 0o077] == []


def test_modes_and_times_arrive_as_they_were_deposited(tmp_path: Path) -> None:
    (tmp_path / "release").mkdir()
    release = Release(scratch=tmp_path / "release", number=5)
    folder = tmp_path / "release" / "source-5" / DOCS
    folder.mkdir(parents=True)
    (folder / "operations.md").touch()
    (folder / "operations.md").chmod(0o664)
    (folder / "alias.md").symlink_to("operations.md")
    escrow = FolderEscrow(tmp_path / "escrow", release)
    deposited = (folder / "operations.md").stat()
    receive(setting(escrow, tmp_path / "bank"), release.claim)
    data = tmp_path / "bank" / "stages" / PROVISIONAL / "current" / DOCS / "data"
    found = (data / "operations.md").stat()
    assert (found.st_mode, found.st_mtime_ns) == (deposited.st_mode, deposited.st_mtime_ns)
    assert (data / "alias.md").readlink() == Path("operations.md")


def test_nothing_sealed_or_half_opened_stays_behind(escrow: FolderEscrow, tmp_path: Path) -> None:
    receive_all(setting(escrow, tmp_path / "bank"), escrow.release.claim)
    assert list((tmp_path / "bank" / OWN_FOLDER / "work").iterdir()) == []


def test_commands_run_in_the_version_and_are_told_what_it_is(escrow: FolderEscrow, tmp_path: Path) -> None:
    told = tmp_path / "told"
    script = f'echo "$TALLYSTICK_STAGE $TALLYSTICK_DIR $(ls) ${{TALLYSTICK_KEY:-no key}}" >> {told}'
    commands = Commands(activate=("sh", "-c", script))
    receive_all(setting(escrow, tmp_path / "bank", commands=commands), escrow.release.claim)
    lines = told.read_text().replace("\n", " ")
    assert f"{PROVISIONAL} {tmp_path / 'bank'} {DOCS} no key" in lines
    assert f"{CRITICAL} {tmp_path / 'bank'} {ACTIVATION_RULES} {LICENCE_KEYS} no key" in lines


def test_failed_health_check_leaves_nothing_active_and_its_output_private(
    escrow: FolderEscrow, tmp_path: Path
) -> None:
    commands = Commands(health=FAILS)
    receive_all(setting(escrow, tmp_path / "bank", commands=commands, give_up=True), escrow.release.claim)
    assert active(tmp_path / "bank") == {}
    receipt = escrow.receipts()[0]
    assert (receipt.outcome, receipt.detail) == ("failed", "the health check ended with exit code 3")
    logs = list((tmp_path / "bank" / OWN_FOLDER / "logs").iterdir())
    assert all(b"secret" in log.read_bytes() for log in logs)


def test_command_without_end_is_ended(escrow: FolderEscrow, tmp_path: Path) -> None:
    commands = Commands(activate=("sh", "-c", "sleep 600"), time_max=timedelta(seconds=0.2))
    receive(setting(escrow, tmp_path / "bank", commands=commands, give_up=True), escrow.release.claim)
    assert {receipt.detail for receipt in escrow.receipts()} == {"activation did not end within 0 s"}


def test_failed_version_gives_way_to_the_one_before(
    escrow: FolderEscrow, next_release: Release, tmp_path: Path
) -> None:
    bank, ran = tmp_path / "bank", tmp_path / "ran"
    receive_all(setting(escrow, bank), escrow.release.claim)
    before = active(bank)
    newer = FolderEscrow(tmp_path / "newer", next_release)
    activate = ("sh", "-c", f"cat docs/data/operations.md >> {ran} 2>/dev/null; true")
    failing = setting(newer, bank, commands=Commands(activate=activate, health=FAILS), give_up=True)
    receive(failing, next_release.claim)
    assert active(bank) == before
    assert ran.read_text().splitlines() == ["Version two.", "How to run it."]


def test_rolled_back_stages_are_reported_last_first_and_their_versions_are_gone(
    escrow: FolderEscrow, next_release: Release, tmp_path: Path
) -> None:
    bank = tmp_path / "bank"
    receive_all(setting(escrow, bank), escrow.release.claim)
    before = active(bank)
    newer = FolderEscrow(tmp_path / "newer", next_release)
    receive_all(setting(newer, bank), next_release.claim)
    assert active(bank) != before
    newer.undo_all()
    receive_all(setting(newer, bank), next_release.claim)
    assert active(bank) == before
    assert newer.outcomes()[2:] == [(CRITICAL, "rolled_back"), (PROVISIONAL, "rolled_back")]
    assert "irrevocably disclosed: docs" in newer.receipts()[3].detail
    assert len(list((bank / "versions").iterdir())) == 2


def test_undoing_an_older_claim_leaves_a_newer_version_active(
    escrow: FolderEscrow, next_release: Release, tmp_path: Path
) -> None:
    bank = tmp_path / "bank"
    receive_all(setting(escrow, bank), escrow.release.claim)
    receive_all(setting(FolderEscrow(tmp_path / "newer", next_release), bank), next_release.claim)
    newest = active(bank)
    escrow.undo_all()
    receive_all(setting(escrow, bank), escrow.release.claim)
    assert active(bank) == newest


def test_undoing_claims_from_the_middle_on_leads_back_to_the_oldest_that_still_stands(
    escrow: FolderEscrow, next_release: Release, tmp_path: Path
) -> None:
    bank = tmp_path / "bank"
    receive_all(setting(escrow, bank), escrow.release.claim)
    oldest = active(bank)
    third = Release(scratch=tmp_path / "third", number=3, content=next_release.content)
    middle, newest = FolderEscrow(tmp_path / "middle", next_release), FolderEscrow(tmp_path / "newest", third)
    for later in (middle, newest):
        receive_all(setting(later, bank), later.release.claim)
    for later in (middle, newest):
        later.undo_all()
        receive_all(setting(later, bank), later.release.claim)
    assert active(bank) == oldest
    assert len(list((bank / "versions").iterdir())) == 2
    still = (bank / "stages" / CRITICAL / "current").readlink().name
    assert newest.receipts()[2].detail.startswith(f"{still} is active; ")


def test_stage_that_was_never_opened_is_undone_by_a_receipt_alone(
    escrow: FolderEscrow, tmp_path: Path
) -> None:
    escrow.happens(lambda world: world.passes(timedelta(days=3)))
    receive_all(setting(escrow, tmp_path / "bank"), escrow.release.claim)
    assert escrow.outcomes() == [(PROVISIONAL, "rolled_back")]
    assert escrow.receipts()[0].detail == "nothing was activated here"


def test_held_stage_is_kept_as_it_is_until_the_hold_is_lifted(escrow: FolderEscrow, tmp_path: Path) -> None:
    bank = tmp_path / "bank"
    receive_all(setting(escrow, bank), escrow.release.claim)
    before, sent = active(bank), len(escrow.receipts())
    escrow.undo_all()
    escrow.happens(lambda world: world.holds())
    look = receive(setting(escrow, bank), escrow.release.claim)
    assert look.held == (CRITICAL, PROVISIONAL)
    assert active(bank) == before
    assert len(escrow.receipts()) == sent
    escrow.happens(lambda world: world.lifts())
    assert receive(setting(escrow, bank), escrow.release.claim).held == ()
    assert active(bank) == {}


def test_stage_that_waits_for_its_undoing_is_not_opened(escrow: FolderEscrow, tmp_path: Path) -> None:
    escrow.happens(lambda world: world.holds())
    escrow.undo_all()
    look = receive(setting(escrow, tmp_path / "bank"), escrow.release.claim)
    assert (look.held, look.reported, active(tmp_path / "bank")) == ((PROVISIONAL,), (), {})


def test_stage_that_is_offered_again_after_it_was_undone_stays_undone_and_says_so(
    escrow: FolderEscrow, tmp_path: Path
) -> None:
    bank, older = tmp_path / "bank", escrow.record_file.read_text()
    receive_all(setting(escrow, bank), escrow.release.claim)
    escrow.undo_all()
    receive_all(setting(escrow, bank), escrow.release.claim)
    escrow.record_file.write_text(older)  # as a server does that was restored from an older copy
    receive_all(setting(escrow, bank), escrow.release.claim)
    assert active(bank) == {}
    assert [(receipt.outcome, receipt.detail) for receipt in escrow.receipts()] == [
        (ReceiptOutcome.FAILED, "undone here before"),
        (ReceiptOutcome.ROLLED_BACK, "nothing is active; irrevocably disclosed: docs"),
    ]
