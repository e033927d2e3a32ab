"""The database: opened so that what is committed stays, written by one transaction at a time.

SQLite is set up for durability at every connect, and the settings are read back:
its default journal loses acknowledged commits in a power cut. PostgreSQL is asked
whether it is durable, and refused if not. All differences between the two are handled here.
"""

import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import URL, Connection, DateTime, Dialect, Engine, event, func, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection, ExceptionContext
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.pool import ConnectionPoolEntry, QueuePool
from sqlmodel import Session, create_engine, select

from tallystick.domain.errors import TallystickError
from tallystick.limits.storage import DATABASE_BUSY_MAX, DATABASE_CONNECTIONS_MAX, DATABASE_IDLE_MAX

_WRITES: Final = "tallystick_writes"
_TURN: Final = "tallystick_turn"

_PRAGMAS: Final = (  # name, as it is set, as it must read back
    ("journal_mode", "WAL", "wal"),
    ("synchronous", "FULL", 2),
    ("foreign_keys", "ON", 1),
    ("trusted_schema", "OFF", 0),
    ("cell_size_check", "ON", 1),
)
_DURABLE: Final = ("synchronous_commit", "fsync", "full_page_writes")
"""Each of these, if it is off, loses acknowledged commits on PostgreSQL."""
_SQLITE_UNAVAILABLE: Final = frozenset({5, 6, 8, 10, 13, 14, 15})
"""BUSY, LOCKED, READONLY, IOERR, FULL, CANTOPEN, PROTOCOL (sqlite.org/rescode.html)."""
_POSTGRESQL_UNAVAILABLE: Final = (
    *("08", "25006", "25P03", "25P04", "40001", "40003", "40P01", "53", "55P03", "57", "58"),
)
"""Connection, read-only, idle or too long in a transaction, serialization, completion unknown, deadlock,
resources, lock not available, operator, system (PostgreSQL, appendix A)."""
_SETUP: Final = frozenset({"SQLITE_NOTADB", "SQLITE_CORRUPT", "SQLITE_AUTH", "SQLITE_PERM", "42501"})
"""Not a database, a damaged one, or a role that lacks a right: repeating the request would not help."""
_POSTGRESQL_NAMES: Final = frozenset({"postgresql", "postgres"})
"""libpq takes both, and hosting providers hand out both; SQLAlchemy knows the first alone."""
_ONLY_READS: Final = "25006"
_PORT_MAX: Final = 65_535
_ONE_WRITER: Final = 0x74616C6C79
"""The advisory lock that a writer holds; PostgreSQL knows it apart in each database."""


class DatabaseUnavailableError(TallystickError):
    """The database is out of reach now, or the transaction lost its turn; nothing was acknowledged.

    If the connection was lost during the commit, the commit may have been made.
    """

    code = "database-unavailable"
    why = "The database is locked, full, failing or out of reach, so nothing was acknowledged."
    advice = "Send the same request again after a moment: repeating it is harmless."
    retryable = True


class ValueDamagedError(TallystickError):
    """A value in a row that nobody here has written like that."""

    code = "value-damaged"
    why = "A row has a value that its column cannot have: the database was damaged or altered."
    advice = "Stop writing, keep the database as evidence, and compare it with a backup."


class DatabaseSetupError(TallystickError):
    """A database that cannot keep what it acknowledges, or cannot be opened at all."""

    code = "database-setup"
    why = "The database URL cannot be used, or the database refuses the settings that durability needs."
    advice = (
        "Turn on the setting that the facts name. With `42501`, give the role the right to make tables; "
        "with a code of SQLite, restore the file. Otherwise correct `TALLYSTICK_DATABASE_URL`: "
        "sqlite:////path/file.db on a local disk, or postgresql://user@host/name."
    )


def open_database(
    database_url: str,
    *,
    busy_max: timedelta = DATABASE_BUSY_MAX,
    connections_max: int = DATABASE_CONNECTIONS_MAX,
) -> Engine:
    """Return the engine for `database_url`; nothing is connected yet.

    A connection is refused at connect unless its durability settings hold;
    `busy_max` is how long writers wait for their turn.

    Raises:
        DatabaseSetupError: Not a URL, no driver for it, another database, or one in memory.
    """
    try:
        url = make_url(database_url)
        backend = url.get_backend_name()
        if backend == "sqlite":
            return _sqlite(url, busy_max, connections_max)
        if backend in _POSTGRESQL_NAMES:
            return _postgresql(url, busy_max, connections_max)
    except (ArgumentError, NoSuchModuleError, ImportError, ValueError) as error:
        # The URL itself is not shown: it may hold a password.
        raise DatabaseSetupError("the database URL cannot be used", reason=type(error).__name__) from None
    raise DatabaseSetupError(f"{backend} is neither SQLite nor PostgreSQL", reason=backend)


@contextmanager
def transaction(database: Engine) -> Generator[Session]:
    """Yield a session that writes; all of it is durable when the block ends, or none of it is.

    Writers are serialised: what is read here cannot change before the commit.

    Raises:
        DatabaseUnavailableError: Locked, full, failing or out of reach; nothing was acknowledged.
    """
    with _explained(), _turn(database), Session(database, expire_on_commit=False) as session:
        _begin(session, writes=True)  # takes the turn now, not at the first statement
        yield session
        session.commit()


@contextmanager
def reading(database: Engine) -> Generator[Session]:
    """Yield a session that reads one snapshot; its changes are thrown away.

    Raises:
        DatabaseUnavailableError: Locked, failing or out of reach.
    """
    with _explained(), Session(database) as session:
        _begin(session, writes=False)
        yield session
        session.rollback()


def database_now(session: Session) -> datetime:
    """Return the time by the database's own clock: aware UTC, whole seconds."""
    # PostgreSQL's current_timestamp is when the transaction began, before it waited for its turn.
    clock = func.clock_timestamp(type_=DateTime(timezone=True))
    asked = clock if _is_postgresql(session.get_bind()) else func.current_timestamp()
    now = session.exec(select(asked)).one()
    aware = now.replace(tzinfo=UTC) if now.tzinfo is None else now.astimezone(UTC)
    return aware.replace(microsecond=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Turn:
    """Whose turn it is to write, among the threads of this process."""

    lock: threading.Lock
    waiting_max: timedelta


@contextmanager
def _turn(database: Engine) -> Generator[None]:
    """Let one thread of this process write at a time, where the database lets only one.

    A writer that waits for SQLite's lock sleeps, ever longer, between its tries; a thread that waits
    here continues as soon as the one before it is done.
    """
    turn = database.get_execution_options().get(_TURN)
    if not isinstance(turn, _Turn):
        yield
        return
    if not turn.lock.acquire(timeout=turn.waiting_max.total_seconds()):
        raise DatabaseUnavailableError("other writers have taken too long", reason="turn")
    try:
        yield
    finally:
        turn.lock.release()


def _begin(session: Session, *, writes: bool) -> None:
    if not _is_postgresql(session.get_bind()):
        session.connection(execution_options={_WRITES: writes})
        return
    # A reader's snapshot is taken at its first statement. A writer's would be taken while it waits for
    # the lock, and be stale when its turn comes: so each of its statements looks anew; nobody else writes.
    level = "READ COMMITTED" if writes else "REPEATABLE READ"
    session.connection(execution_options={"isolation_level": level, _WRITES: writes})


def _is_postgresql(bind: Engine | Connection) -> bool:
    return bind.dialect.name == "postgresql"


def _sqlite(url: URL, busy_max: timedelta, connections_max: int) -> Engine:
    if (url.database or ":memory:") == ":memory:":
        raise DatabaseSetupError("a database in memory keeps nothing")
    database = create_engine(
        url,
        poolclass=QueuePool,
        pool_size=connections_max,
        max_overflow=0,
        hide_parameters=True,
        execution_options={_TURN: _Turn(lock=threading.Lock(), waiting_max=busy_max)},
    )
    event.listen(database, "connect", _sqlite_setup(busy_max))
    event.listen(database, "begin", _begin_sqlite)
    return database


def _postgresql(url: URL, busy_max: timedelta, connections_max: int) -> Engine:
    if url.drivername in _POSTGRESQL_NAMES:
        url = url.set(drivername="postgresql+psycopg")
    if url.port is not None and not 0 < url.port <= _PORT_MAX:
        raise DatabaseSetupError("the port in the database URL is not a port number", reason="port")
    # Ping: a server that was restarted costs a reconnection, not a refused request.
    database = create_engine(
        url, pool_pre_ping=True, pool_size=connections_max, max_overflow=0, hide_parameters=True
    )
    event.listen(database, "do_connect", _connect)
    event.listen(database, "connect", _postgresql_setup(busy_max))
    event.listen(database, "begin", _begin_postgresql)
    event.listen(database, "handle_error", _leave_standby)
    return database


def _sqlite_setup(busy_max: timedelta) -> Callable[[DBAPIConnection, ConnectionPoolEntry], None]:
    waiting = busy_max // timedelta(milliseconds=1)

    def set_up(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
        connection.isolation_level = None  # transactions begin where `_begin_sqlite` says so
        cursor = connection.cursor()
        # Waiting comes first: to change the journal mode needs a lock.
        for name, wanted, expected in (("busy_timeout", str(waiting), waiting), *_PRAGMAS):
            cursor.execute(f"PRAGMA {name} = {wanted}")
            cursor.execute(f"PRAGMA {name}")
            (actual,) = cursor.fetchone() or (None,)
            if actual != expected:
                raise DatabaseSetupError("the database refused a setting", setting=name, found=str(actual))
        cursor.close()

    return set_up


def _begin_sqlite(connection: Connection) -> None:
    # A writer takes the lock at once: one that first reads and then writes could be
    # refused in the middle, however long it waited (SQLITE_BUSY_SNAPSHOT).
    writes = connection.get_execution_options().get(_WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _connect(
    dialect: Dialect,
    _entry: ConnectionPoolEntry | None,
    arguments: tuple[str, ...],
    parameters: dict[str, object],
) -> DBAPIConnection:
    try:
        return dialect.connect(*arguments, **parameters)
    except dialect.loaded_dbapi.ProgrammingError:  # nothing was sent yet, so the URL is what is wrong
        # What the driver says may quote what stands in the URL.
        raise DatabaseSetupError(
            "the database URL has an option or a value that PostgreSQL's driver does not take",
            reason="option",
        ) from None


def _postgresql_setup(busy_max: timedelta) -> Callable[[DBAPIConnection, ConnectionPoolEntry], None]:
    waiting = busy_max // timedelta(milliseconds=1)

    def set_up(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
        cursor = connection.cursor()
        cursor.execute(f"SET lock_timeout = {waiting}")
        for name in _DURABLE:
            cursor.execute(f"SHOW {name}")
            (actual,) = cursor.fetchone() or (None,)
            if actual in {None, "off"}:
                raise DatabaseSetupError(f"the database's {name} is off", setting=name, found=str(actual))
        cursor.close()
        connection.commit()

    return set_up


def _begin_postgresql(connection: Connection) -> None:
    if not connection.get_execution_options().get(_WRITES, False):
        return
    # A process that is stopped in its turn must not stop all others for ever.
    idle_max = DATABASE_IDLE_MAX // timedelta(milliseconds=1)
    connection.exec_driver_sql(f"SET LOCAL idle_in_transaction_session_timeout = {idle_max}")
    connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_ONE_WRITER})")


def _leave_standby(context: ExceptionContext) -> None:
    """Keep no connection to a server that only reads: it was the primary before another took over."""
    if getattr(context.original_exception, "sqlstate", None) == _ONLY_READS:
        context.is_disconnect = True


@contextmanager
def _explained() -> Generator[None]:
    try:
        yield
    except DBAPIError as error:
        if _reason(error) in _SETUP:
            raise DatabaseSetupError("the database cannot be used as it is", reason=_reason(error)) from None
        if not _is_unavailability(error):
            raise
        raise DatabaseUnavailableError(
            "the database did not carry out the request", reason=_reason(error)
        ) from error
    except PoolTimeoutError as error:
        raise DatabaseUnavailableError("all connections are in use", reason="pool") from error


def _is_unavailability(error: DBAPIError) -> bool:
    if error.connection_invalidated:
        return True
    sqlite_code = getattr(error.orig, "sqlite_errorcode", None)
    if isinstance(sqlite_code, int):
        return sqlite_code & 0xFF in _SQLITE_UNAVAILABLE  # the low byte is the primary code
    state = getattr(error.orig, "sqlstate", None)
    if isinstance(state, str):
        return state.startswith(_POSTGRESQL_UNAVAILABLE)
    return isinstance(error, OperationalError)  # no connection was made, or it broke without an error code


def _reason(error: DBAPIError) -> str:
    """Return the database's own word for it; never the statement, which may hold what was written."""
    name = getattr(error.orig, "sqlite_errorname", None) or getattr(error.orig, "sqlstate", None)
    return str(name or type(error.orig).__name__)
