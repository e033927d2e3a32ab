"""What a log says about letters is read once; then only what is newer."""

from dataclasses import replace
from pathlib import Path

import pytest

from activities.notices.letter_records import LetterRecords
from tallystick.domain.ids import Digest
from tallystick.domain.kinds import Happening
from tallystick.domain.statements.engine import Event
from tallystick.store.damage import LedgerCorruptError
from tallystick.store.database.session import reading
from tests.support.worlds.agreements import LOG_KEY, agreement
from tests.support.worlds.gate_worlds import MONDAY, World
from tests.support.worlds.groundwork import some_digest
from tests.support.worlds.prepared_worlds import prepared_world


@pytest.fixture
def world(tmp_path: Path) -> World:
    return prepared_world(tmp_path / "world")


def lost(world: World, number: int) -> None:
    body = world.body(
        Event,
        world.engine_person,
        MONDAY,
        happening=Happening.REPLICA_LOST,
        cause=some_digest(number),
        because=(f"blob {number}",),
    )
    world.slip_in(world.signed(body, LOG_KEY), MONDAY)


def told(records: LetterRecords, world: World) -> list[Digest | None]:
    """The blobs that the depositor is owed a letter about."""
    with reading(world.database) as session:
        _, owed = records.owed(session, world.agreement.id)
    return [] if not owed else [event.cause for _, event in owed[0].findings]


def spoil(world: World) -> None:
    world.execute("UPDATE ledger_entries SET envelope = x'00' WHERE cause = ?", some_digest(1))


def test_only_what_is_newer_is_read(world: World) -> None:
    records = LetterRecords()
    lost(world, 1)
    assert told(records, world) == [some_digest(1)]
    spoil(world)
    lost(world, 2)
    assert told(records, world) == [some_digest(1), some_digest(2)]
    with pytest.raises(LedgerCorruptError):
        told(LetterRecords(), world)


def test_a_new_version_of_the_agreement_is_a_reason_to_read_from_the_beginning(world: World) -> None:
    records = LetterRecords()
    lost(world, 1)
    told(records, world)
    spoil(world)
    replace(world, agreement=agreement(version=2, supersedes=world.digest)).register()
    with pytest.raises(LedgerCorruptError):
        told(records, world)


def test_a_log_that_became_shorter_is_read_from_the_beginning(world: World) -> None:
    records = LetterRecords()
    lost(world, 1)
    backup = world.copied_to(world.folder.with_name("backup"))
    lost(world, 2)
    assert told(records, world) == [some_digest(1), some_digest(2)]
    assert told(records, backup) == [some_digest(1)]


def test_what_is_much_is_read_anew_and_not_remembered(world: World) -> None:
    records = LetterRecords(entries_max=1)
    lost(world, 1)
    lost(world, 2)
    told(records, world)
    spoil(world)
    with pytest.raises(LedgerCorruptError):
        told(records, world)
