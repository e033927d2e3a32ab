"""Runs the migrations on the connection that `migrate` passes, in the transaction that it has begun.

Without one (when a developer asks Alembic to write the next step), the database is
the one that the settings name. There is no offline mode: a script of SQL would run
without the durability settings that every connection of ours asserts.
"""

import os

from alembic import context
from sqlalchemy import Connection
from sqlmodel import SQLModel

from tallystick.settings import read_settings
from tallystick.store.database import tables
from tallystick.store.database.session import open_database, transaction

assert tables.EntryRow.__tablename__ in SQLModel.metadata.tables, "the tables are what is migrated to"


def _run(connection: Connection) -> None:
    context.configure(connection=connection, target_metadata=SQLModel.metadata)
    with context.begin_transaction():
        context.run_migrations()


given = context.config.attributes.get("connection")
if isinstance(given, Connection):
    _run(given)
else:
    with transaction(open_database(read_settings(os.environ).database_url)) as session:
        _run(session.connection())
