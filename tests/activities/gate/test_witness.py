"""The gate as the second witness of a window: it signs once, by its own clock, and only what can be true."""

from datetime import timedelta
from pathlib import Path

import pytest

from tallystick.domain.claim.state import ClaimState
from tallystick.domain.errors import TallystickError
from tallystick.domain.kinds import Happening
from tallystick.domain.statements.acts import Intake, NoticeAcknowledgement
from tallystick.domain.statements.engine import Event, Sighting
from tallystick.messages import SightNotice
from tests.support.worlds.agreements import ANA, DORA, KIM, LOG_KEY, TOM
from tests.support.worlds.gate_worlds import ACKNOWLEDGED, FILED, READY, World, typed
from tests.support.worlds.prepared_worlds import deposited, prepared_world

GIVEN = FILED + timedelta(hours=1)


@pytest.fixture
def notified(tmp_path: Path) -> World:
    """Notice is on record, and the gate has not seen it."""
    world = prepared_world(tmp_path / "world")
    world = world.file(deposited(world))
    world.say(Intake, ANA, GIVEN, accepted=True)
    world.notify(GIVEN)
    return world


def sightings(world: World) -> list[Sighting]:
    return [body for _, body in world.case().claim.entries_of(Sighting)]


def test_gate_signs_once_when_it_saw_the_notice_by_its_own_clock(notified: World) -> None:
    gate = notified.gate(at=GIVEN + timedelta(minutes=2))
    first = gate.sight_notice(SightNotice(claim=notified.claim, at=GIVEN))
    again = gate.sight_notice(SightNotice(claim=notified.claim, at=GIVEN))
    (sighting,) = sightings(notified)
    assert sighting.issued_at == GIVEN + timedelta(minutes=2)
    assert (again, first != "") == ("", True)


def test_a_gate_that_was_held_up_dates_nothing_before_what_came_meanwhile(notified: World) -> None:
    meanwhile = GIVEN + timedelta(minutes=1)
    notified.say(NoticeAcknowledgement, DORA, meanwhile)
    notified.gate(at=GIVEN + timedelta(minutes=2)).sight_notice(SightNotice(claim=notified.claim, at=GIVEN))
    assert [entry.accepted_at for entry in notified.case().raw][-2:] == [meanwhile, meanwhile]


@pytest.mark.parametrize("off_by", [timedelta(hours=-2), timedelta(days=40)], ids=["behind", "ahead"])
def test_gate_whose_clock_disagrees_with_the_workflows_signs_nothing(
    notified: World, off_by: timedelta
) -> None:
    """Not even where the database has this clock, too: a sighting counts for ever."""
    gate = notified.gate(at=GIVEN + off_by, database_at=GIVEN + off_by)
    with pytest.raises(TallystickError, match="cannot have been seen then"), typed():
        gate.sight_notice(SightNotice(claim=notified.claim, at=GIVEN))
    assert sightings(notified) == []


def test_gate_that_no_root_key_has_named_signs_nothing(notified: World) -> None:
    gate = notified.gate(at=GIVEN, root_keys=frozenset())
    with pytest.raises(TallystickError) as refusal, typed():
        gate.sight_notice(SightNotice(claim=notified.claim, at=GIVEN))
    assert refusal.value.code == "not-this-gate"


def test_log_key_with_the_database_cannot_date_a_window_back(notified: World) -> None:
    """Everything but the gate's word is weeks old: the record says so, and the window has not ended."""
    notified.say(NoticeAcknowledgement, DORA, ACKNOWLEDGED)
    notified.settle(ACKNOWLEDGED)
    notified.sight(READY - timedelta(days=4))
    for person in (ANA, KIM, TOM):
        notified.approve(person, READY - timedelta(days=3))
    notified.settle(READY)
    claim = notified.case().claim
    assert claim.window_until is not None
    assert (claim.state, claim.window_until < READY) == (ClaimState.WINDOW, True)
    body = notified.body(
        Event,
        notified.engine_person,
        READY,
        claim=notified.claim,
        happening=Happening.WINDOW_ENDED,
        until=claim.window_until,
    )
    notified.slip_in(notified.signed(body, LOG_KEY), READY)
    with pytest.raises(TallystickError) as refusal, typed():
        notified.decide()
    assert (refusal.value.code, refusal.value.facts["broken_by"]) == ("record-unreadable", "not-due")
