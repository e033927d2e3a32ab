# ruff: noqa: INP001 - Alembic runs these files by path; they are no package
"""Runs the migrations in one transaction, on the database that the settings name.

There's no offline mode: a script of SQL would be run without the durability
settings that the engine asserts.
"""

import os

from alembic import context
from sqlmodel import SQLModel

from tallystick.settings import read_settings
from tallystick.store import tables
from tallystick.store.session import open_engine

assert tables.EntryRow.__tablename__ in SQLModel.metadata.tables, "the tables are what is migrated to"

url = context.config.get_main_option("sqlalchemy.url") or read_settings(os.environ).database_url
engine = open_engine(url)
with engine.connect() as connection:
    context.configure(connection=connection, target_metadata=SQLModel.metadata)
    with context.begin_transaction():
        context.run_migrations()
engine.dispose()
