"""A damaged record costs itself only: every other agreement and claim can still be read."""

from collections.abc import Generator
from contextlib import contextmanager

from tallystick.domain.errors import TallystickError
from tallystick.store.database.session import DatabaseUnavailableError
from tallystick.telemetry import logger

_log = logger(__name__)


@contextmanager
def unless_damaged(event: str, **names: str) -> Generator[None]:
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
