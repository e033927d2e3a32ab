"""What somebody else wrote begins no row of a terminal, however they fill the one before."""

import fcntl
import os
import pty
import struct
import termios
from collections.abc import Generator
from contextlib import contextmanager, redirect_stderr, redirect_stdout

import pytest

from tallystick.cli.output import print_line, print_problem, say
from tallystick.cli.rows import CONTINUES, rows
from tallystick.domain.errors import TallystickError
from tallystick.domain.quoting import quoted

FORGED = "every check passed"
END = "-- end --"


def filled(columns: int) -> str:
    """Return a line with a quoted text that would begin the second row of a terminal."""
    said = "reason: "
    return said + quoted("x" * (columns - len(said) - 1) + FORGED)


@pytest.mark.parametrize("columns", [9, 20, 39, 80, 81, 200])
def test_each_further_row_says_that_its_line_continues(columns: int) -> None:
    first, *others = rows(filled(columns), columns)
    assert first.startswith("reason: ")
    assert all(row.startswith(CONTINUES) for row in others)
    assert others
    assert all(len(row) < columns for row in (first, *others))
    assert first + "".join(row.removeprefix(CONTINUES) for row in others) == filled(columns)


def test_a_line_that_fits_and_one_that_goes_to_no_terminal_are_one_row() -> None:
    assert list(rows("recorded     sha256:0", 80)) == ["recorded     sha256:0"]
    assert list(rows(filled(80), None)) == [filled(80)]
    assert list(rows("", 80)) == [""]


def test_a_letter_that_may_be_two_columns_wide_counts_as_two() -> None:
    assert max(map(len, rows("\u5408" * 100, 40))) <= len(CONTINUES) + (39 - len(CONTINUES)) // 2


def test_text_from_right_to_left_is_isolated_on_each_of_its_rows() -> None:
    for row in rows(quoted("\u05d0" * 100), 40):
        assert row.count("\u2068") == row.count("\u2069")


@contextmanager
def terminal(columns: int) -> Generator[tuple[int, int]]:
    """Open a terminal of so many columns; yield both ends."""
    screen, keyboard = pty.openpty()
    fcntl.ioctl(keyboard, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    try:
        yield screen, keyboard
    finally:
        os.close(screen)
        os.close(keyboard)


def read_to_the_end(screen: int) -> list[str]:
    """Return the rows that were printed before the last one, which says that it is the last."""
    shown = b""
    while END.encode() not in shown:
        shown += os.read(screen, 65536)
    return shown.decode().splitlines()[:-1]


def test_what_is_printed_at_a_terminal_begins_no_row_with_anothers_words() -> None:
    with terminal(60) as (screen, keyboard), os.fdopen(os.dup(keyboard), "w") as out:
        with redirect_stdout(out), redirect_stderr(out):
            print_line(filled(60))
            say(filled(60))
            print_problem(TallystickError("x" * (60 - len('  "detail": "')) + FORGED))
        print(END, file=out, flush=True)
        shown = read_to_the_end(screen)
    assert sum(row.startswith(CONTINUES) for row in shown) >= 3
    assert not any(row.startswith(FORGED[:5]) for row in shown)
    assert all(len(row) < 60 for row in shown)
