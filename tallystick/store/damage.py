"""Damage to what is stored: the answer says that it is ours, and it hides nothing beside it."""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from tallystick.domain.errors import TallystickError
from tallystick.lasting import SaidSeldom
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


class Damages:
    """What was found to be damaged: each thing is logged once a day, however often it is asked for."""

    def __init__(self, said: SaidSeldom | None = None) -> None:
        self._said = said or SaidSeldom()
        self.found = 0  # pieces of news, for the figures of this process

    def note(self, event: str, names: Mapping[str, str | int], error: TallystickError) -> None:
        """Log and count what cannot be read, unless it was said today."""
        about = " ".join([event, *(f"{name}={value}" for name, value in sorted(names.items()))])
        if self._said.is_news(about, f"{error.code}: {error}"):
            self.found += 1
            _log.error(event, **names, broken_by=error.code, facts=error.facts, advice=error.advice)


DAMAGES: Final = Damages()


@dataclass(slots=True)
class Look:
    """A look at something that may be damaged; what it found is known after its block."""

    damaged: bool = False


@contextmanager
def unless_damaged(event: str, /, *, damages: Damages = DAMAGES, **names: str | int) -> Generator[Look]:
    """Log `event` with what it concerns if the block cannot read a record, and continue after the block.

    Raises:
        DatabaseUnavailableError: The database is out of reach: nothing is known to be damaged.
    """
    look = Look()
    try:
        yield look
    except DatabaseUnavailableError:
        raise
    except TallystickError as error:
        look.damaged = True
        damages.note(event, names, error)
