"""Any database is migrated to the newest shape, however often, and never past what this version knows."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, inspect
from sqlmodel import SQLModel

from tallystick.store.database import migrate
from tallystick.store.database.session import open_database, reading, transaction
from tallystick.store.database.tables import LogRow, create_tables

ROOT = Path(__file__).parents[3]

_POSTGRESQL_COLUMNS = (
    "SELECT table_name || '.' || column_name, data_type || coalesce(character_maximum_length, 0)"
    " || is_nullable || coalesce(column_default, '') FROM information_schema.columns"
    " WHERE table_schema = current_schema()"
)
_POSTGRESQL_CONSTRAINTS = (
    "SELECT conrelid::regclass || '.' || conname, pg_get_constraintdef(oid) FROM pg_constraint"
    " WHERE connamespace = current_schema()::regnamespace"
)
_POSTGRESQL_INDEXES = (
    "SELECT indexname, replace(indexdef, current_schema() || '.', '') FROM pg_indexes"
    " WHERE schemaname = current_schema()"
)
_SQLITE = "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL"
_REVISION = "SELECT 'revision', version_num FROM alembic_version"
_SHAPES = {
    "postgresql": (_POSTGRESQL_COLUMNS, _POSTGRESQL_CONSTRAINTS, _POSTGRESQL_INDEXES, _REVISION),
    "sqlite": (_SQLITE, _REVISION),
}


def shape(database: Engine) -> dict[str, frozenset[str]]:
    """Each table, column, index and constraint by name; its lines may come in another order."""
    with database.connect() as connection:
        rows = [row for query in _SHAPES[database.dialect.name] for row in connection.exec_driver_sql(query)]
    return {name: frozenset(line.strip(" \t,") for line in made.splitlines()) for name, made in rows}


@pytest.fixture
def empty(new_url: Callable[[], str]) -> Iterator[Engine]:
    database = open_database(new_url())
    yield database
    database.dispose()


def test_the_migrations_make_exactly_the_tables(empty: Engine, database: Engine) -> None:
    assert migrate.upgrade(empty) == migrate.newest()
    with empty.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), SQLModel.metadata) == []
    assert shape(empty) == shape(database)
    assert {"ledger_entries", "logs", "claims", "decisions"} < set(inspect(empty).get_table_names())


def test_what_was_made_at_once_counts_as_migrated(database: Engine) -> None:
    with transaction(database) as session:
        session.add(LogRow(agreement_id="kept", size=0, frontier=b""))
        assert migrate.revision(session.connection()) == migrate.newest()
    migrate.upgrade(database)
    create_tables(database)
    with reading(database) as session:
        assert session.get(LogRow, "kept") is not None


def test_two_that_start_at_once_make_one_database(empty: Engine, database: Engine) -> None:
    with ThreadPoolExecutor(2) as threads:
        list(threads.map(create_tables, [empty, empty]))
    assert shape(empty) == shape(database)


def test_a_database_of_a_later_version_is_refused_and_left_alone(database: Engine) -> None:
    with transaction(database) as session:
        session.connection().exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    for open_it in (migrate.upgrade, create_tables):
        with pytest.raises(migrate.SchemaTooNewError) as caught:
            open_it(database)
    assert caught.value.facts["revision"] == "9999"


def test_a_site_migrates_with_one_command(empty: Engine, database: Engine, tmp_path: Path) -> None:
    environment = {
        "PYTHONPATH": str(ROOT),
        "TALLYSTICK_DEPLOYMENT": "test",
        "TALLYSTICK_DATA": str(tmp_path),
        "TALLYSTICK_DATABASE_URL": empty.url.render_as_string(hide_password=False),
    }
    command = [sys.executable, "-m", "tallystick.store.database.migrate"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert shape(empty) == shape(database)


def test_the_command_says_why_it_did_not_migrate(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    environment = {"TALLYSTICK_DEPLOYMENT": "test", "TALLYSTICK_DATA": str(tmp_path / "missing")}
    assert migrate.main(environment) == 1
    assert "SQLITE_CANTOPEN" in capsys.readouterr().err
    assert migrate.main({}) == 1
    assert "TALLYSTICK_DATA" in capsys.readouterr().err
