"""The alarm: what stops is recorded on any log; that its author had verified another is recorded with it."""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Final

import pytest
from structlog.testing import capture_logs

from activities.ledger import LedgerActivities
from activities.notices.channels.letter import Letter
from activities.notices.post import Post
from activities.notices.storage import LettersSoon, StorageNotices
from tallystick.crypto.envelope import Envelope, envelope_bytes, statement_id
from tallystick.domain.admission.extension import LedgerNotExtendedError
from tallystick.domain.agreement.parties import Channel
from tallystick.domain.errors import TallystickError
from tallystick.domain.ids import AgreementId, PersonId
from tallystick.domain.kinds import Happening, Kind, Purpose
from tallystick.domain.statements.acts import Approval, Denial, Hold
from tallystick.domain.statements.engine import ChannelResult, Event
from tallystick.domain.statements.header import LedgerSeen
from tallystick.domain.statements.signed import Body
from tallystick.limits.notices import LETTERS_SOON
from tallystick.messages import NewEntries, RecordAct
from tallystick.store.database.session import open_database, reading
from tallystick.store.ledger import ledger
from tallystick.store.registers.events import events
from tests.support.stories.recording import head
from tests.support.worlds.agreements import ABE, KIM, LETTER_KEY, LOG_KEY, PEOPLE
from tests.support.worlds.gate_worlds import ACKNOWLEDGED, World, typed
from tests.support.worlds.groundwork import some_digest
from tests.support.worlds.prepared_worlds import accepted, prepared_world

ANOTHER: Final = LedgerSeen(size=4, root=some_digest(4))
LONGER: Final = LedgerSeen(size=400, root=some_digest(4))


@pytest.fixture(scope="module")
def in_window(tmp_path_factory: pytest.TempPathFactory) -> World:
    return accepted(prepared_world(tmp_path_factory.mktemp("window") / "world"))


@pytest.fixture
def world(in_window: World, tmp_path: Path) -> World:
    return in_window.copied_to(tmp_path / "world")


def said(world: World, kind: type[Body], person: PersonId, **members: object) -> Envelope:
    body = world.body(kind, person, ACKNOWLEDGED, claim=world.claim, **members)
    return world.signed(body, PEOPLE[person].signing_key)


def approval(world: World, seen: LedgerSeen | None) -> Envelope:
    stage = world.agreement.stages[1].id
    members = {"stages": (stage,), "purpose": Purpose.RELEASE, "reason": "yes"}
    return said(world, Approval, KIM, **members, expires_at=ACKNOWLEDGED.replace(day=20), ledger_seen=seen)


def records(world: World, envelope: Envelope, doubted: list[AgreementId] | None = None) -> NewEntries:
    told = doubted if doubted is not None else []
    activities = LedgerActivities(
        database=world.database,
        blobs=world.blobs,
        log_key=LOG_KEY,
        grown=lambda _: None,
        doubted=told.append,
    )
    request = RecordAct(
        claim=world.claim,
        agreement=world.agreement.id,
        envelope=envelope_bytes(envelope).decode(),
        at=ACKNOWLEDGED,
        after=head(world),
    )
    with typed():
        return activities.record_act(request)


def alarms(world: World) -> list[Event]:
    with reading(world.database) as session:
        told = [event for _, event in events(session, world.agreement.id)]
    return [event for event in told if event.happening is Happening.LEDGER_NOT_EXTENDED]


def kinds(world: World) -> list[str]:
    with reading(world.database) as session:
        return [entry.kind for entry in ledger.entries(session, world.agreement.id)]


@pytest.mark.parametrize("seen", [ANOTHER, LONGER])
def test_an_approval_by_someone_who_had_verified_another_log_is_refused(
    world: World, seen: LedgerSeen
) -> None:
    before = kinds(world)
    with pytest.raises(TallystickError) as refusal:
        records(world, approval(world, seen))
    assert refusal.value.code == LedgerNotExtendedError.code
    assert (refusal.value.facts["seen_size"], refusal.value.facts["size"]) == (seen.size, len(before))
    assert kinds(world) == before


@pytest.mark.parametrize("size", [None, 0, 1, 3])
def test_an_approval_by_someone_who_had_verified_this_log_is_recorded_without_an_alarm(
    world: World, size: int | None
) -> None:
    assert records(world, approval(world, world.seen(size))).recorded
    assert alarms(world) == []


@pytest.mark.parametrize("seen", [ANOTHER, LONGER])
@pytest.mark.parametrize("kind", [Denial, Hold])
def test_what_stops_is_recorded_with_an_alarm(world: World, kind: type[Body], seen: LedgerSeen) -> None:
    doubted: list[AgreementId] = []
    stops = said(world, kind, KIM, reason="wait", ledger_seen=seen)
    with capture_logs() as logs:
        assert records(world, stops, doubted).recorded

    assert world.case().claim.entries[-1].signed.id == statement_id(stops)
    (alarm,) = alarms(world)
    assert alarm.cause == statement_id(stops)
    assert f"by {KIM} about {world.case().claim.id}" in alarm.because[0]
    assert f"had verified {'400' if seen is LONGER else 'the root'}" in alarm.because[1]
    assert kinds(world)[-2:] == [kind.KIND, Kind.EVENT]
    assert doubted == [world.agreement.id]
    assert [line["log_level"] for line in logs if line.get("statement") == alarm.cause] == ["error"]


def test_the_same_statement_again_raises_no_second_alarm(world: World) -> None:
    stops = said(world, Denial, ABE, reason="no", ledger_seen=ANOTHER)
    records(world, stops)
    again = records(world, stops)
    assert again.recorded
    assert len(alarms(world)) == 1


def test_a_damaged_tree_keeps_nobody_from_stopping_a_release(world: World) -> None:
    seen = world.seen(3)
    world.execute("DELETE FROM ledger_entries WHERE \"index\" = 1 AND kind NOT IN ('agreement')")
    stops = said(world, Denial, ABE, reason="no", ledger_seen=seen)
    assert records(world, stops).recorded


def letters(world: World) -> Iterator[str]:
    for file in sorted((world.folder / "outbox").rglob("*")):
        if file.is_file():
            yield file.read_text()


class EndedError(Exception):
    """Ends a loop of a test, which would otherwise rest for ever."""


def test_the_loop_behind_the_letters_outlasts_whatever_fails_and_records_each_once(world: World) -> None:
    broken: list[bool] = []

    class Defective(Post):
        """A post that has, now and then, a defect that nobody foresaw."""

        async def send_all(self, letters: Iterable[tuple[Channel, Letter]]) -> tuple[ChannelResult, ...]:
            if broken:
                raise ZeroDivisionError
            return await super().send_all(letters)

    outbox, path = world.folder / "outbox", world.folder / "store.db"
    records(world, said(world, Denial, ABE, reason="no", ledger_seen=LONGER))
    post = Defective(domain="test.invalid", outbox_dir=outbox, letter_key=LETTER_KEY)
    busy = open_database(f"sqlite:///{path}", busy_max=timedelta(milliseconds=300))
    notices = StorageNotices(database=busy, log_key=LOG_KEY, post=post, clock=lambda: ACKNOWLEDGED)
    soon, rests = LettersSoon(notices), list[timedelta]()
    soon.owe(world.agreement.id)

    def rest(pause: timedelta) -> None:
        rests.append(pause)
        match len(rests):
            case 1:  # the database is away, twice
                other.execute("BEGIN IMMEDIATE")
            case 3:  # it is back, and the post has a defect, twice
                other.rollback()
                broken.append(True)
            case 5:
                assert kinds(world).count(Kind.STORAGE_NOTICE) == 0
                broken.clear()
            case 8:
                raise EndedError
            case _:
                pass

    other = sqlite3.connect(path, isolation_level=None)
    with closing(other), capture_logs() as logs, pytest.raises(EndedError):
        soon.keep_sending(rest)
    told = [(log["event"], log.get("why")) for log in logs if log["event"] != "a letter was not taken"]
    assert len(told) == len(set(told))  # a database that is away may say so in two ways
    assert list(dict(told)) == ["letters about the log were not sent", "defect"]
    assert set(rests) == {LETTERS_SOON}
    assert kinds(world).count(Kind.STORAGE_NOTICE) == 3
    assert len(list(outbox.rglob("*.txt"))) == 3


def test_depositor_beneficiary_and_agent_get_a_letter_about_it_at_once_and_only_once(world: World) -> None:
    outbox = world.folder / "outbox"
    post = Post(domain="test.invalid", outbox_dir=outbox, letter_key=LETTER_KEY)
    soon = LettersSoon(
        StorageNotices(database=world.database, log_key=LOG_KEY, post=post, clock=lambda: ACKNOWLEDGED)
    )
    soon.send()
    assert list(letters(world)) == []
    stops = said(world, Denial, ABE, reason="no", ledger_seen=LONGER)
    records(world, stops)
    soon.owe(world.agreement.id)
    soon.send()
    soon.send()

    told = "\n".join(letters(world))
    assert "ANOTHER LOG" in told
    assert f"denial by {ABE} about {world.case().claim.id}" in told
    assert kinds(world).count(Kind.STORAGE_NOTICE) == 3
