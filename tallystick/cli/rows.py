"""A line on a terminal that is narrower: it continues on rows that say so.

A terminal breaks a line that is too long wherever its width is used up. Anyone who wrote a part of the line
could then fill it with spaces or dots, so that words of theirs begin a row and look like a line of ours.
So a long line is broken here, and every row but its first begins with a mark.
"""

import os
from collections.abc import Iterator
from typing import Final, TextIO

CONTINUES: Final = "    | "
"""With this each further row of a line begins; no line of ours does."""

_COLUMNS: Final = 80  # of a terminal that does not say how wide it is
_COLUMNS_MIN: Final = 9  # for the mark, the widest letter, and the last column
_ISOLATE, _END_OF_ISOLATE = "\u2068", "\u2069"


def columns_of(out: TextIO) -> int | None:
    """Return how wide a terminal is; None if `out` is no terminal, and breaks no lines."""
    if not out.isatty():
        return None
    try:
        return os.get_terminal_size(out.fileno()).columns or _COLUMNS
    except (OSError, ValueError):
        return _COLUMNS


def rows(line: str, columns: int | None) -> Iterator[str]:
    """Yield the rows of one line of text; all of it is one row if there is no terminal."""
    if columns is None:
        yield line
        return
    row, used, isolated = "", 0, False
    room = max(columns, _COLUMNS_MIN) - 1  # terminals differ at the last column
    for character in line:
        if used + _cells(character) > room:
            # A row is a paragraph of its own (UAX #9): what was isolated is isolated again on the next.
            yield row + _END_OF_ISOLATE * isolated
            row, used = CONTINUES + _ISOLATE * isolated, len(CONTINUES)
        isolated = (isolated or character == _ISOLATE) and character != _END_OF_ISOLATE
        row += character
        used += _cells(character)
    yield row


def _cells(character: str) -> int:
    """Return how many columns a character has at most: fonts and languages differ in all but ASCII."""
    return 1 if character.isascii() else 2
