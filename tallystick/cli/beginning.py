"""What every command begins with, before its own words."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import typer


@dataclass(frozen=True, slots=True, kw_only=True)
class Beginning:
    """What was said before the command's name, and how this process waits.

    Attributes:
        passphrase_file: Whose first line is the passphrase; None if the person is asked.
        pause: Waits for some seconds, wherever a command must.
    """

    passphrase_file: Path | None
    pause: Callable[[float], None]


def beginning(context: typer.Context) -> Beginning:
    """Return what the command of `context` began with."""
    found: object = context.find_root().obj
    assert isinstance(found, Beginning)
    return found
