"""Between releases nobody reads a blob but the storekeeper: it replaces what rots, and says so on record."""

import contextlib
import os
import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest

from activities.storekeeping import Storekeeper
from tallystick.crypto.canonical import sha256_digest
from tallystick.crypto.keys import key_id
from tallystick.crypto.reading import read_signed
from tallystick.domain.ids import Digest
from tallystick.domain.kinds import Happening, Kind
from tallystick.domain.statements import Deposit, Event
from tallystick.limits import DRAFT_IDLE_MAX, SCRUB_REST_MIN
from tallystick.store import agreements, ledger
from tallystick.store.blobs import FileBlobStore
from tallystick.store.session import open_engine, reading, transaction
from tallystick.store.uploads import StoredBlob, known_blobs, record_blob
from tests.support.agreements import DOCS, DORA, LOG_KEY, PEOPLE
from tests.support.gate_worlds import MONDAY, World, prepared_world

NOW = MONDAY + timedelta(days=400)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> World:
    return prepared_world(tmp_path_factory.mktemp("prepared"))


@pytest.fixture
def world(prepared: World, tmp_path: Path) -> World:
    copied = prepared.copied_to(tmp_path / "world")
    with transaction(copied.engine) as session:
        for component in deposited(copied).components:
            uploaded = StoredBlob(
                digest=component.sealed_digest,
                size_bytes=component.sealed_bytes,
                agreement_id=copied.agreement.id,
                uploaded_by=key_id(PEOPLE[DORA].signing_key.public_key),
                purpose="deposit",
            )
            record_blob(session, uploaded)
    return copied


def deposited(world: World) -> Deposit:
    with reading(world.engine) as session:
        stored = agreements.latest_deposit(session, world.agreement.id)
    assert stored is not None
    body = read_signed(stored.entry.statement(), world.agreement).body
    assert isinstance(body, Deposit)
    return body


def make_round(world: World) -> None:
    keeper = Storekeeper(
        engine=world.engine, blobs=world.blobs, log_key=LOG_KEY, clock=lambda: NOW, rest=lambda _: None
    )
    keeper.make_round()


def sealed(world: World) -> Digest:
    return next(one.sealed_digest for one in deposited(world).components if one.component == DOCS)


def repairs(world: World, happening: Happening = Happening.REPLICA_REPAIRED) -> list[Event]:
    """What the ledger says was replaced, each verified as the engine's own word."""
    with reading(world.engine) as session:
        found = ledger.entries(session, world.agreement.id, kinds=[Kind.EVENT])
    events = [read_signed(entry.statement(), world.agreement) for entry in found if entry.claim is None]
    assert all(signed.signers == {world.agreement.engine.log_key} for signed in events)
    bodies = [signed.body for signed in events if isinstance(signed.body, Event)]
    return [body for body in bodies if body.happening is happening]


def test_a_copy_that_rotted_is_replaced_and_that_is_put_on_record(world: World) -> None:
    good, bad = world.sealed_files(sealed(world))
    bad.write_bytes(b"rot" + bad.read_bytes()[3:])

    make_round(world)

    assert bad.read_bytes() == good.read_bytes()
    make_round(world)
    (event,) = repairs(world)
    assert event.cause == sealed(world)
    assert event.because == (f"blob {sealed(world)}", "south altered, replaced from a good copy")
    assert event.issued_at == NOW


def test_a_round_that_finds_everything_whole_records_nothing(world: World) -> None:
    make_round(world)

    assert repairs(world) == []


def test_a_blob_without_a_good_copy_stays_as_it_is_and_hides_no_other(world: World) -> None:
    for path in world.sealed_files(sealed(world)):
        path.unlink()
    others = [one.sealed_digest for one in deposited(world).components if one.component != DOCS]
    for other in others:
        world.sealed_files(other)[0].unlink()

    make_round(world)

    assert [event.because[0] for event in repairs(world)] == [f"blob {other}" for other in sorted(others)]
    assert not any(path.exists() for path in world.sealed_files(sealed(world)))


def test_what_a_dead_process_left_half_written_is_dropped(world: World) -> None:
    draft = world.folder / "north" / "incoming" / "half"
    young = draft.with_name("young")
    for path, age in ((draft, DRAFT_IDLE_MAX), (young, timedelta(0))):
        path.write_bytes(b"half")
        written_at = (NOW - age - timedelta(minutes=1)).timestamp()
        os.utime(path, (written_at, written_at))

    make_round(world)

    assert (draft.exists(), young.exists()) == (False, True)


def test_a_blob_that_is_lost_is_recorded_once_and_again_when_it_is_replaced(world: World) -> None:
    paths = world.sealed_files(sealed(world))
    good = paths[0].read_bytes()
    for path in paths:
        path.write_bytes(b"rot" + good[3:])

    make_round(world)
    make_round(world)

    (event,) = repairs(world, Happening.REPLICA_LOST)
    assert event.because == (f"blob {sealed(world)}", "north altered", "south altered")
    assert event.cause == sealed(world)
    assert repairs(world) == []
    paths[1].write_bytes(good)
    make_round(world)
    (event,) = repairs(world)
    assert event.because[1:] == ("north altered, replaced from a good copy",)
    assert paths[0].read_bytes() == good


def test_a_store_that_cannot_be_read_now_has_lost_nothing(world: World) -> None:
    for path in world.sealed_files(sealed(world)):
        path.unlink()
        path.mkdir()

    make_round(world)

    assert repairs(world) == []
    assert repairs(world, Happening.REPLICA_LOST) == []


def test_a_blob_that_is_still_on_its_way_to_the_second_store_is_left_alone(world: World) -> None:
    arriving = b"not yet everywhere"
    north = FileBlobStore(world.folder / "north", name="north")
    north.put(sha256_digest(arriving), len(arriving), [arriving])

    make_round(world)

    assert len(world.sealed_files(sha256_digest(arriving))) == 1
    assert repairs(world) == []


def test_the_disks_rest_after_each_blob(world: World) -> None:
    rests: list[timedelta] = []
    Storekeeper(
        engine=world.engine, blobs=world.blobs, log_key=LOG_KEY, clock=lambda: NOW, rest=rests.append
    ).make_round()
    with reading(world.engine) as session:
        assert len(rests) == len(known_blobs(session)) > 1
    assert min(rests) >= SCRUB_REST_MIN


def test_a_finding_is_put_on_record_once_the_database_is_back(world: World) -> None:
    with reading(world.engine) as session:
        first = known_blobs(session)[0]
    _, bad = world.sealed_files(first)
    bad.unlink()
    path = world.folder / "store.db"
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        Storekeeper(
            engine=open_engine(f"sqlite:///{path}", busy_max=timedelta(milliseconds=20)),
            blobs=world.blobs,
            log_key=LOG_KEY,
            clock=lambda: NOW,
            rest=lambda _: other.rollback(),
        ).make_round()

    assert bad.exists()
    assert [event.cause for event in repairs(world)] == [first]
