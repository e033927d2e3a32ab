"""Every storage test runs on SQLite and on PostgreSQL."""

from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import Engine

from tallystick.store.database.session import open_database
from tallystick.store.database.tables import create_tables
from tests.support.sites.postgresql import PostgresServer, running_postgresql
from tests.support.worlds.ledgers import new_engine

NewUrl = Callable[[], str]
MakeEngine = Callable[[], Engine]


@pytest.fixture(scope="session")
def postgresql() -> Generator[PostgresServer]:
    with running_postgresql() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"], scope="module")
def new_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> NewUrl:
    """Gives the URLs of empty databases."""
    if request.param == "sqlite":
        return lambda: f"sqlite:///{tmp_path_factory.mktemp('database')}/store.db"
    server: PostgresServer = request.getfixturevalue("postgresql")
    return server.new_schema


@pytest.fixture(scope="module")
def make_engine(new_url: NewUrl) -> Iterator[MakeEngine]:
    """Makes empty databases, with all tables, until the module is done."""
    with ExitStack() as made:

        def make() -> Engine:
            database = open_database(new_url())
            made.callback(database.dispose)
            create_tables(database)
            return database

        yield make


@pytest.fixture
def database(make_engine: MakeEngine) -> Iterator[Engine]:
    database = make_engine()
    yield database
    database.dispose()


@pytest.fixture
def sqlite_engine(tmp_path: Path) -> Engine:
    return new_engine(tmp_path)
