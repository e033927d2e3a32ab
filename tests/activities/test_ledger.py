"""Anyone who moves a clock, or forges a workflow, gains nothing from the ledger's activities."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.agreement.deadlines import CalendarExhaustedError
from tallystick.domain.claim.state import ClaimState
from tallystick.domain.errors import TallystickError
from tallystick.domain.progress.due import due
from tallystick.messages import RecordHappening
from tests.support.stories.recording import activities, filing, happening
from tests.support.worlds.agreements import AGREEMENT, BEN, DORA, agreement
from tests.support.worlds.gate_worlds import ACKNOWLEDGED, READY, World, typed
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


def calendars_until(day: date) -> Agreement:
    return agreement(calendars=tuple(replace(one, covers_until=day) for one in AGREEMENT.calendars))


def lengthened(world: World, **changes: object) -> Agreement:
    """Version 2, whose calendars are those of the sound agreement."""
    second = {"version": 2, "supersedes": world.digest, "calendars": AGREEMENT.calendars, **changes}
    return replace(world.agreement, **second)  # type: ignore[arg-type]


def test_a_claim_whose_deadlines_cannot_be_computed_is_not_filed(tmp_path: Path) -> None:
    world = prepared_world(tmp_path / "site", first=calendars_until(date(2026, 10, 9)))
    with pytest.raises(TallystickError, match="calendar de-by") as refusal, typed():
        activities(world).file_claim(filing(world))
    assert refusal.value.code == "calendar-exhausted"


def test_it_is_filed_once_a_version_only_has_longer_calendars_even_before_that_takes_effect(
    tmp_path: Path,
) -> None:
    world = prepared_world(tmp_path / "site", first=calendars_until(date(2026, 10, 9)))
    ahead = lengthened(world, effective_from=READY + timedelta(days=99))
    World(folder=world.folder, agreement=ahead).register()
    assert activities(world).file_claim(filing(world)).entries


def test_a_running_claim_continues_once_a_version_only_has_longer_calendars(tmp_path: Path) -> None:
    world = accepted(
        prepared_world(tmp_path / "site", first=calendars_until(date(2026, 10, 9))), settle=False
    )
    with pytest.raises(CalendarExhaustedError):
        due(world.agreement, world.case().claim, at=ACKNOWLEDGED)
    World(folder=world.folder, agreement=lengthened(world)).register()
    case = world.case()
    owed = due(case.agreement, case.claim, at=ACKNOWLEDGED)
    assert owed is not None
    asked = happening(
        world, owed.happening, ACKNOWLEDGED, until=owed.until, because=owed.because, cause=owed.cause
    )
    assert activities(world).record_happening(asked).recorded
    assert world.case().claim.state is ClaimState.WINDOW
    assert world.case().claim.window_until == owed.until


def test_a_version_that_changes_more_than_calendars_moves_no_running_claim(tmp_path: Path) -> None:
    world = accepted(
        prepared_world(tmp_path / "site", first=calendars_until(date(2026, 10, 9))), settle=False
    )
    World(folder=world.folder, agreement=lengthened(world, title="Another")).register()
    case = world.case()
    with pytest.raises(CalendarExhaustedError):
        due(case.agreement, case.claim, at=ACKNOWLEDGED)
