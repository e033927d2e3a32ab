"""A deposit is verified when every store has every sealed file, byte for byte, sealed as it must be."""

import errno
import io
import os
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from activities.deposits import BlobActivities, NoSuchDepositError
from activities.places import ReadingBusyError
from tallystick.crypto import age
from tallystick.crypto.age import X25519Identity
from tallystick.domain.ids import Digest, sha256_digest
from tallystick.domain.statements.deposits import Deposit
from tallystick.limits.processes import BLOB_STEPS_EACH_MAX
from tallystick.messages import DepositVerdict, VerifyDeposit
from tallystick.proof.reading import read_signed
from tallystick.store.blobs.folder import FileBlobStore
from tallystick.store.blobs.replicas import ReplicatedBlobs
from tallystick.store.blobs.store import BlobStoreFailedError
from tallystick.store.database.session import reading, transaction
from tallystick.store.registers import deposits
from tallystick.store.registers.custody import epochs
from tests.support.worlds.agreements import DIRK, DOCS, DORA, PEOPLE
from tests.support.worlds.gate_worlds import MONDAY, World, typed
from tests.support.worlds.prepared_worlds import CONTENTS, deposited, prepared_world


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> World:
    return prepared_world(tmp_path_factory.mktemp("prepared"))


@pytest.fixture
def world(prepared: World, tmp_path: Path) -> World:
    return prepared.copied_to(tmp_path / "world")


def verdict(
    world: World, tell: Callable[[str], None] = lambda _: None, *, blobs: ReplicatedBlobs | None = None
) -> DepositVerdict:
    activities = BlobActivities(database=world.database, blobs=blobs or world.blobs, tell=tell)
    return activities.verify_deposit(VerifyDeposit(agreement=world.agreement.id, deposit=deposited(world)))


def last(world: World) -> Deposit:
    with reading(world.database) as session:
        stored = deposits.latest(session, world.agreement.id)
        assert stored is not None
        body = read_signed(stored.entry.statement(), world.agreement).body
    assert isinstance(body, Deposit)
    return body


def fails(descriptor: int) -> None:
    del descriptor
    raise OSError(errno.EIO, os.strerror(errno.EIO))


def away(world: World) -> ReplicatedBlobs:
    """The stores, one of which was away when the process began: it makes no folders there."""
    south = FileBlobStore(world.folder / "south", name="south", writable=False)
    return ReplicatedBlobs([FileBlobStore(world.folder / "north", name="north"), south])


def files(world: World) -> list[Path]:
    (sealed,) = (c.sealed_digest for c in last(world).components if c.component == DOCS)
    return world.sealed_files(sealed)


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


def test_a_whole_deposit_is_verified_and_every_component_is_reported(world: World) -> None:
    told: list[str] = []

    assert verdict(world, told.append) == DepositVerdict(verified=True)
    assert told == [f"reading {component}" for component in CONTENTS]


def test_one_depositors_files_leave_others_their_places_and_wait_for_their_own(world: World) -> None:
    activities = BlobActivities(database=world.database, blobs=world.blobs, tell=lambda _: None)
    asked = VerifyDeposit(agreement=world.agreement.id, deposit=deposited(world))
    other_agreement, other_key = "another", PEOPLE[DIRK].signing_key.public_key
    for owners in [(world.agreement.id, other_key), (other_agreement, PEOPLE[DORA].signing_key.public_key)]:
        with ExitStack() as under_way:
            for _ in range(BLOB_STEPS_EACH_MAX):
                under_way.enter_context(activities.places.place(*owners))
            with pytest.raises(ReadingBusyError) as busy, typed():
                activities.verify_deposit(asked)
            assert busy.value.retryable, "Temporal asks again"
    with ExitStack() as under_way:
        for _ in range(BLOB_STEPS_EACH_MAX):
            under_way.enter_context(activities.places.place(other_agreement, other_key))
        assert activities.verify_deposit(asked).verified


@pytest.mark.parametrize(("spoil", "word"), [(flip, "altered"), (Path.unlink, "missing")])
def test_a_bad_copy_is_repaired_and_named(world: World, spoil: Callable[[Path], None], word: str) -> None:
    good, bad = files(world)
    spoil(bad)

    judged = verdict(world)

    assert judged == DepositVerdict(
        verified=True, because=(f"docs: south {word}, replaced from a good copy",)
    )
    assert bad.read_bytes() == good.read_bytes()
    assert verdict(world) == DepositVerdict(verified=True)


def test_a_file_that_is_bad_everywhere_fails_the_deposit(world: World) -> None:
    for path in files(world):
        flip(path)

    judged = verdict(world)

    assert judged == DepositVerdict(verified=False, because=("docs: north altered", "docs: south altered"))


def test_a_size_that_is_not_as_signed_fails_the_deposit(world: World) -> None:
    redeposit(world, lambda data: data, size_bytes=1)

    assert not verdict(world).verified


def test_a_store_that_cannot_be_read_says_nothing_about_the_deposit(world: World) -> None:
    for path in files(world):
        path.unlink()
        path.mkdir()

    with pytest.raises(BlobStoreFailedError), typed():
        verdict(world)


def test_a_deposit_is_not_judged_before_every_store_has_a_copy(world: World) -> None:
    _, south = files(world)
    south.unlink()
    full = FileBlobStore(world.folder / "south", name="south", fsync=fails)
    blobs = ReplicatedBlobs([FileBlobStore(world.folder / "north", name="north"), full])

    with pytest.raises(BlobStoreFailedError), typed():
        verdict(world, blobs=blobs)

    assert verdict(world).verified, "once the store takes it"


def test_nothing_is_read_while_a_store_is_away(world: World) -> None:
    told = list[str]()
    (world.folder / "south").rename(world.folder / "elsewhere")

    with pytest.raises(BlobStoreFailedError), typed():
        verdict(world, told.append, blobs=away(world))

    assert told == []


def test_a_deposit_that_nobody_could_open_is_not_verified(world: World) -> None:
    with reading(world.database) as session:
        dealt = {epoch.body.component: epoch.body for epoch in epochs(session, world.agreement.id)}
    (share,) = dealt[DOCS].shares
    north, south = world.sealed_files(share.sealed_digest)
    south.unlink()
    named = "docs, a share of its key"
    assert verdict(world) == DepositVerdict(
        verified=True, because=(f"{named}: south missing, replaced from a good copy",)
    )

    for path in (north, south):
        path.unlink()
    judged = verdict(world)
    assert not judged.verified
    assert judged.because == (f"{named}: north missing", f"{named}: south missing")


def test_a_file_that_is_not_sealed_fails_the_deposit(world: World) -> None:
    redeposit(world, lambda _: b"in the clear")

    (line,) = verdict(world).because
    assert line.startswith("docs: not an age file")
    assert not verdict(world).verified


def test_a_file_sealed_to_a_weaker_recipient_fails_the_deposit(world: World) -> None:
    weaker = X25519Identity(seed=bytes(range(32))).recipient()
    redeposit(world, lambda data: age.seal_bytes(data[:100], [weaker]))

    (line,) = verdict(world).because
    assert line == "docs: sealed to X25519, not mlkem768x25519 alone"


def test_an_unknown_deposit_is_refused(world: World) -> None:
    activities = BlobActivities(database=world.database, blobs=world.blobs)
    with pytest.raises(NoSuchDepositError), typed():
        activities.verify_deposit(
            VerifyDeposit(agreement=world.agreement.id, deposit=Digest("sha256:" + 64 * "0"))
        )


def redeposit(world: World, change: Callable[[bytes], bytes], *, size_bytes: int | None = None) -> None:
    """A second deposit whose documentation is not what it should be."""
    before = last(world)
    data = change(files(world)[0].read_bytes())
    world.blobs.put(sha256_digest(data), len(data), lambda: io.BytesIO(data))
    components = tuple(
        replace(c, sealed_digest=sha256_digest(data), sealed_bytes=size_bytes or len(data))
        if c.component == DOCS
        else c
        for c in before.components
    )
    body = replace(before, number=2, previous=deposited(world), components=components)
    with transaction(world.database) as session:
        deposits.record(session, world.signed(body, PEOPLE[DORA].signing_key), MONDAY)
