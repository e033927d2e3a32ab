"""What a command finds when it starts, such as its streams and the terminal's width, made usable."""

import io
import os
import sys
from typing import Final

_COLUMNS_MIN: Final = 20
_DIGITS_MAX: Final = 5


def make_usable() -> None:
    """Let a command run wherever it was started.

    A stream that was closed is opened on nothing: otherwise the next file that is opened would take its
    place, and what somebody prints would land in it. What a terminal's encoding lacks is escaped, never an
    exception. A width in which no word fits is not one.
    """
    for descriptor in (0, 1, 2):
        _open_if_closed(descriptor)
    sys.stdin = sys.stdin or open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - open as long as the process is
    sys.stdout = sys.stdout or open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115 - as above
    sys.stderr = sys.stderr or open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115 - as above
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    _forget_useless_width()


def _forget_useless_width() -> None:
    columns = os.environ.get("COLUMNS", "")
    if not (columns.isdecimal() and len(columns) <= _DIGITS_MAX and int(columns) >= _COLUMNS_MIN):
        os.environ.pop("COLUMNS", None)


def _open_if_closed(descriptor: int) -> None:
    try:
        os.fstat(descriptor)
    except OSError:
        os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free, which is this one
