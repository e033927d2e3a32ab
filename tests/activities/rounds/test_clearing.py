"""What nobody needs is removed after its time; what a statement names, or what is on its way, never."""

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import pytest
from sqlmodel import col, select
from structlog.testing import capture_logs

from activities.rounds.clearing import Clearance
from tallystick.domain.ids import Digest, party_of, sha256_digest
from tallystick.limits.storage import BLOB_ORPHANED_MAX, BLOB_UNNAMED_MAX
from tallystick.store.blobs import room
from tallystick.store.blobs.room import Upload
from tallystick.store.blobs.uploads import BlobPurpose, known_blobs
from tallystick.store.database.session import reading, transaction
from tallystick.store.database.tables import BlobRow
from tallystick.store.registers import deposits
from tests.support.worlds.agreements import AGREEMENT, BEA, DORA
from tests.support.worlds.documents import sealed
from tests.support.worlds.gate_worlds import World
from tests.support.worlds.prepared_worlds import CONTENTS, deposited, prepared_world

JUNK: Final = b"what nobody names"
NAMED: Final = sealed(AGREEMENT, "insolvency-record")  # a document of the claim that `World.file` files
NOW: Final = datetime.now(UTC).replace(microsecond=0)
LONG_AGO: Final = NOW - BLOB_UNNAMED_MAX - timedelta(days=1)
OWNER: Final = sha256_digest(b"bea's key")


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> World:
    return prepared_world(tmp_path_factory.mktemp("prepared"))


@pytest.fixture
def world(prepared: World, tmp_path: Path) -> World:
    return prepared.copied_to(tmp_path / "world")


def clear(world: World, *, clock: Callable[[], datetime] = lambda: NOW) -> None:
    Clearance(database=world.database, blobs=world.blobs, clock=clock).clear()


def upload(world: World, data: bytes, purpose: BlobPurpose = BlobPurpose.EVIDENCE) -> Upload:
    person = DORA if purpose is BlobPurpose.DEPOSIT else BEA
    return Upload(
        agreement_id=world.agreement.id,
        digest=sha256_digest(data),
        purpose=purpose,
        owner=OWNER,
        party=party_of(person),
    )


def sent(world: World, data: bytes, at: datetime, purpose: BlobPurpose = BlobPurpose.EVIDENCE) -> Digest:
    """A blob that arrived so long ago."""
    one = upload(world, data, purpose)
    with transaction(world.database) as session:
        room.take(session, one, len(data), at)
        room.has_arrived(session, one, len(data), at)
    return stored(world, data, at)


def stored(world: World, data: bytes, at: datetime) -> Digest:
    digest = sha256_digest(data)
    world.blobs.put(digest, len(data), lambda: [data])
    for copy in world.sealed_files(digest):
        os.utime(copy, (at.timestamp(), at.timestamp()))
    return digest


def copies(world: World, digest: Digest) -> int:
    return len(world.sealed_files(digest))


def test_what_no_statement_names_is_removed_after_its_time_with_every_copy(world: World) -> None:
    junk = sent(world, JUNK, LONG_AGO)
    recent = sent(world, b"sent lately", NOW - BLOB_UNNAMED_MAX + timedelta(minutes=1))
    clear(world)
    with reading(world.database) as session:
        assert junk not in known_blobs(session)
        assert recent in known_blobs(session)
    assert (copies(world, junk), copies(world, recent)) == (0, 2)


def test_what_a_statement_names_stays_for_ever(world: World) -> None:
    named = sent(world, NAMED, LONG_AGO)
    world.file(deposited(world))
    for _ in range(2):
        clear(world)
        assert copies(world, named) == 2
    with reading(world.database) as session:
        assert named in known_blobs(session)


def test_every_sealed_file_of_a_deposit_stays(world: World) -> None:
    with reading(world.database) as session:
        last = deposits.latest(session, world.agreement.id)
    assert last is not None
    body = last.body()
    for component in body.components:
        data = world.sealed_files(component.sealed_digest)[0].read_bytes()
        sent(world, data, LONG_AGO, BlobPurpose.DEPOSIT)
    clear(world)
    assert len(body.components) == len(CONTENTS)
    assert all(copies(world, component.sealed_digest) == 2 for component in body.components)


def test_what_is_being_sent_again_stays(world: World) -> None:
    junk = sent(world, JUNK, LONG_AGO)
    with transaction(world.database) as session:
        room.take(session, upload(world, JUNK), len(JUNK), NOW)
    clear(world)
    assert copies(world, junk) == 2


def test_a_damaged_log_may_name_anything_so_nothing_is_removed(world: World) -> None:
    junk = sent(world, JUNK, LONG_AGO)
    world.execute(
        "UPDATE ledger_entries SET envelope = ? WHERE agreement_id = ? AND kind = 'deposit'",
        b"{}",
        world.agreement.id,
    )
    clear(world)
    assert copies(world, junk) == 2


def test_a_clock_that_runs_ahead_removes_nothing(world: World) -> None:
    junk = sent(world, JUNK, NOW - timedelta(minutes=1))
    orphan = stored(world, b"just made", NOW - timedelta(minutes=1))
    clear(world, clock=lambda: NOW + timedelta(days=400))
    assert (copies(world, junk), copies(world, orphan)) == (2, 2)


def test_copies_that_no_agreement_knows_are_removed_after_their_time(world: World) -> None:
    old = stored(world, b"an old export", NOW - BLOB_ORPHANED_MAX - timedelta(minutes=1))
    new = stored(world, b"a new export", NOW - timedelta(minutes=1))
    clear(world)
    assert (copies(world, old), copies(world, new)) == (0, 2)


def test_a_copy_stays_whose_blob_is_on_its_way(world: World) -> None:
    orphan = stored(world, JUNK, LONG_AGO)
    with transaction(world.database) as session:
        room.take(session, upload(world, JUNK), len(JUNK), NOW)
    clear(world)
    assert copies(world, orphan) == 2


def test_a_round_that_ended_between_note_and_copies_is_finished_by_the_next(world: World) -> None:
    junk = sent(world, JUNK, LONG_AGO)
    with transaction(world.database) as session:
        session.delete(session.exec(select(BlobRow).where(col(BlobRow.digest) == junk)).one())
    clear(world)
    assert copies(world, junk) == 0


def test_a_copy_that_cannot_be_removed_keeps_no_other(world: World) -> None:
    old = [b"an old export", b"an older export", b"the oldest export"]
    stuck, *others = sorted(stored(world, data, LONG_AGO) for data in old)
    copy = world.sealed_files(stuck)[0]
    copy.unlink()
    copy.mkdir()
    os.utime(copy, (LONG_AGO.timestamp(), LONG_AGO.timestamp()))
    with capture_logs() as logs:
        clear(world)
    assert [copies(world, one) for one in (stuck, *others)] == [0, 0, 0]
    (told,) = [one for one in logs if one["log_level"] == "warning"]
    assert (told["event"], told["code"]) == ("a copy that nobody needs was not removed", "blob-store-failed")


def test_a_store_that_cannot_be_listed_keeps_no_copy_in_another(world: World) -> None:
    orphan = stored(world, b"an old export", LONG_AGO)
    north, south = world.sealed_files(orphan)
    north.unlink()
    north.symlink_to(north.name)
    clear(world)
    assert not south.exists()


def test_the_room_of_what_was_removed_is_free_again(world: World) -> None:
    sent(world, JUNK, LONG_AGO)
    clear(world)
    with reading(world.database) as session:
        assert session.exec(select(BlobRow).where(col(BlobRow.uploaded_by) == OWNER)).all() == []
