"""The steps from one shape of the tables to the next.

To take them, call `tallystick.store.database.migrate.upgrade`; to add one, write a module in `versions`.
Alembic runs `env` and the steps by path, so nothing here is imported.
"""
