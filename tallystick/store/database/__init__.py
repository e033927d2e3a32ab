"""The database: SQLite or PostgreSQL, opened so that what is committed stays.

To write, use `with transaction(database) as session`; to read one snapshot, `reading`. `open_database`
opens it; a connection under whose settings a commit could be lost is refused. `database_now` is the time
by its own clock. `tables` has the tables, `migrate` brings an older database to them, and `idempotency`
remembers answers by `Idempotency-Key`.
"""
