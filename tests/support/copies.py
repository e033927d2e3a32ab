"""Copies of databases that may be in use."""

import sqlite3
from contextlib import closing
from pathlib import Path


def copy_database(source: Path, target: Path) -> None:
    """Have SQLite copy a database itself: its files come and go with connections that nobody closed yet."""
    with closing(sqlite3.connect(source)) as ours, closing(sqlite3.connect(target)) as copy:
        copy.execute("PRAGMA synchronous = OFF")
        ours.backup(copy)
