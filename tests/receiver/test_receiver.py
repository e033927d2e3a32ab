"""The receiver: what was released becomes active, or what was before stays; a crash costs only time."""

import json
import os
import stat
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tallystick.crypto.envelope import body_of, envelope_from_json, envelope_json, sign
from tallystick.domain.codec import encode_object
from tallystick.domain.errors import TallystickError
from tallystick.domain.ids import ComponentId
from tallystick.domain.kinds import Kind, ReceiptOutcome
from tallystick.domain.statements.deposits import Deposit
from tallystick.receiver.commands import Commands
from tallystick.receiver.delivery import DeliveryRefusedError
from tallystick.receiver.fence import Fence, ReceiverBusyError, ReceiverOvertakenError, fenced
from tallystick.receiver.journal import Journal, Progress, Record
from tallystick.receiver.receiver import OWN_FOLDER, Setting, receive
from tallystick.receiver.versions import Versions
from tests.support.worlds.agreements import (
    ACTIVATION_RULES,
    BEA,
    BEN,
    CRITICAL,
    DECISION_KEY,
    DOCS,
    DORA,
    LICENCE_KEYS,
    LOG_KEY,
    PEOPLE,
    PROVISIONAL,
)
from tests.support.worlds.deliveries import AT, CONTENT, FolderEscrow, Release, keys_of

FAILS = ("sh", "-c", "echo secret; exit 3")
PASSES = ("sh", "-c", "test -d .")


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Release:
    return Release(scratch=tmp_path_factory.mktemp("release"))


@pytest.fixture(scope="module")
def next_release(tmp_path_factory: pytest.TempPathFactory) -> Release:
    content = {**CONTENT, DOCS: {"operations.md": b"Version two.\n"}}
    return Release(scratch=tmp_path_factory.mktemp("next"), number=2, content=content)


@pytest.fixture
def escrow(tmp_path: Path, release: Release) -> FolderEscrow:
    return FolderEscrow(tmp_path / "escrow", release)


def setting(escrow: FolderEscrow, into: Path, **changes: object) -> Setting:
    plain = Setting(
        escrow=escrow,
        keys=keys_of(BEA),
        into=into,
        commands=Commands(activate=PASSES, health=PASSES),
        trust=lambda _agreement, _found: None,
        now=lambda: AT,
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def active(into: Path) -> Mapping[str, str]:
    """What a user of the folder sees: the files of each active stage, with their content."""
    found: dict[str, str] = {}
    for link in sorted(into.glob("stages/*/current")):
        for file in sorted(path for path in link.resolve().rglob("*") if path.is_file()):
            found[f"{link.parent.name}/{file.relative_to(link.resolve())}"] = file.read_text()
    return found


def payloads(into: Path) -> Mapping[str, bytes]:
    return {name: text.encode() for name, text in active(into).items() if "/data/" in name}


ALL = {
    f"{stage}/{component}/data/{path}": content
    for stage, components in ((PROVISIONAL, (DOCS,)), (CRITICAL, (LICENCE_KEYS, ACTIVATION_RULES)))
    for component in components
    for path, content in CONTENT[component].items()
}


def test_released_stages_become_active_and_are_reported(escrow: FolderEscrow, tmp_path: Path) -> None:
    done = receive(setting(escrow, tmp_path / "bank"), escrow.release.claim)
    assert payloads(tmp_path / "bank") == ALL
    assert escrow.outcomes() == [(PROVISIONAL, "activated"), (CRITICAL, "activated")]
    assert [report.stage for report in done.reported] == [PROVISIONAL, CRITICAL]
    receipt = escrow.receipts()[1]
    assert [c.component for c in receipt.components] == [LICENCE_KEYS, ACTIVATION_RULES]
    assert receipt.components[0].manifest_digest == (
        escrow.release.sealed[LICENCE_KEYS].deposited.manifest_digest
    )


def test_a_second_look_changes_nothing(escrow: FolderEscrow, tmp_path: Path) -> None:
    receive(setting(escrow, tmp_path / "bank"), escrow.release.claim)
    before = active(tmp_path / "bank")
    assert receive(setting(escrow, tmp_path / "bank"), escrow.release.claim).reported == ()
    assert (active(tmp_path / "bank"), len(escrow.receipts())) == (before, 2)


def test_nobody_else_may_read_what_was_opened(escrow: FolderEscrow, tmp_path: Path) -> None:
    receive(setting(escrow, tmp_path / "bank"), escrow.release.claim)
    found = [path for path in (tmp_path / "bank").rglob("*") if not path.is_symlink()]
    assert found
    assert [path for path in found if stat.S_IMODE(path.stat().st_mode) & 0o077] == []


def test_nothing_sealed_or_half_opened_stays_behind(escrow: FolderEscrow, tmp_path: Path) -> None:
    receive(setting(escrow, tmp_path / "bank"), escrow.release.claim)
    assert list((tmp_path / "bank" / OWN_FOLDER / "work").iterdir()) == []


def test_commands_run_in_the_version_and_are_told_what_it_is(escrow: FolderEscrow, tmp_path: Path) -> None:
    told = tmp_path / "told"
    script = f'echo "$TALLYSTICK_STAGE $TALLYSTICK_DIR $(ls) ${{TALLYSTICK_KEY:-no key}}" >> {told}'
    commands = Commands(activate=("sh", "-c", script))
    receive(setting(escrow, tmp_path / "bank", commands=commands), escrow.release.claim)
    lines = told.read_text().replace("\n", " ")
    assert f"{PROVISIONAL} {tmp_path / 'bank'} {DOCS} no key" in lines
    assert f"{CRITICAL} {tmp_path / 'bank'} {ACTIVATION_RULES} {LICENCE_KEYS} no key" in lines


def test_failed_health_check_leaves_nothing_active_and_its_output_private(
    escrow: FolderEscrow, tmp_path: Path
) -> None:
    commands = Commands(health=FAILS)
    receive(setting(escrow, tmp_path / "bank", commands=commands), escrow.release.claim)
    assert active(tmp_path / "bank") == {}
    receipt = escrow.receipts()[0]
    assert (receipt.outcome, receipt.detail) == ("failed", "the health check ended with exit code 3")
    logs = list((tmp_path / "bank" / OWN_FOLDER / "logs").iterdir())
    assert all(b"secret" in log.read_bytes() for log in logs)


def test_command_without_end_is_ended(escrow: FolderEscrow, tmp_path: Path) -> None:
    commands = Commands(activate=("sh", "-c", "sleep 600"), time_max=timedelta(seconds=0.2))
    receive(setting(escrow, tmp_path / "bank", commands=commands), escrow.release.claim)
    assert {receipt.detail for receipt in escrow.receipts()} == {"activation did not end within 0 s"}


def test_command_that_is_not_there_fails_the_stage(escrow: FolderEscrow, tmp_path: Path) -> None:
    commands = Commands(activate=(str(tmp_path / "none"),))
    receive(setting(escrow, tmp_path / "bank", commands=commands), escrow.release.claim)
    assert "could not be started" in escrow.receipts()[0].detail


def test_failed_version_gives_way_to_the_one_before(
    escrow: FolderEscrow, next_release: Release, tmp_path: Path
) -> None:
    bank, ran = tmp_path / "bank", tmp_path / "ran"
    receive(setting(escrow, bank), escrow.release.claim)
    before = active(bank)
    newer = FolderEscrow(tmp_path / "newer", next_release)
    activate = ("sh", "-c", f"cat docs/data/operations.md >> {ran} 2>/dev/null; true")
    failing = setting(newer, bank, commands=Commands(activate=activate, health=FAILS))
    receive(failing, next_release.claim)
    assert active(bank) == before
    assert ran.read_text().splitlines() == ["Version two.", "How to run it."]


def test_rolled_back_stages_are_reported_last_first_and_their_versions_are_gone(
    escrow: FolderEscrow, next_release: Release, tmp_path: Path
) -> None:
    bank = tmp_path / "bank"
    receive(setting(escrow, bank), escrow.release.claim)
    before = active(bank)
    newer = FolderEscrow(tmp_path / "newer", next_release)
    receive(setting(newer, bank), next_release.claim)
    assert active(bank) != before
    newer.undo_all()
    receive(setting(newer, bank), next_release.claim)
    assert active(bank) == before
    assert newer.outcomes()[2:] == [(CRITICAL, "rolled_back"), (PROVISIONAL, "rolled_back")]
    assert "irrevocably disclosed: docs" in newer.receipts()[3].detail
    assert len(list((bank / "versions").iterdir())) == 2


def test_undoing_an_older_claim_leaves_a_newer_version_active(
    escrow: FolderEscrow, next_release: Release, tmp_path: Path
) -> None:
    bank = tmp_path / "bank"
    receive(setting(escrow, bank), escrow.release.claim)
    receive(setting(FolderEscrow(tmp_path / "newer", next_release), bank), next_release.claim)
    newest = active(bank)
    escrow.undo_all()
    receive(setting(escrow, bank), escrow.release.claim)
    assert active(bank) == newest


def test_stage_that_was_never_opened_is_undone_by_a_receipt_alone(
    escrow: FolderEscrow, tmp_path: Path
) -> None:
    document = json.loads(escrow.document_file.read_text())

    class TimedOut(FolderEscrow):
        def __init__(self) -> None:
            self.folder, self.release = escrow.folder, escrow.release

        def delivery(self, claim: str) -> dict[str, Any]:
            stages = [{**stage, "state": "FAILED"} for stage in document["stages"]]
            return {**document, "stages": stages, "undo": [CRITICAL], "state": "ROLLING_BACK"}

    receive(setting(TimedOut(), tmp_path / "bank"), escrow.release.claim)
    assert escrow.outcomes() == [(CRITICAL, "rolled_back")]
    assert escrow.receipts()[0].detail == "nothing was activated here"


def test_stage_that_is_offered_again_after_it_was_undone_stays_undone_and_says_so(
    escrow: FolderEscrow, tmp_path: Path
) -> None:
    bank = tmp_path / "bank"
    receive(setting(escrow, bank), escrow.release.claim)
    escrow.undo_all()
    receive(setting(escrow, bank), escrow.release.claim)
    for forgotten in (escrow.folder / "undo", *(escrow.folder / "receipts").iterdir()):
        forgotten.unlink()  # as a server that was restored from an older copy does
    receive(setting(escrow, bank), escrow.release.claim)
    assert active(bank) == {}
    assert {(receipt.outcome, receipt.detail) for receipt in escrow.receipts()} == {
        (ReceiptOutcome.FAILED, "undone here before")
    }


# What is not as it was signed.


def alter(*path: str | int) -> Callable[[dict[str, Any]], None]:
    """Flip one byte of the base64 text that stands at `path` of the delivery."""

    def change(document: dict[str, Any]) -> None:
        *above, last = path
        found: Any = document
        for step in above:
            found = found[step]
        text = found[last]
        found[last] = text[:100] + ("A" if text[100] != "A" else "B") + text[101:]

    return change


def swap_contributions(document: dict[str, Any]) -> None:
    one, other = document["stages"][1]["components"]
    one["contributions"], other["contributions"] = other["contributions"], one["contributions"]


STAGE = ("stages", 0)
COMPONENT = (*STAGE, "components", 0)


CHANGES: list[Callable[[dict[str, Any]], object]] = [
    alter("agreement_envelope", "payload"),
    alter("filing_envelope", "payload"),
    alter("deposit_envelope", "payload"),
    alter(*STAGE, "decision_envelope", "payload"),
    alter(*COMPONENT, "custody_envelope", "payload"),
    lambda d: d.update(undo_unknown=1) or (d["stages"].pop(0) and d["stages"][0]["components"].pop()),
    lambda d: d["stages"][0].update(decision_envelope=d["stages"][1]["decision_envelope"]),
    lambda d: d["stages"][0]["components"].__setitem__(0, d["stages"][1]["components"][0]),
    lambda d: d["stages"][0]["components"][0]["contributions"].clear(),
    swap_contributions,
    lambda d: d["stages"][0]["components"][0].update(
        custody_envelope=d["stages"][1]["components"][0]["custody_envelope"]
    ),
]


@pytest.mark.parametrize(
    "change",
    CHANGES,
    ids=[
        *("agreement-altered", "claim-altered", "deposit-altered", "decision-altered", "custody-altered"),
        *("component-missing", "decision-of-another-stage", "component-of-another-stage"),
        *("no-contribution", "contributions-swapped", "custody-of-another-component"),
    ],
)
def test_delivery_that_does_not_follow_from_signatures_opens_nothing(
    change: Callable[[dict[str, Any]], object], escrow: FolderEscrow, tmp_path: Path
) -> None:
    document = json.loads(escrow.document_file.read_text())
    change(document)
    escrow.document_file.write_text(json.dumps(document))
    with pytest.raises(TallystickError) as refused:
        receive(setting(escrow, tmp_path / "bank"), escrow.release.claim)
    assert refused.value.message
    assert active(tmp_path / "bank") == {}
    assert escrow.receipts() == []


def test_decision_by_another_key_opens_nothing(escrow: FolderEscrow, tmp_path: Path) -> None:
    document = json.loads(escrow.document_file.read_text())
    body = body_of(envelope_from_json(document["stages"][0]["decision_envelope"]))
    document["stages"][0]["decision_envelope"] = dict(envelope_json(sign(Kind.DECISION, body, [LOG_KEY])))
    escrow.document_file.write_text(json.dumps(document))
    with pytest.raises(TallystickError, match="not signed by the engine's key"):
        receive(setting(escrow, tmp_path / "bank"), escrow.release.claim)


def test_refusal_of_the_gate_is_no_release(escrow: FolderEscrow, tmp_path: Path) -> None:
    document = json.loads(escrow.document_file.read_text())
    body = body_of(envelope_from_json(document["stages"][0]["decision_envelope"]))
    refusal = sign(Kind.DECISION, {**body, "released": False}, [DECISION_KEY])
    document["stages"][0]["decision_envelope"] = dict(envelope_json(refusal))
    escrow.document_file.write_text(json.dumps(document))
    with pytest.raises(DeliveryRefusedError, match="not the gate's decision"):
        receive(setting(escrow, tmp_path / "bank"), escrow.release.claim)


@pytest.mark.parametrize("component", [DOCS, LICENCE_KEYS])
def test_altered_sealed_byte_is_refused_and_nothing_of_it_stays(
    component: ComponentId, escrow: FolderEscrow, tmp_path: Path
) -> None:
    blob = escrow.blob(escrow.release.sealed[component].deposited.sealed_digest)
    raw = bytearray(blob.read_bytes())
    raw[-5] ^= 1
    blob.write_bytes(raw)
    with pytest.raises(DeliveryRefusedError, match="not the bytes that the depositor signed"):
        receive(setting(escrow, tmp_path / "bank"), escrow.release.claim)
    stage = PROVISIONAL if component == DOCS else CRITICAL
    assert not any(name.startswith(stage) for name in active(tmp_path / "bank"))
    assert not list((tmp_path / "bank").rglob("*opened*"))
    assert stage not in [receipt.stage for receipt in escrow.receipts()]


def test_every_altered_byte_of_a_contribution_is_refused(escrow: FolderEscrow, tmp_path: Path) -> None:
    document = json.loads(escrow.document_file.read_text())
    blob = escrow.blob(document["stages"][0]["components"][0]["contributions"][0]["sealed_digest"])
    good = blob.read_bytes()
    for place in range(0, len(good), 97):
        blob.write_bytes(good[:place] + bytes([good[place] ^ 1]) + good[place + 1 :])
        with pytest.raises(TallystickError):
            receive(setting(escrow, tmp_path / "bank"), escrow.release.claim)
    blob.write_bytes(good)
    receive(setting(escrow, tmp_path / "bank"), escrow.release.claim)
    assert payloads(tmp_path / "bank") == ALL


def test_component_that_is_not_the_bag_the_depositor_signed_fails_its_stage(
    release: Release, tmp_path: Path
) -> None:
    bad = Release(scratch=tmp_path / "bad", number=7)
    docs = bad.sealed[DOCS]
    false = replace(docs.deposited, manifest_digest=docs.deposited.sealed_digest)
    others = tuple(s.deposited for name, s in bad.sealed.items() if name != DOCS)
    body = Deposit(**bad.header(DORA, "deposit"), number=1, watermark=AT, components=(false, *others))
    bad.__dict__["deposit"] = sign(Kind.DEPOSIT, encode_object(body), [PEOPLE[DORA].signing_key])
    escrow = FolderEscrow(tmp_path / "escrow", bad, stages=(PROVISIONAL,))
    receive(setting(escrow, tmp_path / "bank"), bad.claim)
    (receipt,) = escrow.receipts()
    assert (receipt.outcome, active(tmp_path / "bank")) == ("failed", {})
    assert "not the bag that the depositor signed" in receipt.detail


def test_claim_of_another_person_is_not_received(escrow: FolderEscrow, tmp_path: Path) -> None:
    with pytest.raises(DeliveryRefusedError, match="filed with another key"):
        receive(setting(escrow, tmp_path / "bank", keys=keys_of(BEN)), escrow.release.claim)


def test_other_claim_than_asked_for_is_not_received(escrow: FolderEscrow, tmp_path: Path) -> None:
    with pytest.raises(DeliveryRefusedError, match="another claim"):
        receive(setting(escrow, tmp_path / "bank"), "clm-aaaaaaaaaaaaaaaa")


def test_agreement_that_is_not_trusted_is_not_received(escrow: FolderEscrow, tmp_path: Path) -> None:
    def trust(_agreement: str, found: str) -> None:
        raise DeliveryRefusedError("not trusted", found=found)

    with pytest.raises(DeliveryRefusedError, match="not trusted"):
        receive(setting(escrow, tmp_path / "bank", trust=trust), escrow.release.claim)


# Crashes: the process ends at a step, as if its power had been cut, and another one resumes.

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


def killed_at(step: str, work: Setting, claim: str) -> bool:
    """Run a receiver in a child process that dies silently on reaching `step`."""
    child = os.fork()
    if child == 0:  # pragma: no cover - ends here, without any clean-up

        def reached(found: str) -> None:
            if found == step:
                os._exit(9)

        try:
            receive(replace(work, reached=reached), claim)
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9


@pytest.mark.parametrize("step", FORWARD)
def test_receiver_killed_on_the_way_forward_is_finished_by_the_next(
    step: str, escrow: FolderEscrow, tmp_path: Path
) -> None:
    work = setting(escrow, tmp_path / "bank")
    assert killed_at(step, work, escrow.release.claim)
    receive(work, escrow.release.claim)
    assert payloads(tmp_path / "bank") == ALL
    assert escrow.outcomes() == [(PROVISIONAL, "activated"), (CRITICAL, "activated")]
    assert list((tmp_path / "bank" / OWN_FOLDER / "work").iterdir()) == []


@pytest.mark.parametrize("step", BACKWARD)
def test_receiver_killed_after_a_failure_goes_back_all_the_same(
    step: str, escrow: FolderEscrow, next_release: Release, tmp_path: Path
) -> None:
    bank = tmp_path / "bank"
    receive(setting(escrow, bank), escrow.release.claim)
    before = active(bank)
    newer = FolderEscrow(tmp_path / "newer", next_release, stages=(PROVISIONAL,))
    work = setting(newer, bank, commands=Commands(health=FAILS))
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
    receive(setting(escrow, bank), escrow.release.claim)
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


def test_plaintext_that_a_crash_left_is_gone_at_the_next_start(escrow: FolderEscrow, tmp_path: Path) -> None:
    work = setting(escrow, tmp_path / "bank")
    assert killed_at("opened", work, escrow.release.claim)
    assert list((tmp_path / "bank" / OWN_FOLDER / "work").glob("*/opened"))
    with pytest.raises(DeliveryRefusedError):
        receive(work, "clm-aaaaaaaaaaaaaaaa")
    assert not list((tmp_path / "bank" / OWN_FOLDER / "work").glob("*/opened"))


def test_same_content_sealed_anew_is_not_what_the_depositor_signed(
    escrow: FolderEscrow, release: Release, tmp_path: Path
) -> None:
    sealed = release.sealed[DOCS]
    again = Release(scratch=tmp_path / "again")
    _, raw = again.seal_bag(DOCS, sealed.body.recipient, sealed.deposited.custody)
    assert len(raw) == sealed.deposited.sealed_bytes
    escrow.blob(sealed.deposited.sealed_digest).write_bytes(raw)
    with pytest.raises(DeliveryRefusedError, match="not the bytes that the depositor signed"):
        receive(setting(escrow, tmp_path / "bank"), release.claim)
    assert active(tmp_path / "bank") == {}


def test_overtaken_receiver_writes_no_journal(tmp_path: Path, release: Release) -> None:
    (tmp_path / "own").mkdir()
    with fenced(tmp_path / "own") as stale:
        journal = Journal(tmp_path / "journal", stale)
    record = Record(claim=release.claim, stage=PROVISIONAL, step=Progress.STAGED, version="v", components=())
    with fenced(tmp_path / "own"), pytest.raises(ReceiverOvertakenError):
        journal.write(record)
    assert journal.read(release.claim, PROVISIONAL) is None


def test_deposit_by_someone_else_is_not_received_even_if_the_claim_pins_it(tmp_path: Path) -> None:
    own = Release(scratch=tmp_path / "own", number=8)
    components = tuple(sealed.deposited for sealed in own.sealed.values())
    body = Deposit(**own.header(BEA, "deposit"), number=1, watermark=AT, components=components)
    own.__dict__["deposit"] = sign(Kind.DEPOSIT, encode_object(body), [PEOPLE[BEA].signing_key])
    escrow = FolderEscrow(tmp_path / "escrow", own)
    with pytest.raises(DeliveryRefusedError, match="only persons of the depositor may deposit"):
        receive(setting(escrow, tmp_path / "bank"), own.claim)


def test_version_that_a_crash_left_unrecorded_is_gone_once_its_stage_is_undone(
    escrow: FolderEscrow, tmp_path: Path
) -> None:
    work = setting(escrow, tmp_path / "bank")
    assert killed_at("adopted", work, escrow.release.claim)
    assert list((tmp_path / "bank" / "versions").iterdir())
    document = dict(escrow.delivery(escrow.release.claim))
    stages: Any = document["stages"]

    class TimedOut(FolderEscrow):
        def __init__(self) -> None:
            self.folder, self.release = escrow.folder, escrow.release

        def delivery(self, claim: str) -> dict[str, Any]:
            failed = [{**stage, "state": "FAILED"} for stage in stages]
            return {**document, "stages": failed, "undo": [PROVISIONAL], "state": "ROLLING_BACK"}

    receive(setting(TimedOut(), tmp_path / "bank"), escrow.release.claim)
    assert list((tmp_path / "bank" / "versions").iterdir()) == []
