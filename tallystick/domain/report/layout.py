"""What a report consists of, whatever prints it: sections of sentences and tables."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from tallystick.domain.quoting import one_line

Cell: TypeAlias = tuple[str, ...]
"""The lines of a cell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows under headings; the cells of a row are as many as the headings.

    Attributes:
        widths: How wide each column is, relative to the others.
    """

    headings: tuple[str, ...]
    widths: tuple[int, ...]
    rows: tuple[tuple[Cell, ...], ...]


Block: TypeAlias = str | Table
"""A paragraph, or a table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A titled part of a report."""

    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """A whole report.

    Attributes:
        warning: What a reader must know before anything else, or None.
    """

    title: str
    warning: str | None
    sections: tuple[Section, ...]


def section(title: str, *blocks: Block) -> Section:
    """Return a section; each of its texts stays within its lines, whoever wrote it."""
    return Section(title=title, blocks=tuple(one_line(b) if isinstance(b, str) else b for b in blocks))


def table(
    headings: Sequence[str], widths: Sequence[int], rows: Iterable[Sequence[str | Iterable[str]]]
) -> Table:
    """Return a table; a cell is a line or several, and each of them stays one line, whoever wrote it."""
    cells = tuple(tuple(map(_cell, row)) for row in rows)
    assert all(len(row) == len(headings) == len(widths) for row in cells), "a cell for each heading"
    return Table(headings=tuple(headings), widths=tuple(widths), rows=cells)


def _cell(lines: str | Iterable[str]) -> Cell:
    return tuple(map(one_line, [lines] if isinstance(lines, str) else lines))
