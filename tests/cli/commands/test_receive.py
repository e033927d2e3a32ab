"""The receiver over the API: what was released becomes active at the beneficiary's."""

import os
import shlex
import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tallystick.domain.ids import PersonId
from tallystick.domain.json import JsonObject
from tallystick.domain.kinds import ReceiptOutcome
from tallystick.domain.statements.receipts import Receipt
from tallystick.proof.reading import read_signed
from tests.cli.conftest import Office
from tests.support.worlds.agreements import AGREEMENT, BEA, BEN, CRITICAL, DOCS, PROVISIONAL
from tests.support.worlds.deliveries import CONTENT, Release
from tests.support.worlds.escrows import FolderEscrow
from tests.support.worlds.quick_agreements import minutes_agreement


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Release:
    """A release that is decided about now: the command goes by this machine's clock."""
    at = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=5)
    return Release(scratch=tmp_path_factory.mktemp("release"), terms=minutes_agreement(), at=at)


def deliver(office: Office, release: Release, tmp_path: Path) -> FolderEscrow:
    """Show the claim's record, with the receipts that were sent, as the server does."""
    escrow = FolderEscrow(tmp_path / "escrow", release)

    def delivery() -> JsonObject:
        escrow.happens(lambda world: world.at(max(world.now, datetime.now(UTC).replace(microsecond=0))))
        for envelope in office.sent():
            escrow.report(release.claim, envelope)
        return escrow.delivery(release.claim)

    path = f"/v1/claims/{release.claim}"
    office.api.shows[f"{path}/delivery"] = lambda: {**delivery(), "record": None}
    office.api.shows[f"{path}/record"] = lambda: {"entries": delivery()["record"], "next": None}
    for blob in (tmp_path / "escrow" / "blobs").iterdir():
        office.api.blobs[f"sha256:{blob.name}"] = blob.read_bytes()
    return escrow


def receipts(office: Office) -> list[tuple[str, ReceiptOutcome]]:
    bodies = [read_signed(envelope, AGREEMENT).body for envelope in office.sent()]
    return [(body.stage, body.outcome) for body in bodies if isinstance(body, Receipt)]


def test_released_stages_are_fetched_opened_activated_and_reported(
    office: Office, release: Release, tmp_path: Path
) -> None:
    deliver(office, release, tmp_path)
    words = ("--into", "bank", "--activate", "sh -c 'test -d .'", "--health", "true", "--json")
    for stage in (PROVISIONAL, CRITICAL):
        ran = office.run("receive", release.claim, *words, "--once", person=BEA)
        assert ran.code == 0, ran.err
        (report,) = ran.json["reported"]
        assert (report["stage"], report["detail"]) == (stage, "activated and healthy")
    assert receipts(office) == [(PROVISIONAL, "activated"), (CRITICAL, "activated")]
    opened = Path("bank/stages") / PROVISIONAL / "current" / DOCS / "data" / "operations.md"
    assert opened.read_bytes() == CONTENT[DOCS]["operations.md"]


def test_a_receipt_names_the_longest_log_that_was_verified_with_the_receivers_key(
    office: Office, release: Release, tmp_path: Path
) -> None:
    deliver(office, release, tmp_path)
    seen = office.remembers_log(BEA)
    ran = office.run("receive", release.claim, "--into", "bank", "--once", person=BEA)
    assert ran.code == 0, ran.err
    (receipt,) = (read_signed(envelope, AGREEMENT).body for envelope in office.sent())
    assert isinstance(receipt, Receipt)
    assert receipt.ledger_seen == seen


def test_script_in_the_users_folder_is_found_from_the_version_folder(
    office: Office, release: Release, tmp_path: Path
) -> None:
    deliver(office, release, tmp_path)
    Path("health.sh").write_text("exit 4\n")
    words = ("--into", "bank", "--once", "--give-up", "--health", "sh ./health.sh")
    assert office.run("receive", release.claim, *words, person=BEA).code == 0
    assert receipts(office)[0] == (PROVISIONAL, "failed")
    body = read_signed(office.sent()[0], AGREEMENT).body
    assert isinstance(body, Receipt)
    assert body.detail == "the health check ended with exit code 4"


def test_failing_command_is_shown_and_only_the_users_word_reports_it(
    office: Office, release: Release, tmp_path: Path
) -> None:
    deliver(office, release, tmp_path)
    words = ("receive", release.claim, "--into", "bank", "--once")
    ran = office.run(*words, "--health", "sh -c 'exit 4'", person=BEA)
    assert (ran.code, ran.problem["code"], office.sent()) == (1, "stage-not-activated", [])
    assert office.run(*words, "--health", "true", person=BEA).code == 0
    assert receipts(office) == [(PROVISIONAL, "activated")]


@pytest.mark.parametrize("option", ["--activate", "--health"])
@pytest.mark.parametrize("command", ["./activte.sh", "no-such-command-here", "./plain.txt", "./folder"])
def test_command_that_cannot_be_started_is_wrong_usage_before_anything_is_asked_for(
    option: str, command: str, office: Office, release: Release, tmp_path: Path
) -> None:
    deliver(office, release, tmp_path)
    Path("plain.txt").write_text("not a program")
    Path("folder").mkdir()
    ran = office.run("receive", release.claim, "--into", "bank", "--once", option, command, person=BEA)
    assert (ran.code, office.api.asked, Path("bank").exists()) == (2, [], False)


def test_receiver_without_a_health_check_says_that_nothing_was_checked(
    office: Office, release: Release, tmp_path: Path
) -> None:
    deliver(office, release, tmp_path)
    ran = office.run("receive", release.claim, "--into", "bank", "--once", "--activate", "true", person=BEA)
    assert "no --health: what becomes active is not checked" in ran.err
    assert ran.out == 'provisional: activated ("activated; its health was not checked")\n'


def test_check_tells_all_that_a_release_needs_and_leaves_nothing_behind(
    office: Office, release: Release, tmp_path: Path
) -> None:
    deliver(office, release, tmp_path)
    words = ("receive", release.claim, "--into", "bank", "--check", "--activate", "true")
    ran = office.run(*words, person=BEA)
    assert (ran.code, office.sent(), Path("bank").exists()) == (0, [], False)
    assert [line[:3].strip() for line in ran.out.splitlines()] == 5 * ["ok"]
    assert "what becomes active will not be checked" in ran.out
    refused = office.run(*words, "--json", person=BEN)
    found = {one["what"]: one["holds"] for one in refused.json["checks"]}
    assert (refused.code, found["claim"], found["folder"]) == (1, False, True)


def test_check_without_a_server_says_so(office: Office, release: Release) -> None:
    words = ("receive", release.claim, "--into", "bank", "--check", "--api", "http://127.0.0.1:9")
    ran = office.run(*words, "--key", str(office.key(BEA)))
    assert (ran.code, "NOT  claim: no answer from" in ran.out) == (1, True)


def test_altered_bytes_are_refused_and_nothing_is_reported(
    office: Office, release: Release, tmp_path: Path
) -> None:
    deliver(office, release, tmp_path)
    digest = release.sealed[DOCS].deposited.sealed_digest
    office.api.blobs[digest] = office.api.blobs[digest][:-1] + b"!"
    ran = office.run("receive", release.claim, "--into", "bank", "--once", person=BEA)
    assert (ran.code, ran.problem["code"], office.sent()) == (1, "blob-altered", [])


def test_stage_that_is_shown_without_the_gates_decision_is_not_opened(
    office: Office, release: Release, tmp_path: Path
) -> None:
    escrow = deliver(office, release, tmp_path)
    shown: dict[str, Any] = dict(escrow.delivery(release.claim))
    office.api.shows[f"/v1/claims/{release.claim}/record"] = {"entries": shown["record"][:-1]}
    ran = office.run("receive", release.claim, "--into", "bank", "--once", person=BEA)
    assert (ran.code, office.sent()) == (0, [])
    assert "nothing to do yet" in ran.err


def test_record_is_read_from_all_of_its_pages(office: Office, release: Release, tmp_path: Path) -> None:
    escrow = deliver(office, release, tmp_path)
    shown: dict[str, Any] = dict(escrow.delivery(release.claim))
    path, record = f"/v1/claims/{release.claim}/record", shown["record"]
    for place in range(len(record)):
        following = place + 1 if place + 1 < len(record) else None
        page = {"entries": [record[place]], "next": following}
        office.api.shows[f"{path}?start={place}"] = page
    assert office.run("receive", release.claim, "--into", "bank", "--once", person=BEA).code == 0
    assert receipts(office) == [(PROVISIONAL, "activated")]


@pytest.mark.parametrize("following", [0, 1, 2, "1", True])
def test_record_whose_pages_do_not_lead_on_is_refused(
    following: object, office: Office, release: Release, tmp_path: Path
) -> None:
    deliver(office, release, tmp_path)
    office.api.shows[f"/v1/claims/{release.claim}/record"] = {"entries": [], "next": following}
    ran = office.run("receive", release.claim, "--into", "bank", "--once", person=BEA)
    assert (ran.code, ran.problem["code"]) == (1, "unexpected-answer")


def test_receiver_needs_the_delivery_and_its_blobs_and_no_ledger(
    office: Office, release: Release, tmp_path: Path
) -> None:
    deliver(office, release, tmp_path)
    assert office.run("receive", release.claim, "--into", "bank", "--once", person=BEA).code == 0
    assert not [asked for asked in office.api.asked if "ledger" in asked]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_receiver_that_its_service_manager_ends_leaves_no_command_at_work(
    office: Office, release: Release, tmp_path: Path, number: signal.Signals
) -> None:
    deliver(office, release, tmp_path)
    noted = tmp_path / "pid"
    script = f"echo $$ > {noted}; kill -{number.name.removeprefix('SIG')} $PPID; sleep 600"
    words = ("--into", "bank", "--once", "--activate", shlex.join(("sh", "-c", script)))
    usual = signal.signal(number, signal.SIG_DFL)  # under nohup, the tests ignore one of them
    try:
        assert office.run("receive", release.claim, *words, person=BEA).code != 0
        assert signal.getsignal(number) is signal.SIG_DFL
    finally:
        signal.signal(number, usual)
    with pytest.raises(ProcessLookupError):
        os.kill(int(noted.read_text()), 0)
    assert receipts(office) == []


def test_only_the_claimant_receives(office: Office, release: Release, tmp_path: Path) -> None:
    deliver(office, release, tmp_path)
    ran = office.run("receive", release.claim, "--into", "bank", "--once", person=BEN)
    assert ran.problem["code"] == "not-a-receiver"


SLIPS: dict[str, tuple[str, PersonId, tuple[str, ...]]] = {
    "no-such-claim": ("sha256:" + 64 * "0", BEA, ()),
    "malformed-name": ("clm_typed", BEA, ()),
    "not-a-receiver": ("", BEN, ()),
    "agreement-not-trusted": ("", BEA, ("--trust", "sha256:" + 64 * "0")),
}


@pytest.mark.parametrize("code", SLIPS)
def test_a_slip_in_the_command_ends_it_at_once(
    code: str, office: Office, release: Release, tmp_path: Path
) -> None:
    deliver(office, release, tmp_path)
    claim, person, words = SLIPS[code]
    ran = office.run("receive", claim or release.claim, "--into", "bank", *words, person=person)
    assert (ran.code, ran.problem["code"]) == (1, code)


def test_a_claim_that_was_found_and_is_gone_is_waited_for(
    office: Office, release: Release, tmp_path: Path
) -> None:
    escrow, path = deliver(office, release, tmp_path), f"/v1/claims/{release.claim}/delivery"
    gone = (404, {"code": "no-such-claim", "detail": "nothing here", "title": "t", "advice": "a"})
    delivery, looks = office.api.shows[path], iter([1, 2])

    def shown() -> object:
        if next(looks) == 1:
            office.api.fails[f"GET {path}"] = [gone, gone]
        else:
            escrow.happens(lambda world: world.withdraws())
        return delivery()

    office.api.shows[path] = shown
    ran = office.run("receive", release.claim, "--into", "bank", person=BEA)
    assert (ran.code, ran.err.count('"no-such-claim"')) == (0, 1)
    assert office.pauses == [5, 5, 10]


def test_agreement_other_than_the_pinned_one_is_not_received(
    office: Office, release: Release, tmp_path: Path
) -> None:
    deliver(office, release, tmp_path)
    wrong = "sha256:" + 64 * "0"
    ran = office.run("receive", release.claim, "--into", "bank", "--once", "--trust", wrong, person=BEA)
    assert ran.problem["code"] == "agreement-not-trusted"


def test_receiver_runs_until_the_claim_is_over(office: Office, release: Release, tmp_path: Path) -> None:
    escrow = deliver(office, release, tmp_path)
    escrow.happens(lambda world: world.withdraws())
    ran = office.run("receive", release.claim, "--into", "bank", person=BEA)
    assert (ran.code, ran.out) == (0, 'provisional: rolled back ("nothing was activated here")\n')
    again = office.run("receive", release.claim, "--into", "bank", person=BEA)
    assert (again.code, again.err.splitlines()[-1]) == (0, "claim WITHDRAWN: nothing left to do")


def test_custody_is_shown_as_the_gate_signed_it(office: Office, release: Release) -> None:
    ran = office.run("custody", "status", AGREEMENT.id, "--json", person=BEA)
    assert ran.code == 0, ran.err
    shown = {item["component"]: item for item in ran.json["custody"]}
    assert shown[DOCS]["custody"] == release.sealed[DOCS].deposited.custody
    assert shown["source"]["epoch"] is None


def test_receiver_says_where_to_read_what_a_claim_waits_for(
    office: Office, release: Release, tmp_path: Path
) -> None:
    escrow = deliver(office, release, tmp_path)
    shown: dict[str, Any] = dict(escrow.delivery(release.claim))
    office.api.shows[f"/v1/claims/{release.claim}/record"] = {"entries": shown["record"][:2]}
    ran = office.run("receive", release.claim, "--into", "bank", "--once", person=BEA)
    assert "tallystick claim explain" in ran.err
