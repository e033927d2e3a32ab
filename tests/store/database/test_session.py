"""What is committed stays; writers take turns; trouble is distinguished from bugs."""

import os
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError, OperationalError, ProgrammingError
from sqlmodel import select

from tallystick.store.database.session import (
    DatabaseSetupError,
    DatabaseUnavailableError,
    database_now,
    open_database,
    reading,
    transaction,
)
from tallystick.store.database.tables import ClaimRow, LogRow
from tests.support.worlds.ledgers import new_engine

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ("journal_mode", "wal"),
        ("synchronous", 2),
        ("foreign_keys", 1),
        ("trusted_schema", 0),
        ("cell_size_check", 1),
        ("busy_timeout", 15_000),
    ],
)
def test_every_connection_to_sqlite_has_the_durability_settings(
    sqlite_engine: Engine, setting: str, expected: object
) -> None:
    with sqlite_engine.connect() as first, sqlite_engine.connect() as second:
        actual = [each.exec_driver_sql(f"PRAGMA {setting}").scalar() for each in (first, second)]
    assert actual == [expected, expected]


def test_a_database_whose_journal_cannot_be_wal_is_refused_at_connect() -> None:
    database = open_database("sqlite:///file:memory-in-disguise?mode=memory&uri=true")
    with pytest.raises(DatabaseSetupError) as caught, reading(database) as session:
        database_now(session)
    assert caught.value.facts == {"setting": "journal_mode", "found": "memory"}


@pytest.mark.parametrize(
    "url",
    [
        *("sqlite://", "sqlite:///:memory:", "no-url", "nosuchdatabase://x", "mysql://x", ""),
        *("postgresql://u:p@127.0.0.1:port/x", "postgresql://u@[::1/x", "postgresql://u@h:0/x"),
        *("postgresql://u@h:65536/x", "postgresql+nosuchdriver://u@h/x"),
    ],
)
def test_a_database_that_cannot_be_used_is_refused(url: str) -> None:
    with pytest.raises(DatabaseSetupError):
        open_database(url)


@pytest.mark.parametrize("option", ["nonsense=canary", "connect_timeout=canary"])
def test_an_option_that_the_driver_does_not_take_is_refused_and_not_shown(option: str) -> None:
    database = open_database(f"postgresql://u@127.0.0.1:1/x?{option}")
    with pytest.raises(DatabaseSetupError, match="an option or a value") as caught, reading(database):
        pass
    assert "canary" not in str(caught.value)


def test_both_schemes_of_postgresql_mean_it() -> None:
    for scheme in ("postgresql", "postgres", "postgresql+psycopg"):
        assert open_database(f"{scheme}://u@h/x").url.drivername == "postgresql+psycopg"


def test_a_refused_url_is_not_shown() -> None:
    with pytest.raises(DatabaseSetupError) as caught:
        open_database("nosuchdatabase://ana:canary@host/db")
    assert "canary" not in str(caught.value)


def test_an_exception_undoes_the_whole_transaction(database: Engine) -> None:
    def fail_after_writing() -> None:
        with transaction(database) as session:
            session.add(LogRow(agreement_id="a", size=0, frontier=b""))
            session.flush()
            raise KeyError

    with pytest.raises(KeyError):
        fail_after_writing()
    with reading(database) as session:
        assert session.get(LogRow, "a") is None


def test_what_a_reader_changes_is_thrown_away(database: Engine) -> None:
    with reading(database) as session:
        session.add(LogRow(agreement_id="a", size=0, frontier=b""))
        session.flush()
    with reading(database) as session:
        assert session.get(LogRow, "a") is None


def test_a_reader_sees_one_snapshot(database: Engine) -> None:
    with reading(database) as session:
        assert session.exec(select(LogRow)).all() == []
        with transaction(database) as writer:
            writer.add(LogRow(agreement_id="a", size=0, frontier=b""))
        assert session.exec(select(LogRow)).all() == []


def test_writers_take_turns_so_that_no_update_is_lost(database: Engine) -> None:
    with transaction(database) as session:
        session.add(LogRow(agreement_id="a", size=0, frontier=b""))

    def increment(_turn: int) -> None:
        with transaction(database) as session:
            row = session.get_one(LogRow, "a")
            row.size += 1

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(increment, range(40)))
    with reading(database) as session:
        assert session.get_one(LogRow, "a").size == 40


def test_a_locked_database_is_unavailable_for_now(tmp_path: Path) -> None:
    database = new_engine(tmp_path, busy_max=timedelta(milliseconds=10))
    other = sqlite3.connect(tmp_path / "store.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(DatabaseUnavailableError) as caught, transaction(database):
        pass
    other.close()
    assert caught.value.retryable
    assert caught.value.facts == {"reason": "SQLITE_BUSY"}


def test_a_full_database_is_unavailable_and_keeps_nothing(sqlite_engine: Engine) -> None:
    def write_too_much() -> None:
        with transaction(sqlite_engine) as session:
            session.connection().exec_driver_sql("PRAGMA max_page_count = 1")
            session.add(LogRow(agreement_id="a", size=0, frontier=bytes(1_000_000)))

    with pytest.raises(DatabaseUnavailableError) as caught:
        write_too_much()
    assert caught.value.facts == {"reason": "SQLITE_FULL"}
    with reading(sqlite_engine) as session:
        assert session.get(LogRow, "a") is None


def test_a_folder_that_does_not_exist_is_unavailable(tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path}/missing/store.db")
    with pytest.raises(DatabaseUnavailableError), reading(database) as session:
        database_now(session)


def test_a_statement_that_is_wrong_stays_a_bug(database: Engine) -> None:
    missing = pytest.raises((OperationalError, ProgrammingError), match=r"no such table|does not exist")
    with missing, transaction(database) as session:
        session.connection().execute(text("SELECT * FROM missing"))


def test_a_row_without_its_ledger_entry_cannot_be_committed(database: Engine) -> None:
    with pytest.raises(IntegrityError), transaction(database) as session:
        session.add(ClaimRow(digest="sha256:x", agreement_id="a", claim_id="clm-x"))


def test_a_process_that_dies_before_its_commit_leaves_nothing(database: Engine) -> None:
    script = (
        "import os, signal, sys\n"
        "from tallystick.store.database.session import open_database, transaction\n"
        "from tallystick.store.database.tables import LogRow\n"
        "database = open_database(sys.argv[1])\n"
        "with transaction(database) as session:\n"
        "    session.add(LogRow(agreement_id='kept', size=1, frontier=b''))\n"
        "with transaction(database) as session:\n"
        "    session.add(LogRow(agreement_id='lost', size=1, frontier=b''))\n"
        "    session.flush()\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    url = database.url.render_as_string(hide_password=False)
    died = subprocess.run([sys.executable, "-c", script, url], env=environment, check=False)
    assert died.returncode == -9
    with reading(database) as session:
        assert session.exec(select(LogRow.agreement_id)).all() == ["kept"]


def test_the_databases_clock_is_utc_in_whole_seconds(database: Engine) -> None:
    with reading(database) as session:
        now = database_now(session)
    assert now.tzinfo is UTC
    assert now.microsecond == 0
    assert abs(now - datetime.now(UTC)) < timedelta(seconds=5)


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_postgresql_is_known_by_each_name_that_it_goes_by(scheme: str) -> None:
    database = open_database(f"{scheme}://ana@127.0.0.1:1/tally")
    assert database.url.drivername == "postgresql+psycopg"


def test_another_database_is_named() -> None:
    with pytest.raises(DatabaseSetupError, match="mysql is neither SQLite nor PostgreSQL"):
        open_database("mysql://ana@db/tally")
