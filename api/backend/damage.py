"""What one damaged record costs: itself, and nothing of any other agreement or claim."""

from collections.abc import Generator
from contextlib import contextmanager

from tallystick.domain.errors import TallystickError
from tallystick.store.database.session import StoreUnavailableError
from tallystick.telemetry import logger

_log = logger(__name__)


@contextmanager
def unless_damaged(event: str, **names: str) -> Generator[None]:
    """Log `event` with what it concerns if the block cannot read a record, and continue after the block.

    Raises:
        StoreUnavailableError: The database cannot be asked: nothing is known to be damaged.
    """
    try:
        yield
    except StoreUnavailableError:
        raise
    except TallystickError as error:
        _log.error(event, **names, broken_by=error.code, facts=error.facts)
