"""How many of something, in English: `1 entry`, `2 entries`, `a, b and c`, `both of these`."""

from collections.abc import Sequence
from typing import Final

_TWO: Final = 2


def counted(count: int, one: str, many: str | None = None) -> str:
    """Return `count` with its noun; `many` is the plural where it is not `one` with an s."""
    return f"{count} {one if count == 1 else many or f'{one}s'}"


def joined(names: Sequence[str], word: str) -> str:
    """Return names as a sentence lists them: `a, b and c`."""
    *first, last = names or ("nobody",)
    return f"{', '.join(first)} {word} {last}" if first else last


def all_of(count: int) -> str:
    """Return the words that say that each of so many is needed."""
    return "both of these" if count == _TWO else f"all of these {count}"


def any_of(count: int) -> str:
    """Return the words that say that one of so many suffices."""
    return "either of these" if count == _TWO else f"any one of these {count}"
