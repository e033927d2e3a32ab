"""The steps from one shape of the tables to the next; Alembic runs them by path, `migrate` starts it."""
