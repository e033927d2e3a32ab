"""Brings a database to the shape that this version expects: `python -m tallystick.store.database.migrate`.

A site runs it before its services start. Running it again is harmless: a step that was
taken is not taken again. All steps are one transaction, on SQLite and on PostgreSQL.
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
    why = "The tables have a newer shape than this version knows; it could lose data that it cannot see."
    advice = "Run the version that migrated the database, or a later one."


@cache
def newest() -> str:
    """Return the revision to which this code migrates."""
    head = ScriptDirectory(str(_STEPS)).get_current_head()
    assert head is not None, "there is a first step"
    return head


def revision(connection: Connection) -> str | None:
    """Return the database's revision; None if it was never migrated."""
    return MigrationContext.configure(connection).get_current_revision()


def stamp(connection: Connection) -> None:
    """Note that the tables have the newest shape; the caller has just created them."""
    script = ScriptDirectory(str(_STEPS))
    MigrationContext.configure(connection).stamp(script, newest())


def upgrade(database: Engine) -> str:
    """Take every step that the database has not taken, and return its revision, now the newest.

    Raises:
        SchemaTooNewError: A later version of the code has migrated it.
        DatabaseUnavailableError: Locked, full or out of reach; no step was taken.
        DatabaseSetupError: It does not keep what it acknowledges.
    """
    with transaction(database) as session:
        _take_steps(session.connection())
    return newest()


def _take_steps(connection: Connection) -> None:
    known = {step.revision for step in ScriptDirectory(str(_STEPS)).walk_revisions()}
    current = revision(connection)
    if current is not None and current not in known:
        raise SchemaTooNewError(
            "a later version has migrated the database", revision=current, newest=newest()
        )
    config = Config()
    config.set_main_option("script_location", str(_STEPS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def main(environment: Mapping[str, str]) -> int:
    """Migrate the database that the settings name; return 0, or 1 with the reason on stderr."""
    try:
        reached = upgrade(open_database(read_settings(environment).database_url))
    except TallystickError as error:
        print(error, file=sys.stderr)  # noqa: T201 - it is what the operator reads
        return 1
    print(f"the database is at revision {reached}")  # noqa: T201 - the same
    return 0


if __name__ == "__main__":
    sys.exit(main(os.environ))
