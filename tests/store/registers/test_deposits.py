"""Deposits under an agreement have one history of numbers."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine, event

from tallystick.crypto.envelope import Envelope, statement_id
from tallystick.limits.storage import DEPOSITS_READ_MAX
from tallystick.store.database.session import database_now, reading, transaction
from tallystick.store.database.tables import DepositRow, EntryRow
from tallystick.store.ledger.ledger import TooEarlyError, entries
from tallystick.store.registers import deposits
from tallystick.store.registers.deposits import DepositOutOfOrderError
from tests.support.worlds.ledgers import AT, LOG, OTHER_LOG, deposit, said


def test_deposits_are_found_by_number_and_digest(database: Engine) -> None:
    one = deposit(1)
    two = deposit(2, one)
    with transaction(database) as session:
        first, second = deposits.record(session, one, AT), deposits.record(session, two, AT)
    with reading(database) as session:
        assert deposits.by_number(session, LOG, 1) == first
        assert deposits.by_digest(session, LOG, statement_id(two)) == second
        assert deposits.by_digest(session, OTHER_LOG, statement_id(two)) is None
        assert deposits.latest(session, LOG) == second
        assert deposits.listed(session, LOG) == [second, first]
        assert deposits.by_number(session, LOG, 3) is None
    assert first.entry.statement() == one


def test_what_counts_towards_a_day_is_reported_without_reading_a_statement(database: Engine) -> None:
    one = deposit(1)
    two = deposit(2, one)
    later = AT + timedelta(hours=1)
    with transaction(database) as session:
        stored = [deposits.record(session, one, AT), deposits.record(session, two, later)]
    asked: list[str] = []
    event.listen(database, "before_cursor_execute", lambda *given: asked.append(str(given[2])))
    with reading(database) as session:
        newest = deposits.newest(session, LOG, limit=2)
    assert [one.accepted_at for one in newest] == [later, AT]
    bodies = [one.body() for one in reversed(stored)]
    assert [(one.person, one.size_bytes) for one in newest] == [
        (body.person, sum(component.sealed_bytes for component in body.components)) for body in bodies
    ]
    assert asked
    assert not any("ledger_entries" in one for one in asked)


def test_the_same_deposit_again_is_one_deposit(database: Engine) -> None:
    one = deposit(1)
    with transaction(database) as session:
        first = deposits.record(session, one, AT)
        deposits.record(session, deposit(2, one), AT)
        assert deposits.record(session, one, AT) == first
        assert len(deposits.listed(session, LOG)) == 2


def test_a_deposit_that_is_not_the_next_is_refused(database: Engine) -> None:
    one = deposit(1)
    with transaction(database) as session:
        with pytest.raises(DepositOutOfOrderError):
            deposits.record(session, deposit(2), AT)
        deposits.record(session, one, AT)
        for wrong in (deposit(1, nonce=1), deposit(3, one), deposit(2), deposit(2, deposit(1, nonce=1))):
            with pytest.raises(DepositOutOfOrderError):
                deposits.record(session, wrong, AT)
        assert len(entries(session, LOG)) == 1


def test_only_a_deposit_is_recorded_as_one(database: Engine) -> None:
    with transaction(database) as session, pytest.raises(AssertionError, match="only a deposit"):
        deposits.record(session, said("claim", 1), AT)


def test_a_deposit_waits_for_the_databases_clock(database: Engine) -> None:
    with transaction(database) as session:
        later = database_now(session) + timedelta(hours=1)
        with pytest.raises(TooEarlyError):
            deposits.record(session, deposit(1), AT, not_before=later)
        assert deposits.listed(session, LOG) == []


def test_a_stored_deposit_knows_what_it_says(database: Engine) -> None:
    with transaction(database) as session:
        stored = deposits.record(session, deposit(1), AT)
    assert (stored.body().agreement, stored.body().number, stored.body().previous) == (LOG, 1, None)


def test_a_page_of_deposits_is_the_newest_below_a_number_and_names_where_the_next_begins(
    database: Engine,
) -> None:
    chain = [deposit(1)]
    for number in range(2, 6):
        chain.append(deposit(number, chain[-1]))
    with transaction(database) as session:
        for one in chain:
            deposits.record(session, one, AT)
        pages, before = list[list[int]](), None
        while len(pages) < 4:
            found = deposits.page(session, LOG, before=before, limit=2)
            pages.append([one.number for one in found.deposits])
            if (before := found.before) is None:
                break
    assert pages == [[5, 4], [3, 2], [1]]


def test_a_damaged_deposit_ends_no_list(database: Engine) -> None:
    chain = [deposit(1)]
    chain += [deposit(2, chain[-1])]
    with transaction(database) as session:
        for one in chain:
            deposits.record(session, one, AT)
        session.get_one(EntryRow, (LOG, 1)).envelope = b"{}"
    with reading(database) as session:
        newest = deposits.page(session, LOG, before=None, limit=1)
        last = deposits.page(session, LOG, before=2, limit=1)
    assert newest == deposits.DepositPage(deposits=[], unreadable=[2], before=2)
    assert ([one.number for one in last.deposits], last.unreadable, last.before) == ([1], [], None)


def test_the_newest_deposit_is_found_without_reading_the_rows_of_all(database: Engine) -> None:
    last: Envelope | None = None
    with transaction(database) as session:
        for number in range(1, 3 * DEPOSITS_READ_MAX):
            last = deposit(number, last)
            deposits.record(session, last, AT)
    loaded: list[DepositRow] = []

    def note(row: DepositRow, _: object) -> None:
        loaded.append(row)

    event.listen(DepositRow, "load", note)
    try:
        with reading(database) as session:
            newest = next(iter(deposits.readable(session, LOG)))
            assert len(loaded) == DEPOSITS_READ_MAX
            numbers = [one.number for one in deposits.readable(session, LOG)]
            some = [one.number for one in deposits.readable(session, LOG, before=70, limit=66)]
    finally:
        event.remove(DepositRow, "load", note)
    assert newest.number == 3 * DEPOSITS_READ_MAX - 1
    assert numbers == [*range(newest.number, 0, -1)]
    assert some == [*range(69, 3, -1)]
