"""The receiver over the API: what was released becomes active at the beneficiary's."""

from pathlib import Path

from tallystick.domain.kinds import ReceiptOutcome
from tallystick.domain.statements.receipts import Receipt
from tallystick.proof.reading import read_signed
from tests.cli.conftest import Office
from tests.support.worlds.agreements import AGREEMENT, BEA, BEN, CRITICAL, DOCS, PROVISIONAL
from tests.support.worlds.deliveries import CONTENT, FolderEscrow, Release


def deliver(office: Office, release: Release, tmp_path: Path) -> FolderEscrow:
    """Show the delivery as the server does."""
    escrow = FolderEscrow(tmp_path / "escrow", release)
    office.api.shows[f"/v1/claims/{release.claim}/delivery"] = escrow.delivery(release.claim)
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
    words = ("--into", "bank", "--once", "--activate", "sh -c 'test -d .'", "--health", "true", "--json")
    ran = office.run("receive", release.claim, *words, person=BEA)
    assert ran.code == 0, ran.err
    assert [report["stage"] for report in ran.json["reported"]] == [PROVISIONAL, CRITICAL]
    assert receipts(office) == [(PROVISIONAL, "activated"), (CRITICAL, "activated")]
    opened = Path("bank/stages") / PROVISIONAL / "current" / DOCS / "data" / "operations.md"
    assert opened.read_bytes() == CONTENT[DOCS]["operations.md"]


def test_script_in_the_users_folder_is_found_from_the_version_folder(
    office: Office, release: Release, tmp_path: Path
) -> None:
    deliver(office, release, tmp_path)
    Path("health.sh").write_text("exit 4\n")
    office.run("receive", release.claim, "--into", "bank", "--once", "--health", "sh ./health.sh", person=BEA)
    assert receipts(office)[0] == (PROVISIONAL, "failed")
    body = read_signed(office.sent()[0], AGREEMENT).body
    assert isinstance(body, Receipt)
    assert body.detail == "the health check ended with exit code 4"


def test_altered_bytes_are_refused_and_nothing_is_reported(
    office: Office, release: Release, tmp_path: Path
) -> None:
    deliver(office, release, tmp_path)
    digest = release.sealed[DOCS].deposited.sealed_digest
    office.api.blobs[digest] = office.api.blobs[digest][:-1] + b"!"
    ran = office.run("receive", release.claim, "--into", "bank", "--once", person=BEA)
    assert (ran.code, ran.problem["code"], office.sent()) == (1, "blob-altered", [])


def test_stage_that_is_shown_without_the_gates_decision_is_refused(
    office: Office, release: Release, tmp_path: Path
) -> None:
    deliver(office, release, tmp_path)
    delivery = office.api.shows[f"/v1/claims/{release.claim}/delivery"]
    for stage in delivery["stages"]:
        stage["decision_envelope"] = None
    ran = office.run("receive", release.claim, "--into", "bank", "--once", person=BEA)
    assert (ran.code, ran.problem["code"]) == (1, "unexpected-answer")


def test_receiver_needs_the_delivery_and_its_blobs_and_no_ledger(
    office: Office, release: Release, tmp_path: Path
) -> None:
    deliver(office, release, tmp_path)
    assert office.run("receive", release.claim, "--into", "bank", "--once", person=BEA).code == 0
    assert not [asked for asked in office.api.asked if "ledger" in asked]


def test_only_the_claimant_receives(office: Office, release: Release, tmp_path: Path) -> None:
    deliver(office, release, tmp_path)
    ran = office.run("receive", release.claim, "--into", "bank", "--once", person=BEN)
    assert ran.problem["code"] == "delivery-refused"


def test_agreement_other_than_the_pinned_one_is_not_received(
    office: Office, release: Release, tmp_path: Path
) -> None:
    deliver(office, release, tmp_path)
    wrong = "sha256:" + 64 * "0"
    ran = office.run("receive", release.claim, "--into", "bank", "--once", "--trust", wrong, person=BEA)
    assert ran.problem["code"] == "agreement-not-trusted"


def test_receiver_runs_until_the_claim_is_over(office: Office, release: Release, tmp_path: Path) -> None:
    deliver(office, release, tmp_path)
    delivery = office.api.shows[f"/v1/claims/{release.claim}/delivery"]
    office.api.shows[f"/v1/claims/{release.claim}/delivery"] = {**delivery, "state": "RELEASED", "stages": []}
    ran = office.run("receive", release.claim, "--into", "bank", person=BEA)
    assert (ran.code, ran.err.splitlines()[-1]) == (0, "claim RELEASED: nothing left to do")


def test_custody_is_shown_as_the_gate_signed_it(office: Office, release: Release) -> None:
    ran = office.run("custody", "status", AGREEMENT.id, "--json", person=BEA)
    assert ran.code == 0, ran.err
    shown = {item["component"]: item for item in ran.json["custody"]}
    assert shown[DOCS]["custody"] == release.sealed[DOCS].deposited.custody
    assert shown["source"]["epoch"] is None


def test_receiver_says_where_to_read_what_a_claim_waits_for(
    office: Office, release: Release, tmp_path: Path
) -> None:
    deliver(office, release, tmp_path)
    delivery = office.api.shows[f"/v1/claims/{release.claim}/delivery"]
    office.api.shows[f"/v1/claims/{release.claim}/delivery"] = {**delivery, "state": "WINDOW", "stages": []}
    ran = office.run("receive", release.claim, "--into", "bank", "--once", person=BEA)
    assert "tallystick claim explain" in ran.err
