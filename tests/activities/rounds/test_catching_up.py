"""A copy that could not be made at once is made as soon as its store can take it, and told if it is late."""

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import pytest

from activities.rounds.catching_up import CopiesSoon
from activities.rounds.copies import Copies
from tallystick.domain.ids import AgreementId, Digest, party_of, sha256_digest
from tallystick.domain.kinds import Happening
from tallystick.limits.api import UPLOAD_LONG_BYTES_MIN
from tallystick.limits.storage import COPY_LATE, COPY_RETRY_MIN
from tallystick.store.blobs import behind, room
from tallystick.store.blobs.behind import CopiesBehind
from tallystick.store.blobs.folder import FileBlobStore
from tallystick.store.blobs.replicas import ReplicatedBlobs
from tallystick.store.blobs.room import Upload
from tallystick.store.blobs.uploads import BlobPurpose, blobs_with
from tallystick.store.database.session import reading, transaction
from tallystick.store.registers.events import events
from tests.support.worlds.agreements import BEA, LOG_KEY
from tests.support.worlds.gate_worlds import FILED, World
from tests.support.worlds.prepared_worlds import prepared_world

DOCUMENT: Final = b"what the API put into one store"
BLOB: Final = sha256_digest(DOCUMENT)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> World:
    return prepared_world(tmp_path_factory.mktemp("prepared"))


@pytest.fixture
def world(prepared: World, tmp_path: Path) -> World:
    return prepared.copied_to(tmp_path / "world")


class Clock:
    """The worker's time."""

    def __init__(self) -> None:
        self.now = FILED

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def owed() -> list[AgreementId]:
    return []


@pytest.fixture
def copies(world: World, clock: Clock, owed: list[AgreementId]) -> Copies:
    return Copies(
        database=world.database,
        blobs=world.blobs,
        log_key=LOG_KEY,
        clock=clock,
        rest=lambda _: None,
        owed=owed.append,
    )


@pytest.fixture
def soon(copies: Copies) -> CopiesSoon:
    return CopiesSoon(copies, long=False)


def sent(world: World, data: bytes = DOCUMENT, *, size_bytes: int | None = None) -> Digest:
    """What an API has done that may write the first store only."""
    read = FileBlobStore(world.folder / "south", name="south", writable=False)
    blobs = ReplicatedBlobs([FileBlobStore(world.folder / "north", name="north"), read])
    stored = blobs.put(sha256_digest(data), len(data), lambda: [data])
    one = Upload(
        agreement_id=world.agreement.id,
        digest=sha256_digest(data),
        purpose=BlobPurpose.EVIDENCE,
        owner=sha256_digest(b"bea's key"),
        party=party_of(BEA),
    )
    with transaction(world.database) as session:
        room.has_arrived(session, one, size_bytes or len(data), FILED, everywhere=stored.everywhere)
    return one.digest


def counted(world: World) -> CopiesBehind:
    with reading(world.database) as session:
        return behind.count(session)


def told(world: World, blob: Digest = BLOB) -> list[tuple[Happening, tuple[str, ...]]]:
    with reading(world.database) as session:
        found = [event for _, event in events(session, world.agreement.id, causes=[blob])]
    return [(event.happening, event.because) for event in found]


def test_what_one_store_has_is_copied_to_the_other_and_that_is_nobodys_news(
    world: World, soon: CopiesSoon, owed: list[AgreementId]
) -> None:
    sent(world)
    assert counted(world) == CopiesBehind(blobs=1, since=FILED)
    assert len(world.sealed_files(BLOB)) == 1

    soon.copy()

    assert [path.read_bytes() for path in world.sealed_files(BLOB)] == [DOCUMENT] * 2
    assert counted(world) == CopiesBehind(blobs=0, since=None)
    assert (told(world), owed) == ([], [])


def test_after_that_the_first_store_may_lose_it(world: World, copies: Copies, soon: CopiesSoon) -> None:
    sent(world)
    soon.copy()
    lost, _ = world.sealed_files(BLOB)
    lost.unlink()

    copies.look_at(BLOB)  # as the daily round does

    assert len(world.sealed_files(BLOB)) == 2
    assert told(world) == [
        (Happening.REPLICA_REPAIRED, (f"blob {BLOB}", "north missing, replaced from a good copy"))
    ]


def test_a_store_that_is_away_is_caught_up_as_soon_as_it_is_back(world: World, soon: CopiesSoon) -> None:
    sent(world)
    (world.folder / "south").rename(world.folder / "elsewhere")
    for _ in range(3):
        soon.copy()
    assert (counted(world).blobs, told(world)) == (1, [])
    assert not (world.folder / "south").exists(), "nothing is written in the place of a disk that is away"

    (world.folder / "elsewhere").rename(world.folder / "south")
    soon.copy()
    assert (counted(world).blobs, told(world)) == (0, [])


def test_the_parties_are_told_of_a_copy_that_is_late_and_of_its_coming(
    world: World, clock: Clock, copies: Copies, soon: CopiesSoon, owed: list[AgreementId]
) -> None:
    sent(world)
    (world.folder / "south").rename(world.folder / "elsewhere")
    clock.now += COPY_LATE
    soon.copy()
    assert told(world) == []

    clock.now += timedelta(seconds=1)
    for _ in range(2):
        soon.copy()
        CopiesSoon(copies, long=False).copy()  # another worker, or this one after a restart
    late = (Happening.REPLICA_LOST, (f"blob {BLOB}", "south unreadable"))
    assert (told(world), owed) == ([late], [world.agreement.id])

    (world.folder / "elsewhere").rename(world.folder / "south")
    soon.copy()
    came = (Happening.REPLICA_REPAIRED, (f"blob {BLOB}", "south missing, replaced from a good copy"))
    assert told(world) == [late, came]


def test_a_blob_that_was_lost_before_it_was_copied_is_reported_at_once_and_can_be_sent_again(
    world: World, clock: Clock, soon: CopiesSoon
) -> None:
    sent(world)
    (only,) = world.sealed_files(BLOB)
    only.unlink()

    soon.copy()

    lost = (Happening.REPLICA_LOST, (f"blob {BLOB}", "north missing", "south missing"))
    assert told(world) == [lost]
    with reading(world.database) as session:
        assert [one.lost for one in blobs_with(session, BLOB)] == [True]

    sent(world)
    clock.now += COPY_RETRY_MIN
    soon.copy()
    with reading(world.database) as session:
        assert [one.lost for one in blobs_with(session, BLOB)] == [False]
    assert len(world.sealed_files(BLOB)) == 2


def test_what_cannot_be_copied_is_looked_at_again_after_a_pause_and_holds_up_no_other(
    world: World, clock: Clock, soon: CopiesSoon
) -> None:
    sent(world)
    (only,) = world.sealed_files(BLOB)
    only.write_bytes(b"spoilt")
    soon.copy()
    only.write_bytes(DOCUMENT)
    other = sent(world, b"another")

    soon.copy()
    assert (len(world.sealed_files(other)), len(world.sealed_files(BLOB))) == (2, 1)

    clock.now += COPY_RETRY_MIN
    soon.copy()
    assert len(world.sealed_files(BLOB)) == 2


def test_long_blobs_are_left_to_a_thread_of_their_own(world: World, copies: Copies, soon: CopiesSoon) -> None:
    sent(world, size_bytes=UPLOAD_LONG_BYTES_MIN)
    soon.copy()
    assert counted(world).blobs == 1
    CopiesSoon(copies, long=True).copy()
    assert counted(world).blobs == 0


def test_what_a_round_could_not_replace_is_replaced_as_soon_as_that_can_be(
    world: World, copies: Copies, soon: CopiesSoon
) -> None:
    sent(world)
    soon.copy()
    north, south = world.sealed_files(BLOB)
    south.unlink()
    read_only = FileBlobStore(world.folder / "south", name="south", writable=False)
    blobs = ReplicatedBlobs([FileBlobStore(world.folder / "north", name="north"), read_only])
    replace(copies, blobs=blobs).look_at(BLOB)
    assert counted(world).blobs == 1

    soon.copy()

    assert south.read_bytes() == north.read_bytes()
    assert [happening for happening, _ in told(world)] == [
        Happening.REPLICA_LOST,
        Happening.REPLICA_REPAIRED,
    ]


def test_a_note_that_was_made_meanwhile_stays(world: World) -> None:
    sent(world)
    with transaction(world.database) as session:
        noted = behind.noted(session, BLOB)
        assert noted is not None
        behind.note_everywhere(session, BLOB, noted.latest - timedelta(seconds=1))
        assert behind.noted(session, BLOB) == noted
        behind.note_everywhere(session, BLOB, noted.latest)
        assert behind.noted(session, BLOB) is None
