"""A round hashes every log again, in pieces; damage is recorded once, and the parties get a letter."""

from datetime import timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from activities.notices.letter_records import LetterRecords
from activities.rounds.log_checking import LogChecking
from activities.rounds.log_signing import LogSigning
from tallystick.domain.kinds import Happening
from tallystick.domain.notice.storage import storage_letter
from tallystick.domain.statements.engine import Event
from tallystick.store.database.session import reading
from tallystick.store.registers.events import events
from tests.support.worlds.agreements import LOG_KEY
from tests.support.worlds.gate_worlds import MONDAY, World
from tests.support.worlds.prepared_worlds import prepared_world

NOW = MONDAY + timedelta(days=400)
ALTERED = "UPDATE ledger_entries SET salt = zeroblob(32) WHERE kind = 'deposit'"


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> World:
    world = prepared_world(tmp_path_factory.mktemp("prepared"))
    deployment = world.agreement.deployment
    LogSigning(database=world.database, log_key=LOG_KEY, deployment=deployment).sign_all()
    return world


@pytest.fixture
def world(prepared: World, tmp_path: Path) -> World:
    return prepared.copied_to(tmp_path / "world")


def checks(world: World) -> list[timedelta]:
    """Make a round through the logs, and return how long it rested after each piece."""
    rests: list[timedelta] = []
    LogChecking(database=world.database, log_key=LOG_KEY, clock=lambda: NOW, rest=rests.append).check_all()
    return rests


def damage(world: World) -> list[Event]:
    with reading(world.database) as session:
        told = [event for _, event in events(session, world.agreement.id)]
    return [event for event in told if event.happening is Happening.LEDGER_DAMAGED]


def test_a_sound_log_is_nobodys_news(world: World) -> None:
    with capture_logs() as logs:
        assert len(checks(world)) == 1
    assert (damage(world), logs) == ([], [])


def test_an_altered_entry_is_recorded_once_and_reported_to_the_parties(world: World) -> None:
    world.execute(ALTERED)
    with capture_logs() as logs:
        checks(world)
    assert [line["log_level"] for line in logs] == ["error"]
    checks(world)
    (event,) = damage(world)
    assert event.cause == world.digest
    assert "an entry is not what was logged" in event.because[0]
    with reading(world.database) as session:
        signed, owed = LetterRecords().owed(session, world.agreement.id)
    assert len(owed) == 3
    text = storage_letter(signed.agreement, owed[0])
    assert ("DAMAGED" in text, "Nothing is released under this agreement" in text) == (True, True)


@pytest.mark.parametrize(
    ("done", "found"),
    [
        ("UPDATE checkpoints SET note = CAST(note || 'A' AS BLOB)", "was not signed by this log's keys"),
        ("UPDATE checkpoints SET note = CAST(note AS TEXT)", "a stored checkpoint is damaged"),
    ],
)
def test_an_altered_checkpoint_is_damage(world: World, done: str, found: str) -> None:
    world.execute(done)
    checks(world)
    (event,) = damage(world)
    assert found in event.because[0]


def test_a_log_in_which_nothing_can_be_recorded_is_logged(world: World) -> None:
    world.execute("UPDATE logs SET frontier = x'00'")
    with capture_logs() as logs:
        checks(world)
    assert [line["event"] for line in logs] == ["a stored log is damaged", "a log was not looked at"]
