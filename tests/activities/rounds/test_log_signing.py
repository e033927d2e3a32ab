"""A log that cannot be signed is logged once, until something else is wrong with it, or a day on."""

import sqlite3
from pathlib import Path
from typing import Final

import pytest
from structlog.testing import capture_logs

from activities.rounds.log_signing import LogSigning
from tallystick.limits.processes import SAID_AGAIN_AFTER
from tests.support.worlds.agreements import LOG_KEY
from tests.support.worlds.gate_worlds import World
from tests.support.worlds.prepared_worlds import prepared_world

DAY: Final = SAID_AGAIN_AFTER.total_seconds()
ALTERED: Final = "UPDATE ledger_entries SET salt = zeroblob(32) WHERE kind = 'deposit'"


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> World:
    return prepared_world(tmp_path_factory.mktemp("prepared"))


@pytest.fixture
def world(prepared: World, tmp_path: Path) -> World:
    return prepared.copied_to(tmp_path / "world")


class Signing:
    """Signs all logs at each call, by a clock that the test moves."""

    def __init__(self, world: World) -> None:
        self.now = 0.0
        self._signing = LogSigning(
            database=world.database,
            log_key=LOG_KEY,
            deployment=world.agreement.deployment,
            clock=lambda: self.now,
        )

    def says(self, times: int = 1) -> int:
        """Sign so often, and return how many lines were logged."""
        with capture_logs() as logs:
            for _ in range(times):
                self._signing.sign_all()
        assert {line["event"] for line in logs} <= {"no checkpoint was signed"}
        return len(logs)


def test_damage_of_a_log_is_logged_once_and_again_after_a_day(world: World) -> None:
    world.execute(ALTERED)
    signing = Signing(world)
    assert signing.says(times=5) == 1
    signing.now = DAY - 1
    assert signing.says() == 0
    signing.now = DAY
    assert signing.says(times=2) == 1


def test_damage_that_comes_back_after_the_log_was_signed_is_news(world: World) -> None:
    with sqlite3.connect(world.folder / "store.db") as stored:
        ((salt,),) = stored.execute("SELECT salt FROM ledger_entries WHERE kind = 'deposit'").fetchall()
    stored.close()
    signing = Signing(world)
    world.execute(ALTERED)
    assert signing.says(times=2) == 1
    world.execute("UPDATE ledger_entries SET salt = ? WHERE kind = 'deposit'", salt)
    assert signing.says() == 0
    world.execute("DELETE FROM checkpoints")
    world.execute(ALTERED)
    assert signing.says(times=2) == 1


def test_a_sound_log_is_nobodys_news(world: World) -> None:
    assert Signing(world).says(times=2) == 0
