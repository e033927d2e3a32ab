"""`tallystick evidence report`: what a file proves, told on paper or on a page."""

import io
import json
from pathlib import Path

import pytest
from pypdf import PdfReader
from typer.testing import CliRunner

from tallystick.cli.commands import evidence as command
from tallystick.domain.claim.claim import Claim
from tallystick.proof.evidence.established import EvidenceBrokenError
from tallystick.proof.evidence.grounds import grounds_of
from tallystick.store.cases.evidence import export
from tallystick.store.database.session import transaction
from tests.support.worlds.agreements import CRITICAL, LOG_KEY
from tests.support.worlds.gate_worlds import READY, ROOT_KEYS, World
from tests.support.worlds.prepared_worlds import released_world


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return released_world(tmp_path_factory.mktemp("released"))


@pytest.fixture(scope="module")
def file(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("evidence") / "evidence.json"
    with transaction(world.database) as session:
        path.write_bytes(export(session, world.claim, LOG_KEY, root_keys=ROOT_KEYS, at=READY))
    return path


def test_a_pdf_holds_the_file_that_it_tells(world: World, file: Path, tmp_path: Path) -> None:
    out = tmp_path / "report.pdf"
    done = CliRunner().invoke(command.app, ["report", str(file), "--out", str(out), "--trust", world.digest])
    assert done.exit_code == 0, done.output
    reader = PdfReader(io.BytesIO(out.read_bytes()))
    assert reader.attachments == {"evidence.json": [file.read_bytes()]}
    assert "A stage is released" in reader.pages[0].extract_text()


def test_a_page_is_written_on_request(world: World, file: Path, tmp_path: Path) -> None:
    out = tmp_path / "report.html"
    done = CliRunner().invoke(
        command.app, ["report", str(file), "--out", str(out), "--html", "--trust", world.digest, "--json"]
    )
    assert done.exit_code == 0, done.output
    assert out.read_bytes().startswith(b"<!doctype html>")
    assert json.loads(done.stdout)["state"] == "PROVISIONING"


def test_a_report_without_a_trusted_agreement_says_so_and_ends_with_four(file: Path, tmp_path: Path) -> None:
    out = tmp_path / "report.html"
    done = CliRunner().invoke(command.app, ["report", str(file), "--out", str(out), "--html"])
    assert done.exit_code == command.EXIT_UNANCHORED
    assert 'class="warning"' in out.read_text(encoding="utf-8")


def test_there_is_no_report_of_a_file_that_does_not_hold(file: Path, tmp_path: Path) -> None:
    altered, out = tmp_path / "evidence.json", tmp_path / "report.html"
    altered.write_bytes(file.read_bytes().replace(b'"index":8', b'"index":9', 1))
    done = CliRunner().invoke(command.app, ["report", str(altered), "--out", str(out), "--html"])
    assert isinstance(done.exception, EvidenceBrokenError)
    assert not out.exists()


def test_a_released_stage_keeps_the_claim_as_the_gate_saw_it(file: Path) -> None:
    grounds = grounds_of(file.read_bytes())
    decision = grounds.claim.progress(CRITICAL).decision
    assert decision is not None
    before = grounds.before[decision]
    assert isinstance(before, Claim)
    assert before.record_digest != grounds.claim.record_digest
    assert before.progress(CRITICAL).decision is None
    assert list(grounds.before) == [decision]  # a refusal keeps none
