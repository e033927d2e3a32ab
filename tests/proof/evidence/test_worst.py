"""The largest and slowest record that the rules permit is verified, soon and in little memory."""

from pathlib import Path

import pytest

from tallystick.domain.kinds import Happening
from tallystick.domain.statements.engine import Event
from tallystick.limits.logs import EVIDENCE_ENTRIES_MAX, EVIDENCE_SIZE_BYTES_MAX
from tests.support.verdicts import verdict_on
from tests.support.worlds.agreements import CRITICAL, LOG_KEY
from tests.support.worlds.attackers import Attackers
from tests.support.worlds.worst_records import fill, room, worst_record


@pytest.fixture(scope="module")
def attackers(tmp_path_factory: pytest.TempPathFactory) -> Attackers:
    return worst_record(tmp_path_factory.mktemp("worst") / "world")


def test_the_worst_record_is_verified_soon_and_in_little_memory(attackers: Attackers, tmp_path: Path) -> None:
    rows = list(attackers.rows)
    fill(attackers, room(attackers))
    file = tmp_path / "evidence.json"
    file.write_bytes(attackers.file())
    attackers.rows[:] = rows

    assert file.stat().st_size > EVIDENCE_SIZE_BYTES_MAX * 0.97
    verdict = verdict_on(file)
    assert verdict.holds, verdict
    assert verdict.is_soon_and_small(), verdict


def test_a_record_that_is_wrong_at_its_end_is_refused_as_soon(attackers: Attackers, tmp_path: Path) -> None:
    rows = list(attackers.rows)
    fill(attackers, room(attackers) - 1)
    engine = attackers.world.engine_person
    attackers.say(Event, engine, LOG_KEY, happening=Happening.QUORUM_REACHED, stage=CRITICAL)
    file = tmp_path / "evidence.json"
    file.write_bytes(attackers.file())
    assert len(attackers.rows) == EVIDENCE_ENTRIES_MAX
    attackers.rows[:] = rows

    verdict = verdict_on(file)
    assert verdict.premise == "record-folds", verdict
    assert verdict.is_soon_and_small(), verdict
