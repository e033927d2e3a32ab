"""Anyone who moves a clock, or forges a workflow, gains nothing from the ledger's activities."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tallystick.domain.claim.state import ClaimState
from tallystick.domain.errors import TallystickError
from tallystick.domain.progress.due import due
from tallystick.messages import RecordHappening
from tests.support.stories.recording import activities, filing, happening
from tests.support.worlds.agreements import BEN, DORA, agreement
from tests.support.worlds.gate_worlds import READY, World, typed
from tests.support.worlds.prepared_worlds import accepted, prepared_world, unreadable_claim


def due_at(world: World, at: datetime) -> RecordHappening:
    owed = due(world.agreement, world.case().claim, at=at)
    assert owed is not None
    return happening(
        world,
        owed.happening,
        at,
        stage=owed.stage,
        until=owed.until,
        cause=owed.cause,
        because=owed.because,
    )


def test_the_workflows_clock_alone_lets_no_claim_lapse(tmp_path: Path) -> None:
    world = accepted(prepared_world(tmp_path / "site"))
    world.settle(READY - timedelta(days=1))
    ahead = datetime.now(UTC).replace(microsecond=0) + timedelta(days=60)
    asked = due_at(world, ahead)
    assert asked.happening == "lapsed"
    assert not activities(world).record_happening(asked).recorded
    assert world.case().claim.state is ClaimState.APPROVAL
    assert activities(world).record_happening(due_at(world, ahead - timedelta(days=60))).recorded


def test_a_forged_workflow_files_nothing_under_a_superseded_version(tmp_path: Path) -> None:
    world = prepared_world(tmp_path / "site")
    World(folder=world.folder, agreement=agreement(version=2, supersedes=world.digest)).register()
    with pytest.raises(TallystickError) as refusal, typed():
        activities(world).file_claim(filing(world))
    assert refusal.value.code == "agreement-superseded"


def test_filing_reads_no_other_partys_claims(tmp_path: Path) -> None:
    world = prepared_world(tmp_path / "site")
    unreadable_claim(world, DORA)
    assert activities(world).file_claim(filing(world)).entries


def test_filing_reads_the_claims_of_everybody_in_its_party(tmp_path: Path) -> None:
    world = prepared_world(tmp_path / "site")
    unreadable_claim(world, BEN)
    with pytest.raises(TallystickError) as refusal, typed():
        activities(world).file_claim(filing(world))
    assert refusal.value.code == "record-unreadable"
