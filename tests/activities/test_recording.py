"""The ledger's activities may run late, twice or after a crash: each entry is recorded once or not at all."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import pytest
from sqlalchemy import event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry
from temporalio.exceptions import ApplicationError

from activities.pages import page
from tallystick.crypto.envelope import Envelope, envelope_bytes, statement_id
from tallystick.crypto.log.note import open_checkpoint, origin_of
from tallystick.domain.agreement.windows import HoldEnd, HoldWait, IntakeEnd, IntakeWait, RulingWait, Waits
from tallystick.domain.claim.state import ClaimState
from tallystick.domain.errors import TallystickError
from tallystick.domain.ids import Digest, PersonId
from tallystick.domain.kinds import Authority, Happening, Kind, Outcome
from tallystick.domain.periods import Period
from tallystick.domain.progress.due import due
from tallystick.domain.release.decision import recorded_premises
from tallystick.domain.statements.acts import Denial, Hold, Objection
from tallystick.domain.statements.engine import DecisionStatement, Event
from tallystick.domain.statements.header import Document
from tallystick.domain.statements.orders import Ruling
from tallystick.domain.statements.signed import Body
from tallystick.limits.steps import RECORD_PAGE_BYTES_MAX, RECORD_PAGE_ENTRIES_MAX
from tallystick.messages import (
    DepositVerdict,
    FileClaim,
    NewEntries,
    ReadSince,
    RecordAct,
    RecordHappening,
    RecordVerdict,
)
from tallystick.store.database.session import reading
from tallystick.store.ledger import checkpoints, ledger
from tallystick.store.ledger.entry import LedgerEntry
from tests.support.stories.recording import activities, filing, happening, head, signing
from tests.support.worlds.agreements import ANA, BEA, DORA, KIM, LOG_KEY, PEOPLE, TOM, agreement, quorum
from tests.support.worlds.gate_worlds import ACKNOWLEDGED, DEPLOYMENT, FILED, READY, World, typed
from tests.support.worlds.groundwork import some_digest
from tests.support.worlds.prepared_worlds import accepted, deposited, prepared_world

LATER: Final = ACKNOWLEDGED + timedelta(hours=1)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> World:
    return prepared_world(tmp_path_factory.mktemp("prepared"))


@pytest.fixture(scope="module")
def in_window(tmp_path_factory: pytest.TempPathFactory) -> World:
    return accepted(prepared_world(tmp_path_factory.mktemp("window") / "world"))


@pytest.fixture
def world(in_window: World, tmp_path: Path) -> World:
    return in_window.copied_to(tmp_path / "world")


def text(envelope: Envelope) -> str:
    return envelope_bytes(envelope).decode()


def said(world: World, kind: type[Body], person: PersonId, **members: object) -> Envelope:
    return world.signed(
        world.body(kind, person, LATER, claim=world.claim, **members), PEOPLE[person].signing_key
    )


def hold(world: World, person: PersonId = KIM) -> Envelope:
    return said(world, Hold, person, reason="An injunction.")


def act(world: World, envelope: Envelope, *, after: int | None = None) -> RecordAct:
    return RecordAct(
        claim=world.claim,
        agreement=world.agreement.id,
        envelope=text(envelope),
        at=LATER,
        after=head(world) if after is None else after,
    )


def size(world: World) -> int:
    with reading(world.database) as session:
        return ledger.frontier_of(session, world.agreement.id).size


def window_ended(world: World, until: datetime) -> RecordHappening:
    return happening(world, Happening.WINDOW_ENDED, until + timedelta(seconds=1), until=until)


def window_until(world: World) -> datetime:
    until = world.case().claim.window_until
    assert until is not None
    return until


def set_database_clock(world: World, told: Callable[[], datetime]) -> None:
    def set_clock(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
        connection.create_function(  # a sqlite3.Connection
            "current_timestamp", 0, lambda: told().strftime("%Y-%m-%d %H:%M:%S")
        )

    event.listen(world.database, "connect", set_clock)
    world.database.dispose()


def refusal_of(world: World, recorded: Callable[[], object]) -> str:
    """Return the code of the rule that refuses it, having checked that nothing was recorded."""
    before = size(world)
    with pytest.raises(TallystickError) as raised, typed():
        recorded()
    assert size(world) == before
    return raised.value.code


# ------------------------------------------------------------------------------------ filing


def test_a_case_that_is_not_kept_is_folded_before_the_transaction_of_an_act(world: World) -> None:
    told, ledgers, first = list[str](), activities(world), act(world, hold(world))
    event.listen(world.database, "before_cursor_execute", lambda *given: told.append(str(given[2])))
    ledgers.record_act(first)
    begun = told.index("BEGIN IMMEDIATE")
    assert any("ledger_entries.claim = ?" in one for one in told[:begun])
    again = act(world, hold(world))
    told.clear()
    ledgers.record_act(again)
    assert told.index("BEGIN IMMEDIATE") == 0, "one that is kept is read once, inside"


def test_claim_filed_twice_is_on_record_once_as_it_was_first(prepared: World, tmp_path: Path) -> None:
    world = prepared.copied_to(tmp_path / "world")
    request, before = filing(world), size(world)
    first = activities(world).file_claim(request)
    assert activities(world).file_claim(replace(request, at=FILED + timedelta(days=40))) == first
    assert size(world) == before + 1
    assert [entry.accepted_at for entry in first.entries] == [FILED]


def test_nothing_but_the_claim_that_the_workflow_is_for_is_filed(world: World) -> None:
    other = replace(filing(world).start, envelope=text(hold(world)), claim=statement_id(hold(world)))
    request = FileClaim(start=other, at=FILED)
    assert refusal_of(world, lambda: activities(world).file_claim(request)) == "misdirected"


# ------------------------------------------------------------------------------------ acts


def test_act_recorded_twice_is_one_entry(world: World) -> None:
    request, before = act(world, hold(world)), size(world)
    first = activities(world).record_act(request)
    assert first.recorded
    assert activities(world).record_act(request) == first
    assert size(world) == before + 1


def test_act_recorded_again_after_others_is_still_said_to_be_recorded(world: World) -> None:
    request = act(world, hold(world))
    activities(world).record_act(request)
    activities(world).record_act(act(world, hold(world, ANA)))
    again = activities(world).record_act(request)
    assert again.recorded
    assert [entry.index for entry in again.entries] == [head(world) - 1, head(world)]


def test_act_is_not_recorded_on_a_record_that_has_grown(world: World) -> None:
    known = head(world)
    first = activities(world).record_act(act(world, hold(world)))
    answer = activities(world).record_act(act(world, hold(world, ANA), after=known))
    assert answer == NewEntries(recorded=False, entries=first.entries)
    assert len(world.case().claim.open_holds) == 1


def test_act_is_admitted_again_where_it_is_recorded(world: World) -> None:
    denied_by_claimant = act(world, said(world, Denial, BEA, reason="No."))
    assert (
        refusal_of(world, lambda: activities(world).record_act(denied_by_claimant))
        == "not-authorised-to-state"
    )


@pytest.mark.parametrize("signer", [TOM, BEA])
def test_act_in_the_name_of_another_is_never_recorded(world: World, signer: PersonId) -> None:
    body = world.body(Hold, KIM, LATER, claim=world.claim, reason="An injunction.")
    forged = act(world, world.signed(body, PEOPLE[signer].signing_key))
    assert refusal_of(world, lambda: activities(world).record_act(forged)) == "not-authorised-to-state"


def test_altered_act_is_never_recorded(world: World) -> None:
    sound = hold(world)
    altered = replace(sound, payload=sound.payload.replace(b"An injunction.", b"No injunction."))
    assert altered.payload != sound.payload
    request = act(world, altered)
    assert refusal_of(world, lambda: activities(world).record_act(request)) == "signature-invalid"


def test_word_of_the_engine_is_no_act_even_if_the_engine_signed_it(world: World) -> None:
    body = world.body(Event, world.engine_person, LATER, claim=world.claim, happening=Happening.WINDOW_ENDED)
    request = act(world, world.signed(body, LOG_KEY))
    assert refusal_of(world, lambda: activities(world).record_act(request)) == "misdirected"


# ------------------------------------------------------------------------------------ happenings


def test_happening_recorded_twice_is_one_entry(world: World) -> None:
    until = window_until(world)
    set_database_clock(world, lambda: until + timedelta(seconds=1))
    request, before = window_ended(world, until), size(world)
    first = activities(world).record_happening(request)
    assert first.recorded
    assert activities(world).record_happening(request) == first
    assert size(world) == before + 1
    assert world.case().claim.window_ended_at == until + timedelta(seconds=1)


def test_window_does_not_end_before_the_database_says_so(world: World) -> None:
    until, before = window_until(world), size(world)
    now = until - timedelta(seconds=1)
    set_database_clock(world, lambda: now)
    request = window_ended(world, until)
    assert activities(world).record_happening(request) == NewEntries(recorded=False, entries=())
    assert size(world) == before
    now = until
    assert activities(world).record_happening(request).recorded


def test_happening_is_not_recorded_on_a_record_that_has_grown(world: World) -> None:
    until = window_until(world)
    set_database_clock(world, lambda: until + timedelta(seconds=1))
    request = window_ended(world, until)
    objection = activities(world).record_act(act(world, hold(world)))
    answer = activities(world).record_happening(request)
    assert answer == NewEntries(recorded=False, entries=objection.entries)
    assert world.case().claim.window_ended_at is None


@pytest.mark.parametrize("what", [Happening.LAPSED, Happening.WINDOW_ENDED, Happening.STAGE_TIMED_OUT])
def test_what_is_not_due_is_not_recorded_and_asked_again(world: World, what: Happening) -> None:
    until = window_until(world)
    set_database_clock(world, lambda: READY)
    early = replace(window_ended(world, until), happening=what, at=until - timedelta(days=1))
    before = size(world)
    with pytest.raises(ApplicationError) as raised:
        activities(world).record_happening(early)
    assert (raised.value.type, raised.value.non_retryable) == ("not-due", False)
    assert size(world) == before


# ------------------------------------------------------------------------------------ verdicts


def test_first_verdict_on_a_deposit_stands(world: World) -> None:
    before = size(world)
    deposit = deposited(world)
    request = RecordVerdict(
        agreement=world.agreement.id, deposit=deposit, verdict=DepositVerdict(verified=False), at=LATER
    )
    with reading(world.database) as session:
        (first,) = ledger.entries(session, world.agreement.id, kinds=[Kind.EVENT], limit=1)
    assert activities(world).record_deposit_verdict(request) == first.statement_id
    assert size(world) == before


def test_verdict_on_no_deposit_is_refused(world: World) -> None:
    request = RecordVerdict(
        agreement=world.agreement.id,
        deposit=Digest("sha256:" + 64 * "1"),
        verdict=DepositVerdict(verified=True),
        at=LATER,
    )
    assert refusal_of(world, lambda: activities(world).record_deposit_verdict(request)) == "misdirected"


# ------------------------------------------------------------------------------------ reading


def entry_of(size_bytes: int, index: int = 0) -> LedgerEntry:
    return LedgerEntry(
        agreement_id=DEPLOYMENT,  # type: ignore[arg-type] # any name
        index=index,
        accepted_at=LATER,
        kind=Kind.HOLD,
        statement_id=Digest("sha256:" + 64 * "1"),
        claim=None,
        cause=None,
        envelope=size_bytes * b"x",
        salt=b"",
    )


@pytest.mark.parametrize(
    ("sizes", "fit"),
    [((), 0), ((2.0,), 1), ((0.5, 0.5), 2), ((0.5, 0.6), 1), ((2.0, 0.1), 1), ((0.3, 0.3, 0.3, 0.3), 3)],
)
def test_page_holds_what_fits_and_at_least_one_entry(sizes: tuple[float, ...], fit: int) -> None:
    entries = [entry_of(int(part * RECORD_PAGE_BYTES_MAX), at) for at, part in enumerate(sizes)]
    assert [entry.index for entry in page(entries)] == list(range(fit))


def test_page_holds_no_more_than_a_workflow_folds_at_a_time() -> None:
    entries = [entry_of(1, at) for at in range(RECORD_PAGE_ENTRIES_MAX + 1)]
    assert len(page(entries)) == RECORD_PAGE_ENTRIES_MAX


def test_record_is_read_page_by_page_until_there_is_no_more(world: World) -> None:
    def since(after: int) -> NewEntries:
        request = ReadSince(claim=world.claim, agreement=world.agreement.id, after=after)
        return activities(world).read_since(request)

    known = head(world)
    assert since(known).entries == ()
    for person in (KIM, ANA):
        activities(world).record_act(act(world, hold(world, person)))
    assert [entry.index for entry in since(known).entries] == [known + 1, known + 2]
    assert [entry.index for entry in since(known + 1).entries] == [known + 2]


# ------------------------------------------------------------------------------------ checkpoints


def signed_size(world: World) -> int:
    with reading(world.database) as session:
        note = checkpoints.latest_checkpoint(session, world.agreement.id)
    if note is None:
        return 0
    origin = origin_of(DEPLOYMENT, world.agreement.id)
    return open_checkpoint(note, origin=origin, public_key=LOG_KEY.public_key).size


def custody_places(world: World) -> list[int]:
    with reading(world.database) as session:
        return [entry.index for entry in ledger.entries(session, world.agreement.id, kinds=[Kind.CUSTODY])]


def test_checkpoint_that_a_crash_left_out_is_made_good(world: World) -> None:
    world.slip_in(hold(world), LATER)
    assert signed_size(world) < size(world)
    signing(world).sign_all()
    assert signed_size(world) == size(world)


def test_act_that_was_recorded_before_a_crash_is_under_a_checkpoint_after_it_is_repeated(
    world: World,
) -> None:
    known, envelope = head(world), hold(world)
    world.slip_in(envelope, LATER)
    assert activities(world).record_act(act(world, envelope, after=known)).recorded
    assert signed_size(world) == size(world)


def test_altered_log_is_not_signed_and_the_act_is_acknowledged_all_the_same(world: World) -> None:
    (custody, *_) = custody_places(world)
    world.execute(
        'UPDATE ledger_entries SET salt = zeroblob(32) WHERE agreement_id = ? AND "index" = ?',
        world.agreement.id,
        custody,
    )
    assert activities(world).record_act(act(world, hold(world))).recorded
    assert signed_size(world) == 0
    assert world.case().claim.state is ClaimState.WINDOW


# ------------------------------------------------------------------------------------ the ends of waits

DAY: Final = timedelta(days=1)
HELD: Final = agreement(waits=Waits(hold=HoldWait(after=Period("P10D"), then=HoldEnd.GO_ON)))
UNCHECKED: Final = agreement(waits=Waits(intake=IntakeWait(then=IntakeEnd.GO_ON)))
SUBSTITUTED: Final = agreement(waits=Waits(ruling=RulingWait(after=Period("P10D"), substitutes=quorum(TOM))))


def owed_at(world: World, at: datetime) -> RecordHappening:
    owed = due(world.agreement, world.case().claim, at=at)
    assert owed is not None
    told = {"stage": owed.stage, "until": owed.until, "cause": owed.cause, "because": owed.because}
    return happening(world, owed.happening, at, **told)


def held(folder: Path) -> World:
    """A claim that lacks nothing but that its hold ends; it was placed two days before."""
    world = accepted(prepared_world(folder, first=HELD))
    for person in (ANA, KIM, TOM):
        world.approve(person, READY - 3 * DAY)
    world.say(Hold, KIM, READY - 2 * DAY, reason="An injunction.")
    world.settle(READY - timedelta(hours=1))
    return world


def ended_early(folder: Path) -> World:
    """The same, whose hold has ended on record eight days early: worker and database agree on that time."""
    world, ahead = held(folder), READY + 8 * DAY + timedelta(seconds=1)
    set_database_clock(world, lambda: ahead)
    for what in (Happening.HOLD_ENDED, Happening.QUORUM_REACHED):
        asked = owed_at(world, ahead)
        assert asked.happening is what
        assert activities(world).record_happening(asked).recorded
    world.sign_checkpoint()
    return world


def test_the_workers_clock_alone_ends_no_hold(tmp_path: Path) -> None:
    world = held(tmp_path / "site")
    asked = owed_at(world, READY + 8 * DAY + timedelta(seconds=1))
    set_database_clock(world, lambda: READY + 8 * DAY - timedelta(seconds=1))
    assert asked.happening is Happening.HOLD_ENDED
    assert not activities(world).record_happening(asked).recorded
    assert world.case().claim.frozen


def test_the_gate_does_not_believe_that_a_hold_has_ended_before_its_own_clock_says_so(tmp_path: Path) -> None:
    world = ended_early(tmp_path / "site")
    answer = world.decide(world.gate(at=READY))
    assert answer.outcome == "refused"
    (_, decision) = world.case().claim.entries_of(DecisionStatement)[-1]
    assert {one.premise for one in decision.premises if not one.holds} == {"no-hold"}


def test_the_gate_releases_what_was_held_once_the_hold_is_over_by_its_own_clock(
    tmp_path: Path,
) -> None:
    world, over = ended_early(tmp_path / "site"), READY + 8 * DAY + timedelta(seconds=1)
    assert world.decide(world.gate(at=over)).outcome == "released"


def test_the_workflow_looks_again_when_a_hold_that_ended_too_early_is_over(tmp_path: Path) -> None:
    claim = ended_early(tmp_path / "site").case().claim
    assert READY + 8 * DAY + timedelta(seconds=1) in set(claim.rules.moments(HELD, claim, READY))


def test_the_workers_clock_alone_takes_no_claim_in_unchecked(tmp_path: Path) -> None:
    world = prepared_world(tmp_path / "site", first=UNCHECKED)
    world = world.file(deposited(world))
    set_database_clock(world, lambda: FILED)
    asked = owed_at(world, FILED + 9 * DAY)
    assert asked.happening is Happening.TAKEN_IN_UNCHECKED
    assert not activities(world).record_happening(asked).recorded
    assert world.case().claim.state is ClaimState.FILED


def test_no_claim_counts_as_taken_in_unchecked_before_the_asker_says_that_the_time_is_over(
    tmp_path: Path,
) -> None:
    world = prepared_world(tmp_path / "site", first=UNCHECKED)
    world = world.file(deposited(world))
    asked = owed_at(world, FILED + 9 * DAY)
    assert activities(world).record_happening(asked).recorded
    claim, until = world.case().claim, asked.until
    assert until is not None
    for at, holds in ((until, False), (until + timedelta(seconds=1), True)):
        premises = recorded_premises(UNCHECKED, claim, claim.stages[0].stage, at=at)
        assert [one.holds for one in premises if one.premise == "intake-accepted"] == [holds]


def recorded_by(world: World, envelope: Envelope, at: datetime) -> None:
    asked = RecordAct(
        claim=world.claim,
        agreement=world.agreement.id,
        envelope=envelope_bytes(envelope).decode(),
        at=at,
        after=head(world),
    )
    activities(world).record_act(asked)


def test_the_workers_clock_alone_gives_substitutes_no_power(tmp_path: Path) -> None:
    """The refusal goes to who asked: were it tried again, every other act on the claim would wait for it."""
    world = accepted(prepared_world(tmp_path / "site", first=SUBSTITUTED))
    now = ACKNOWLEDGED + DAY
    world.say(Objection, DORA, now, ground="not-insolvent", explanation="no")
    award = world.uploads(b"award", TOM, at=now)
    body = world.body(
        Ruling,
        TOM,
        now,
        claim=world.claim,
        authority=Authority.ARBITRATION,
        outcome=Outcome.RELEASE,
        reason="x",
        documents=(Document(name="award", plain_digest=some_digest(1), sealed_digest=award),),
    )
    ruling = world.signed(body, PEOPLE[TOM].signing_key)
    set_database_clock(world, lambda: now)
    with pytest.raises(ApplicationError) as refusal:
        recorded_by(world, ruling, now + 11 * DAY)
    assert (refusal.value.type, refusal.value.non_retryable) == ("too-early", True)
    assert world.case().claim.open_objections
