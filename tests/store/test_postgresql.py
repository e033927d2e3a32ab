"""PostgreSQL only: refused unless durable, one writer at a time, trouble distinguished from bugs."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, suppress
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import ProgrammingError
from sqlmodel import Session

from tallystick.store.database.session import (
    DatabaseSetupError,
    DatabaseUnavailableError,
    database_now,
    open_database,
    reading,
    transaction,
)
from tallystick.store.database.tables import LogRow, create_tables
from tallystick.store.ledger.checkpoints import verify_log
from tallystick.store.ledger.ledger import DecisionExistsError, append, entries, frontier_of
from tallystick.store.registers import claims
from tests.support.sites.cut_wire import cutting
from tests.support.sites.postgresql import PostgresServer, running_postgresql
from tests.support.worlds.ledgers import AT, LOG, add, claim, decision, said


@pytest.fixture
def database(postgresql: PostgresServer) -> Iterator[Engine]:
    """An engine on an empty schema."""
    database = open_database(postgresql.new_schema())
    create_tables(database)
    yield database
    database.dispose()


# Durable, or refused.


@pytest.mark.parametrize("found", ["on", "local", "remote_write", "remote_apply"])
def test_a_server_that_keeps_what_it_commits_is_taken(postgresql: PostgresServer, found: str) -> None:
    postgresql.administer("CREATE SCHEMA IF NOT EXISTS anywhere")
    database = open_database(f"{postgresql.url()}&options=-csynchronous_commit%3D{found}")
    with transaction(database) as session:
        database_now(session)
    database.dispose()


def test_a_database_that_commits_before_it_is_durable_is_refused(postgresql: PostgresServer) -> None:
    database = open_database(f"{postgresql.url()}&options=-csynchronous_commit%3Doff")
    with pytest.raises(DatabaseSetupError) as caught, reading(database) as session:
        database_now(session)
    assert caught.value.facts == {"setting": "synchronous_commit", "found": "off"}
    assert database.pool.checkedout() == 0  # type: ignore[attr-defined]
    database.dispose()


@pytest.mark.parametrize("setting", ["fsync", "full_page_writes"])
def test_a_server_that_does_not_sync_is_refused(
    postgresql: PostgresServer, database: Engine, setting: str
) -> None:
    database.dispose()
    postgresql.administer(f"ALTER SYSTEM SET {setting} = off")
    postgresql.reload()
    try:
        with pytest.raises(DatabaseSetupError) as caught, transaction(database) as session:
            database_now(session)
    finally:
        postgresql.administer(f"ALTER SYSTEM RESET {setting}")
        postgresql.reload()
    assert caught.value.facts == {"setting": setting, "found": "off"}


def test_a_url_without_a_driver_means_the_one_that_is_installed() -> None:
    assert open_database("postgresql://ana@db.example/tally").driver == "psycopg"


# One writer at a time.


def test_first_appends_to_a_new_log_take_turns(database: Engine) -> None:
    def append_one(number: int) -> int:
        with transaction(database) as session:
            return add(session, said("event", number)).index

    with ThreadPoolExecutor(6) as threads:
        places = list(threads.map(append_one, range(24)))
    assert sorted(places) == list(range(24))
    with reading(database) as session:
        assert verify_log(session, LOG).size == 24


def test_one_statement_sent_by_many_at_once_is_one_act(database: Engine) -> None:
    def append_it(_turn: int) -> int:
        with transaction(database) as session:
            return add(session, said("event", 1)).index

    with ThreadPoolExecutor(6) as threads:
        assert set(threads.map(append_it, range(12))) == {0}
    with reading(database) as session:
        assert frontier_of(session, LOG).size == 1


def test_two_gates_decide_a_stage_once(database: Engine) -> None:
    with transaction(database) as session:
        filed = claims.file(session, claim(1), AT).digest

    def decide(number: int) -> int | None:
        try:
            with transaction(database) as session:
                return add(session, decision(filed, "critical", number)).index
        except DecisionExistsError as error:
            return error.entry.index

    with ThreadPoolExecutor(4) as threads:
        assert set(threads.map(decide, range(8))) == {1}


def test_a_writer_that_waited_sees_what_the_one_before_it_wrote(database: Engine) -> None:
    def second() -> int:
        with transaction(database) as session:
            return frontier_of(session, LOG).size

    with ThreadPoolExecutor(1) as threads:
        with transaction(database) as session:
            waiting: Future[int] = threads.submit(second)
            until_someone_waits(session)
            add(session, said("event", 1))
        assert waiting.result(timeout=30) == 1


def test_a_writer_waits_only_so_long_for_its_turn(postgresql: PostgresServer) -> None:
    url = postgresql.new_schema()
    patient, hasty = open_database(url), open_database(url, busy_max=timedelta(milliseconds=20))
    with transaction(patient) as session:
        database_now(session)
        with pytest.raises(DatabaseUnavailableError) as caught, transaction(hasty):
            pass
        with reading(hasty) as reader:
            database_now(reader)  # readers do not wait for writers
    patient.dispose()
    hasty.dispose()
    assert caught.value.retryable
    assert caught.value.facts == {"reason": "55P03"}


def test_a_writer_that_was_stopped_in_its_turn_loses_it(database: Engine) -> None:
    with transaction(database) as session:
        limit = session.connection().exec_driver_sql("SHOW idle_in_transaction_session_timeout").scalar()
    with reading(database) as session:
        unbounded = session.connection().exec_driver_sql("SHOW idle_in_transaction_session_timeout").scalar()
    assert (limit, unbounded) == ("1min", "0"), "a reader may look at bytes elsewhere for hours"


# Time.


def test_the_clock_keeps_running_while_a_transaction_waits_for_its_turn(database: Engine) -> None:
    with transaction(database) as session:
        began = session.connection().exec_driver_sql("SELECT current_timestamp").scalar_one()
        session.connection().exec_driver_sql("SELECT pg_sleep(1.1)")
        assert database_now(session) > began


def test_the_time_zone_of_the_server_does_not_matter(postgresql: PostgresServer) -> None:
    database = open_database(f"{postgresql.new_schema()}%20-cTimeZone%3DAsia/Kathmandu")
    create_tables(database)
    with transaction(database) as session:
        assert session.connection().exec_driver_sql("SHOW TimeZone").scalar() == "Asia/Kathmandu"
        now = database_now(session)
        append(session, LOG, said("event", 1), AT, claim=None, not_before=now)
        assert entries(session, LOG)[0].accepted_at == AT
    database.dispose()
    assert now.tzinfo is UTC
    assert abs(now - datetime.now(UTC)) < timedelta(seconds=5)


# Trouble.


@pytest.mark.parametrize(
    "state",
    ["08006", "25006", "25P03", "40001", "40003", "40P01", "53100", "53300", "57014", "57P01", "58030"],
)
def test_trouble_that_passes_is_unavailability(database: Engine, state: str) -> None:
    def fail_after_writing() -> None:
        with transaction(database) as session:
            add(session, said("event", 1))
            raise_in_the_server(session, state)

    with pytest.raises(DatabaseUnavailableError) as caught:
        fail_after_writing()
    assert caught.value.facts == {"reason": state}
    with reading(database) as session:
        assert entries(session, LOG) == []


@pytest.mark.parametrize("state", ["42601", "22001", "P0001"])
def test_a_bug_stays_a_bug(database: Engine, state: str) -> None:
    with pytest.raises(Exception, match="raised") as caught, transaction(database) as session:
        raise_in_the_server(session, state)
    assert not isinstance(caught.value, DatabaseUnavailableError)


def test_a_database_that_only_reads_is_unavailable(database: Engine) -> None:
    def write_where_only_reading_is_allowed() -> None:
        with transaction(database) as session:
            session.connection().exec_driver_sql("SET TRANSACTION READ ONLY")
            add(session, said("event", 1))

    with pytest.raises(DatabaseUnavailableError) as caught:
        write_where_only_reading_is_allowed()
    assert caught.value.facts == {"reason": "25006"}


def test_a_server_that_only_reads_since_another_took_over_is_left(database: Engine) -> None:
    def write_where_only_reading_is_allowed() -> None:
        with transaction(database) as session:
            assert backend(session) == before
            session.connection().exec_driver_sql("SET TRANSACTION READ ONLY")
            add(session, said("event", 1))

    with reading(database) as session:
        before = backend(session)
    with pytest.raises(DatabaseUnavailableError):
        write_where_only_reading_is_allowed()
    with reading(database) as session:
        assert backend(session) != before


def test_a_commit_whose_answer_is_lost_is_unavailability_and_what_is_repeated_is_there_once(
    postgresql: PostgresServer, database: Engine
) -> None:
    """The outcome is unknown: the commit was made, and nobody was told."""
    with cutting(str(postgresql.folder / ".s.PGSQL.5432"), after=b"INSERT", at=b"COMMIT") as port:
        there = database.url.difference_update_query(["host"]).set(host="127.0.0.1", port=port)
        cut_off = open_database(there.render_as_string(hide_password=False))
        with pytest.raises(DatabaseUnavailableError) as lost, transaction(cut_off) as session:
            add(session, said("event", 1))
        cut_off.dispose()
    assert lost.value.retryable
    with reading(database) as session:
        assert len(entries(session, LOG)) == 1
    with transaction(database) as session:
        add(session, said("event", 1))
        assert len(entries(session, LOG)) == 1


def test_a_deadlock_is_unavailability(postgresql: PostgresServer, database: Engine) -> None:
    with transaction(database) as session:
        session.add(LogRow(agreement_id="a", size=0, frontier=b""))
    schema = str(database.url.query["options"]).partition("=")[2]
    lock = f"SELECT 1 FROM {schema}.logs FOR UPDATE"  # noqa: S608 - our own name

    # Someone else's program locks a row and then asks for our turn; we ask for the row.
    def ask_for_the_row(other: psycopg.Connection, threads: ThreadPoolExecutor) -> None:
        with transaction(database) as session:
            threads.submit(other.execute, f"SELECT pg_advisory_xact_lock({0x74616C6C79})".encode())
            until_someone_waits(session)
            session.get(LogRow, "a", with_for_update=True)

    with psycopg.connect(postgresql.conninfo) as other, ThreadPoolExecutor(1) as threads:
        other.execute("SET deadlock_timeout = '10min'")  # ours notices, after a second
        other.execute(lock.encode())
        with pytest.raises(DatabaseUnavailableError) as caught:
            ask_for_the_row(other, threads)
    assert caught.value.facts == {"reason": "40P01"}


def test_a_connection_that_is_cut_in_a_transaction_acknowledges_nothing(
    postgresql: PostgresServer, database: Engine
) -> None:
    def be_cut_off_before_the_commit() -> None:
        with transaction(database) as session:
            add(session, said("event", 1))
            postgresql.administer(f"SELECT pg_terminate_backend({backend(session)}, 5000)")

    with pytest.raises(DatabaseUnavailableError):
        be_cut_off_before_the_commit()
    with reading(database) as session:
        assert entries(session, LOG) == []


def test_a_connection_that_was_cut_meanwhile_is_replaced_unnoticed(
    postgresql: PostgresServer, database: Engine
) -> None:
    with reading(database) as session:
        before = backend(session)
    postgresql.administer(f"SELECT pg_terminate_backend({before}, 5000)")
    with reading(database) as session:
        assert backend(session) != before


def test_a_server_that_is_not_there_is_unavailable() -> None:
    database = open_database("postgresql+psycopg://ana:canary@127.0.0.1:1/tally?connect_timeout=2")
    with pytest.raises(DatabaseUnavailableError) as caught, transaction(database):
        pass
    assert "canary" not in str(caught.value)


def use_up(postgresql: PostgresServer, others: ExitStack) -> None:
    with suppress(psycopg.OperationalError):  # until there are too many
        while True:
            others.enter_context(psycopg.connect(postgresql.conninfo))


def test_connections_that_somebody_else_uses_up_are_unavailability_until_there_are_some(
    postgresql: PostgresServer, database: Engine
) -> None:
    database.dispose()
    with ExitStack() as others:
        use_up(postgresql, others)
        with pytest.raises(DatabaseUnavailableError) as caught, transaction(database):
            pass
    assert caught.value.retryable
    with transaction(database) as session:
        assert add(session, said("event", 1)).index == 0


def test_a_missing_table_stays_a_bug(database: Engine) -> None:
    with pytest.raises(ProgrammingError), reading(database) as session:
        session.connection().exec_driver_sql("SELECT * FROM missing")


def test_what_was_acknowledged_is_there_after_the_server_was_killed() -> None:
    with running_postgresql() as server:
        database = open_database(server.new_schema())
        create_tables(database)
        acknowledged: list[int] = []
        write = writer(database, acknowledged)
        with ThreadPoolExecutor(2) as threads:
            writing = [threads.submit(write, 1000 * number) for number in range(2)]
            while len(acknowledged) < 20:
                assert not any(each.done() for each in writing), "they write until the server is gone"
            server.kill()
            lost = [each.result(timeout=60) for each in writing]
        server.start()
        with reading(database) as session:
            kept = entries(session, LOG)
            verify_log(session, LOG)
        with transaction(database) as session:
            assert add(session, said("event", 5000)).index == len(kept)
        database.dispose()
    known = {said("event", number) for number in acknowledged}
    assert known <= {entry.statement() for entry in kept}
    assert len(acknowledged) <= len(kept) <= len(acknowledged) + len(lost), "each had one unanswered at most"


def writer(database: Engine, acknowledged: list[int]) -> Callable[[int], DatabaseUnavailableError]:
    """Return a function that appends statements until the database is gone, and returns the error."""

    def write(number: int) -> DatabaseUnavailableError:
        while True:
            try:
                with transaction(database) as session:
                    add(session, said("event", number))
            except DatabaseUnavailableError as error:
                return error
            acknowledged.append(number)
            number += 1

    return write


def backend(session: Session) -> int:
    """Return the process that serves this session."""
    return int(session.connection().exec_driver_sql("SELECT pg_backend_pid()").scalar_one())


def raise_in_the_server(session: Session, state: str) -> None:
    raising = f"DO $$ BEGIN RAISE EXCEPTION 'raised' USING ERRCODE = '{state}'; END $$"
    session.connection().exec_driver_sql(raising)


def until_someone_waits(session: Session) -> None:
    """Wait until another writer waits for this one."""
    waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    while not session.connection().exec_driver_sql(waiting).scalar_one():
        session.connection().exec_driver_sql("SELECT pg_sleep(0.01)")
