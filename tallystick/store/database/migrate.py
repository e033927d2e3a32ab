"""Brings a database to the shape that this version expects: `python -m tallystick.store.database.migrate`.

A site runs it before its services start, and again is harmless: what is there already
is left alone. All steps are one transaction, on SQLite and on PostgreSQL.
"""

import os
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine

from tallystick.domain.errors import TallystickError
from tallystick.settings import read_settings
from tallystick.store.database.session import open_database, transaction

_STEPS: Final = Path(__file__).parents[1] / "migrations"


class SchemaTooNewError(TallystickError):
    """A database that a later version of the code has migrated."""

    code = "schema-too-new"
    why = "The tables have a shape that this version doesn't know; it could lose what it can't see."
    advice = "Run the version that migrated the database, or a later one."


@cache
def newest() -> str:
    """Return the revision to which this code migrates."""
    head = ScriptDirectory(str(_STEPS)).get_current_head()
    assert head is not None, "there is a first step"
    return head


def revision(connection: Connection) -> str | None:
    """Return the revision at which the database is; None if it was never migrated."""
    return MigrationContext.configure(connection).get_current_revision()


def stamp(connection: Connection) -> None:
    """Say that the tables have the newest shape: for who has just made them so."""
    script = ScriptDirectory(str(_STEPS))
    MigrationContext.configure(connection).stamp(script, newest())


def upgrade(database: Engine) -> str:
    """Take every step that the database hasn't taken, and return the revision at which it is now.

    Raises:
        SchemaTooNewError: A later version of the code has migrated it.
        StoreUnavailableError: Locked, full or out of reach; no step was taken.
        StoreUnusableError: It doesn't keep what it acknowledges.
    """
    with transaction(database) as session:
        _take_steps(session.connection())
    return newest()


def _take_steps(connection: Connection) -> None:
    known = {step.revision for step in ScriptDirectory(str(_STEPS)).walk_revisions()}
    at = revision(connection)
    if at is not None and at not in known:
        raise SchemaTooNewError("migrated by a later version", revision=at, newest=newest())
    config = Config()
    config.set_main_option("script_location", str(_STEPS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def main(environment: Mapping[str, str]) -> int:
    """Migrate the database that the settings name; return 0, or 1 with the reason on stderr."""
    try:
        at = upgrade(open_database(read_settings(environment).database_url))
    except TallystickError as error:
        print(error, file=sys.stderr)  # noqa: T201 - it's what the operator reads
        return 1
    print(f"the database is at revision {at}")  # noqa: T201 - the same
    return 0


if __name__ == "__main__":
    sys.exit(main(os.environ))
