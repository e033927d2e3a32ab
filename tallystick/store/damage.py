"""Damage to what is stored: the answer says that it is ours, and it hides nothing beside it."""

from collections.abc import Generator
from contextlib import contextmanager

from tallystick.domain.errors import TallystickError
from tallystick.store.database.session import DatabaseUnavailableError
from tallystick.telemetry import logger

_log = logger(__name__)


class LedgerCorruptError(TallystickError):
    """A stored log that differs from what was written; `index` is the first bad entry."""

    code = "ledger-corrupt"
    why = "A stored entry, name, leaf or tree does not match the others: the database was damaged or altered."
    advice = "Stop writing, keep the database as evidence, and compare it with the parties' checkpoints."


@contextmanager
def as_written(index: int) -> Generator[None]:
    """Read entry `index` of a log, verified before it was stored: if the block refuses it, it is damaged.

    Without this, our own damaged bytes would be answered as a mistake of the caller who asks about them.

    Raises:
        LedgerCorruptError: The block raised any refusal; `broken_by` is its code.
    """
    try:
        yield
    except (LedgerCorruptError, DatabaseUnavailableError):
        raise
    except TallystickError as error:
        raise LedgerCorruptError("a stored entry is damaged", index=index, broken_by=error.code) from error


@contextmanager
def unless_damaged(event: str, **names: str | int) -> Generator[None]:
    """Log `event` with what it concerns if the block cannot read a record, and continue after the block.

    Raises:
        DatabaseUnavailableError: The database is out of reach: nothing is known to be damaged.
    """
    try:
        yield
    except DatabaseUnavailableError:
        raise
    except TallystickError as error:
        _log.error(event, **names, broken_by=error.code, facts=error.facts)
