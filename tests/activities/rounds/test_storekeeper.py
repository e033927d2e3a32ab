"""Between releases only the storekeeper reads blobs: it replaces bad copies, and puts that on record."""

import asyncio
import contextlib
import os
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine
from structlog.testing import capture_logs

from activities.notices.channels.letter import Letter, Taken
from activities.notices.post import Post
from activities.notices.storage import StorageNotices
from activities.rounds.storekeeper import Storekeeper
from tallystick.crypto.envelope import body_of, sign
from tallystick.crypto.keys import SigningKey, key_id
from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.agreement.parties import Channel
from tallystick.domain.ids import AgreementId, Digest, sha256_digest
from tallystick.domain.kinds import Happening, Kind
from tallystick.domain.statements.deposits import Deposit
from tallystick.domain.statements.engine import Event, StorageNotice
from tallystick.limits.notices import STORAGE_NOTICE_AGAIN
from tallystick.limits.processes import LASTING_RETRY_MIN
from tallystick.limits.storage import DRAFT_IDLE_MAX, SCRUB_REST_MIN
from tallystick.proof.reading import read_signed
from tallystick.store.blobs.folder import FileBlobStore
from tallystick.store.blobs.replicas import ReplicatedBlobs
from tallystick.store.blobs.store import ReplicaVerdict
from tallystick.store.blobs.uploads import StoredBlob, blobs_with, known_blobs, record_blob
from tallystick.store.database.session import DatabaseUnavailableError, open_database, reading, transaction
from tallystick.store.ledger import ledger
from tallystick.store.registers import deposits
from tallystick.store.registers.events import events
from tallystick.store.registers.verdicts import verdicts
from tests.support.worlds.agreements import DOCS, DORA, LETTER_KEY, LOG_KEY, PEOPLE
from tests.support.worlds.gate_worlds import MONDAY, World
from tests.support.worlds.ledgers import NO_DIGEST, said
from tests.support.worlds.prepared_worlds import deposited as deposit_of
from tests.support.worlds.prepared_worlds import prepared_world

NOW = MONDAY + timedelta(days=400)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> World:
    return prepared_world(tmp_path_factory.mktemp("prepared"))


@pytest.fixture
def world(prepared: World, tmp_path: Path) -> World:
    copied = prepared.copied_to(tmp_path / "world")
    with transaction(copied.database) as session:
        for component in deposited(copied).components:
            uploaded = StoredBlob(
                digest=component.sealed_digest,
                size_bytes=component.sealed_bytes,
                agreement_id=copied.agreement.id,
                uploaded_by=key_id(PEOPLE[DORA].signing_key.public_key),
                party="nordwind",
                purpose="deposit",
                arrived_at=MONDAY,
            )
            record_blob(session, uploaded)
    return copied


def deposited(world: World) -> Deposit:
    with reading(world.database) as session:
        stored = deposits.latest(session, world.agreement.id)
    assert stored is not None
    body = read_signed(stored.entry.statement(), world.agreement).body
    assert isinstance(body, Deposit)
    return body


def make_round(world: World) -> None:
    keeper(world).make_round()


def keeper(
    world: World,
    *,
    blobs: ReplicatedBlobs | None = None,
    database: Engine | None = None,
    clock: Callable[[], datetime] = lambda: NOW,
    rest: Callable[[timedelta], None] = lambda _: None,
) -> Storekeeper:
    return Storekeeper(
        database=database or world.database,
        blobs=blobs or world.blobs,
        log_key=LOG_KEY,
        post=Post(domain="test.invalid", outbox_dir=world.folder / "outbox", letter_key=LETTER_KEY),
        clock=clock,
        rest=rest,
    )


def sealed(world: World) -> Digest:
    return next(one.sealed_digest for one in deposited(world).components if one.component == DOCS)


def repairs(world: World, happening: Happening = Happening.REPLICA_REPAIRED) -> list[Event]:
    """What the ledger says was replaced, each verified as the engine's own word."""
    with reading(world.database) as session:
        recorded = ledger.entries(session, world.agreement.id, kinds=[Kind.EVENT])
    events = [read_signed(entry.statement(), world.agreement) for entry in recorded if entry.claim is None]
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


def test_a_damaged_event_keeps_no_finding_from_the_record(world: World) -> None:
    with reading(world.database) as session:
        (judged,) = verdicts(session, world.agreement.id).values()
    spoilt = (b"{}", judged.statement)
    world.execute("UPDATE ledger_entries SET envelope = ? WHERE statement_id = ?", *spoilt)
    for lost in world.sealed_files(sealed(world)):
        lost.write_bytes(b"rot")

    make_round(world)

    with reading(world.database) as session:
        found = [event for _, event in events(session, world.agreement.id)]
    assert {event.cause: event.happening for event in found} == {
        sealed(world): Happening.REPLICA_LOST,
        world.digest: Happening.LEDGER_DAMAGED,
    }


def test_a_damaged_agreement_keeps_no_finding_from_another_that_has_the_blob(world: World) -> None:
    damaged = register(world, replace(world.agreement, id=AgreementId("a-damaged-one")))
    with transaction(world.database) as session:
        (known,) = blobs_with(session, sealed(world))
        record_blob(session, replace(known, agreement_id=damaged.agreement.id))
    world.execute(
        "UPDATE ledger_entries SET envelope = ? WHERE agreement_id = ?", b"{}", damaged.agreement.id
    )
    world.sealed_files(sealed(world))[0].unlink()

    with capture_logs() as logs:
        make_round(world)

    assert [event.cause for event in repairs(world)] == [sealed(world)]
    (told,) = [one for one in logs if one["event"] == "what was found in the stores is not on record"]
    assert (told["agreement"], told["broken_by"]) == (damaged.agreement.id, "ledger-corrupt")


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


def test_a_store_that_cannot_be_listed_cuts_no_round_short(world: World) -> None:
    incoming = world.folder / "north" / "incoming"
    incoming.rmdir()
    incoming.write_text("a file where a folder should be")
    left = world.folder / "south" / "incoming" / "half"
    left.write_bytes(b"half")
    written_at = (NOW - DRAFT_IDLE_MAX).timestamp() - 1
    os.utime(left, (written_at, written_at))
    world.sealed_files(sealed(world))[1].unlink()

    with capture_logs() as logs:
        make_round(world)

    assert not left.exists()
    assert [event.cause for event in repairs(world)] == [sealed(world)]
    assert "what was left half written was not removed from north" in {one["event"] for one in logs}


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


def test_the_disks_rest_after_each_log_and_blob(world: World) -> None:
    rests: list[timedelta] = []
    keeper(world, rest=rests.append).make_round()
    with reading(world.database) as session:
        assert len(rests) == 1 + len(known_blobs(session)) > 2
    assert min(rests) >= SCRUB_REST_MIN


def test_a_finding_is_put_on_record_once_the_database_is_back(world: World) -> None:
    with reading(world.database) as session:
        first = known_blobs(session)[0]
    _, bad = world.sealed_files(first)
    bad.unlink()
    path = world.folder / "store.db"
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        keeper(
            world,
            database=open_database(f"sqlite:///{path}", busy_max=timedelta(milliseconds=20)),
            rest=lambda _: other.rollback(),
        ).make_round()

    assert bad.exists()
    assert [event.cause for event in repairs(world)] == [first]


# ------------------------------------------------------------------------------- nothing ends the rounds


class EndedError(Exception):
    """Ends a test's storekeeper, which would otherwise rest for ever."""


class Weary:
    """Rests a given number of times, then ends."""

    def __init__(self, times: int) -> None:
        self.times = times
        self.rests: list[timedelta] = []

    def __call__(self, pause: timedelta) -> None:
        if len(self.rests) == self.times:
            raise EndedError
        self.rests.append(pause)


class Defective(FileBlobStore):
    """A store with a defect: it fails at one blob in a way that nobody foresaw."""

    broken_at: Digest | None = None

    def check(self, wanted: Digest, size_bytes: int | None = None) -> ReplicaVerdict:
        if wanted == self.broken_at:
            raise ZeroDivisionError
        return super().check(wanted, size_bytes)


def defective(world: World) -> tuple[Defective, ReplicatedBlobs]:
    store = Defective(world.folder / "north", name="north")
    return store, ReplicatedBlobs([store, FileBlobStore(world.folder / "south", name="south")])


def defects(logs: Sequence[Mapping[str, object]]) -> list[Mapping[str, object]]:
    return [log for log in logs if log["event"] == "defect"]


def test_a_defect_at_one_blob_is_reported_and_the_others_are_still_checked(world: World) -> None:
    with reading(world.database) as session:
        first, *_, last = known_blobs(session)
    store, blobs = defective(world)
    store.broken_at = first
    world.sealed_files(last)[1].unlink()

    with capture_logs() as logs:
        keeper(world, blobs=blobs).make_round()

    (defect,) = defects(logs)
    assert (defect["log_level"], defect["exc_info"]) == ("error", True)
    assert [event.cause for event in repairs(world)] == [last]


def test_a_defect_in_a_round_is_reported_and_the_next_round_runs(world: World) -> None:
    _, bad = world.sealed_files(sealed(world))
    bad.write_bytes(b"rot")
    with reading(world.database) as session:
        rest = Weary(times=3 + len(known_blobs(session)))  # before both rounds, and in the second
    broken = [ZeroDivisionError()]

    def clock() -> datetime:
        if len(rest.rests) == 1 and broken:  # the first round has begun
            raise broken.pop()
        return NOW

    with capture_logs() as logs, contextlib.suppress(EndedError):
        keeper(world, clock=clock, rest=rest).keep_making_rounds(timedelta(seconds=24))

    assert rest.rests[:2] == [timedelta(seconds=1), LASTING_RETRY_MIN]
    assert len(defects(logs)) == 1
    assert [event.cause for event in repairs(world)] == [sealed(world)]


# ----------------------------------------------------------------------------- the parties are informed


def lose(world: World) -> None:
    for path in world.sealed_files(sealed(world)):
        path.unlink()


def given(world: World) -> list[StorageNotice]:
    """The notices on record, each verified as the engine's own word."""
    with reading(world.database) as session:
        recorded = ledger.entries(session, world.agreement.id, kinds=[Kind.STORAGE_NOTICE])
    signed = [read_signed(entry.statement(), world.agreement) for entry in recorded]
    assert all(one.signers == {world.agreement.engine.log_key} for one in signed)
    return [one.body for one in signed if isinstance(one.body, StorageNotice)]


def letters(world: World) -> list[Path]:
    return sorted((world.folder / "outbox").glob("*/*.txt"))


def run_until(world: World, rests: int) -> list[timedelta]:
    """Run the storekeeper until it has rested this many times; each rest moves its clock."""
    rest, clock = Weary(rests), {"now": NOW}

    def go_on(pause: timedelta) -> None:
        rest(pause)
        clock["now"] += pause

    with contextlib.suppress(EndedError):
        keeper(world, rest=go_on, clock=lambda: clock["now"]).keep_making_rounds(timedelta(days=1))
    return rest.rests


def test_a_loss_is_reported_to_depositor_beneficiary_and_agent_once(world: World) -> None:
    lose(world)
    with reading(world.database) as session:
        blobs = len(known_blobs(session))

    run_until(world, rests=1 + blobs + 1 + blobs + 1)

    (lost,) = repairs(world, Happening.REPLICA_LOST)
    notices = given(world)
    assert {(one.party, one.attempt, len(one.findings)) for one in notices} == {
        ("nordwind", 1, 1),
        ("halden", 1, 1),
        ("harbour", 1, 1),
    }
    assert [path.parent.name for path in letters(world)] == ["halden", "harbour", "nordwind"]
    text = letters(world)[0].read_text()
    assert all(line in text for line in lost.because)
    assert "NOT REPLACED" in text
    assert sha256_digest(text.partition("\n\n")[2].encode()) in {one.text_digest for one in notices}


def test_a_claims_document_that_no_store_has_any_more_is_recorded_and_reported(world: World) -> None:
    world = world.file(deposit_of(world))
    lost = world.case().claim.filing.evidence[0].sealed_digest
    for path in world.sealed_files(lost):
        path.unlink()
    make_round(world)

    (event,) = repairs(world, Happening.REPLICA_LOST)
    assert event.cause == lost
    run_until(world, rests=1)
    for letter in letters(world):
        text = letter.read_text()
        assert lost in text
        assert "evidence document without any\ngood copy cannot be read" in text
    assert len(letters(world)) == 3


def test_a_copy_that_was_replaced_is_reported_too(world: World) -> None:
    world.sealed_files(sealed(world))[1].unlink()
    make_round(world)

    run_until(world, rests=1)

    assert len(given(world)) == 3
    assert "NOT REPLACED" not in letters(world)[0].read_text()


def test_a_letter_that_no_channel_takes_is_sent_again_ever_more_seldom(world: World) -> None:
    lose(world)
    make_round(world)
    blocked = world.folder / "outbox"
    blocked.write_text("a file where a folder should be")

    rests = run_until(world, rests=4)

    assert [rest.total_seconds() for rest in rests] == [10, 20, 40, 80]
    tried = [one for one in given(world) if one.party == "halden"]
    assert [one.attempt for one in tried] == [1, 2, 3, 4, 5]
    assert not any(channel.taken for one in tried for channel in one.channels)

    blocked.unlink()  # and a restart
    (rest,) = run_until(world, rests=1)
    assert rest == timedelta(seconds=10 + 20 + 40 + 80 + 160)
    assert [path.parent.name for path in letters(world)] == ["halden", "harbour", "nordwind"]


def register(world: World, agreement: Agreement, log_key: SigningKey = LOG_KEY) -> World:
    """Another agreement, or version, in the same database; its engine signs with `log_key`."""
    engine = replace(agreement.engine, log_key=log_key.public_key)
    other = World(folder=world.folder, agreement=replace(agreement, engine=engine))
    other.register()
    return other


def notices_of(world: World) -> StorageNotices:
    return StorageNotices(
        database=world.database,
        log_key=LOG_KEY,
        post=Post(domain="test.invalid", outbox_dir=world.folder / "outbox", letter_key=LETTER_KEY),
        clock=lambda: NOW,
    )


def test_a_damaged_record_keeps_no_other_agreements_letters_back(world: World) -> None:
    lose(world)
    make_round(world)
    damaged = register(world, replace(world.agreement, id=AgreementId("a-damaged-one")))
    with transaction(world.database) as session:
        event = said("event", 1, keys=[LOG_KEY], agreement_digest=damaged.digest)
        ledger.append(session, damaged.agreement.id, event, NOW, claim=None)

    with capture_logs() as logs:
        again = notices_of(world).give()

    assert len(given(world)) == 3
    assert again == {damaged.agreement.id: NOW + STORAGE_NOTICE_AGAIN}
    (told,) = (one for one in logs if one["log_level"] == "error")
    assert told["agreement"] == damaged.agreement.id
    assert told["code"] == "malformed-document"
    assert [one["why"] for one in logs if one["event"] == "a letter was not taken"] == [
        "this deployment has no mail server"
    ]


def owing_as_well(world: World, name: str) -> World:
    """Another agreement, whose parties are owed the same letters."""
    other = register(world, replace(world.agreement, id=AgreementId(name)))
    with transaction(world.database) as session:
        for entry in ledger.entries(session, world.agreement.id, unclaimed=True, kinds=[Kind.EVENT]):
            own = {"agreement": other.agreement.id, "agreement_digest": other.digest}
            event = sign(Kind.EVENT, {**body_of(entry.statement()), **own}, [LOG_KEY])
            ledger.append(session, other.agreement.id, event, NOW, claim=None)
    return other


@pytest.mark.parametrize("slow", ["an agreement", "a party"])
def test_a_recipient_who_is_slow_keeps_no_other_letter_waiting(world: World, slow: str) -> None:
    lose(world)
    make_round(world)
    first = owing_as_well(world, "a-slow-one") if slow == "an agreement" else world

    class Tarpit(Post):
        """Post of which one recipient answers only once all others have their letters."""

        async def send(self, channel: Channel, letter: Letter) -> Taken:
            whole = letter.terms.agreement.id == first.agreement.id
            if whole and (slow == "an agreement" or letter.party == "halden"):
                await asyncio.wait_for(others.wait(), timeout=20)
            taken = await super().send(channel, letter)
            served.append(letter.party)
            if "harbour" in served and "nordwind" in served:
                others.set()
            return taken

    others, served = asyncio.Event(), list[str]()
    post = Tarpit(domain="test.invalid", outbox_dir=world.folder / "outbox", letter_key=LETTER_KEY)
    assert replace(notices_of(world), post=post).give() == {}

    assert len(given(world)) == len(given(first)) == 3


def test_what_a_former_log_key_signed_is_read_under_the_version_that_it_names(world: World) -> None:
    lose(world)
    make_round(world)
    changed = replace(world.agreement, version=2, supersedes=world.digest)
    newer = register(world, changed, SigningKey(32 * b"n"))
    notices = replace(notices_of(world), log_key=SigningKey(32 * b"n"))

    assert notices.give() == notices.give() == {}

    assert len(given(newer)) == 3
    assert len(letters(world)) == 3


def test_an_event_that_names_no_version_of_the_agreement_is_reported(world: World) -> None:
    with transaction(world.database) as session:
        event = said("event", 1, keys=[LOG_KEY], agreement_digest=NO_DIGEST)
        ledger.append(session, world.agreement.id, event, NOW, claim=None)
    with capture_logs() as logs:
        notices_of(world).give()
    assert [log["code"] for log in logs] == ["misdirected"]


def test_letters_wait_for_a_database_that_is_out_of_reach(world: World) -> None:
    nowhere = open_database(f"sqlite:///{world.folder}/no-folder/store.db")
    with pytest.raises(DatabaseUnavailableError):
        replace(notices_of(world), database=nowhere).give([world.agreement.id])


def test_two_storekeepers_send_one_letter_and_record_it_once(world: World) -> None:
    lose(world)
    make_round(world)
    notices = notices_of(world)

    class Overtaken(Post):
        """Post whose first delivery takes so long that another storekeeper does the same work meanwhile."""

        async def send(self, channel: Channel, letter: Letter) -> Taken:
            await asyncio.to_thread(notices.give)
            return await super().send(channel, letter)

    slow = Overtaken(domain="test.invalid", outbox_dir=world.folder / "outbox", letter_key=LETTER_KEY)
    assert replace(notices, post=slow).give() == {}

    assert sorted(one.party for one in given(world)) == ["halden", "harbour", "nordwind"]
    assert len(letters(world)) == 3
