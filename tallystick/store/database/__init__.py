"""The database: sessions, tables and migrations."""
