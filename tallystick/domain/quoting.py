"""How texts that somebody else wrote are shown, so that they draw nothing on a reader's screen.

Call `quoted` for such a text in a sentence of ours: it stays on one line, between quotes that it cannot end,
and shows every character that would otherwise break the line, turn it, hide in it, or pile up on it.
`one_line` keeps a whole line of ours on one line, `escaped_json` does the same for JSON, and `drawn_by`
finds what a text of one line may not contain at all.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from itertools import filterfalse, pairwise
from typing import Final

from tallystick.limits.documents import MARKS_IN_A_ROW_MAX, TEXT_LENGTH_MAX

_RANGES: Final = (
    (0x0000, 0x001F),  # controls (Cc)
    (0x007F, 0x009F),
    (0x00AD, 0x00AD),  # soft hyphen
    (0x034F, 0x034F),
    (0x0600, 0x0605),
    (0x061C, 0x061C),
    (0x06DD, 0x06DD),
    (0x070F, 0x070F),
    (0x0890, 0x0891),
    (0x08E2, 0x08E2),
    (0x115F, 0x1160),  # Hangul fillers
    (0x17B4, 0x17B5),
    (0x180B, 0x180F),
    (0x200B, 0x200F),  # zero width, and marks of direction
    (0x2028, 0x202E),  # separators of lines and paragraphs, embeddings and overrides
    (0x2060, 0x206F),  # isolates among them
    (0x2800, 0x2800),  # a Braille pattern without dots: blank, and no space
    (0x3164, 0x3164),  # Hangul filler
    (0xD800, 0xDFFF),  # surrogates, which are no characters
    (0xFE00, 0xFE0F),  # variation selectors
    (0xFEFF, 0xFEFF),
    (0xFFA0, 0xFFA0),  # half-width Hangul filler
    (0xFFF0, 0xFFFB),
    (0x110BD, 0x110BD),
    (0x110CD, 0x110CD),
    (0x13430, 0x1343F),
    (0x1BCA0, 0x1BCA3),
    (0x1D173, 0x1D17A),
    (0xE0000, 0xE0FFF),  # tags, and more variation selectors
)
"""The categories Cc, Cf, Zl and Zp, Default_Ignorable_Code_Point (Unicode 16), surrogates, and U+2800.

Written out, so that what is refused does not depend on the Unicode version of a Python."""

_REFUSED: Final = frozenset(chr(code) for first, last in _RANGES for code in range(first, last + 1))
_ISOLATE, _END_OF_ISOLATE = "\u2068", "\u2069"
_ISOLATES: Final = frozenset({_ISOLATE, _END_OF_ISOLATE})
_EITHER_ISOLATE: Final = re.compile(f"[{_ISOLATE}{_END_OF_ISOLATE}]")
_RIGHT_TO_LEFT: Final = frozenset({"R", "AL", "AN"})
_MARKS: Final = frozenset({"Mn", "Me"})
_MARKS_END: Final = 0x20000  # after the last mark of Unicode 3.2, but for those that are refused above
_PILE: Final = re.compile(rb"\A\x01+|\x01{%d,}" % (MARKS_IN_A_ROW_MAX + 1))  # 1 stands for a mark
_SELECTORS: Final = range(0xE0100, 0xE01F0)  # marks that are refused
_ASTRAL: Final = 0xFFFF
_REST_LENGTH_MAX: Final = 64  # of the words that count what is left out


def quoted(text: str, *, at_most: int = TEXT_LENGTH_MAX) -> str:
    r"""Return a text of others as one line between quotes, in which nothing draws and no quote ends it.

    What prints nothing is written as Python writes it (`\n`, `\u202e`), and so are quote and backslash.
    Text from right to left is isolated (UAX #9), so that it does not move what stands beside it.

    Args:
        at_most: How many characters are shown, and then the number of the rest; by default, all of any text.
    """
    kept = text[:at_most]
    line = _undrawing(kept, also='\\"')
    if not line.isascii() and _turns(line):
        line = f"{_ISOLATE}{line}{_END_OF_ISOLATE}"
    more = len(text) - len(kept)
    return f'"{line}"' if not more else f'"{line}…" and {more} more characters'


def _turns(line: str) -> bool:
    """Return whether a line has writing from right to left; each character is looked up once."""
    return any(unicodedata.bidirectional(one) in _RIGHT_TO_LEFT for one in frozenset(line))


def shortened(text: str) -> str:
    """Return a text that a statement of the deployment's can hold: its end is left out, and counted."""
    if len(text) <= TEXT_LENGTH_MAX:
        return text
    kept = text[: TEXT_LENGTH_MAX - _REST_LENGTH_MAX]
    return f"{kept}… and {len(text) - len(kept)} more characters"


def one_line(line: str) -> str:
    """Return a line of ours with every character escaped that could draw; `quoted` may have isolated some."""
    isolated = not line.isascii() and (_ISOLATE in line or _END_OF_ISOLATE in line)
    spared = _ISOLATES if isolated and _balanced(line) else frozenset[str]()
    return _undrawing(line, spared=spared)


def escaped_json(text: str) -> str:
    r"""Return JSON with the same value, in which every character that could draw is written as `\uXXXX`."""
    return "".join(_json_escape(one) if one in _REFUSED and one != "\n" else one for one in text)


def drawn_by(text: str) -> str | None:
    """Return the first character for which a text may not stand on one line, or None.

    That is one of those above, or a combining mark after so many others that they cover the lines around.
    """
    if _is_plain(text):
        return None
    drawing = _drawing().search(text)
    return None if drawing is None else drawing.group()


@cache
def _drawing() -> re.Pattern[str]:
    """Return what finds the first such character: a long text must not cost a step of Python for each."""
    marks = _class_of(filter(_is_mark, map(chr, range(_MARKS_END))))
    return re.compile(f"{_class_of(_REFUSED)}|(?<={marks}{{{MARKS_IN_A_ROW_MAX}}}){marks}")


def _is_mark(character: str) -> bool:
    return unicodedata.ucd_3_2_0.category(character) in _MARKS


def named(character: str) -> str:
    """Return how a character is called where it cannot be shown: `U+202E`."""
    return f"U+{ord(character):04X}"


def _is_plain(text: str) -> bool:
    """Return whether nothing in a text can draw: nearly every text, and the long ones: keys and addresses."""
    return text.isascii() and text.isprintable()


def _undrawing(text: str, *, also: str = "", spared: frozenset[str] = frozenset()) -> str:
    """Return a text with what could draw escaped; a plain one costs no step of Python for each letter."""
    if _is_plain(text):
        return text.translate({ord(character): f"\\{character}" for character in also})
    return _escaped(text, also=also, spared=spared)


def _escaped(text: str, *, also: str = "", spared: frozenset[str] = frozenset()) -> str:
    """Return a text with what could draw escaped; no step of Python for each of its many characters."""
    kept = text if not spared else _EITHER_ISOLATE.sub("", text)
    drawn = not kept.isprintable() or not _drawing_with(also).isdisjoint(kept)
    escapes = _escapes(text, also, spared) if drawn else None
    if _piling().isdisjoint(text):
        return _translated(text, escapes)
    shown, end = list[str](), 0
    for begun, over in _piles(text):
        shown += (_translated(text[end:begun], escapes), _python_escape(text[begun:over]))
        end = over
    return "".join(shown) + _translated(text[end:], escapes)


def _translated(text: str, escapes: Mapping[int, int | str] | None) -> str:
    return text if escapes is None else text.translate(escapes)


@cache
def _drawing_with(also: str) -> frozenset[str]:
    return _REFUSED | frozenset(also)


@cache
def _piling() -> frozenset[str]:
    """Return the combining marks, those that are refused among them."""
    marks = (letter for letter in map(chr, range(_MARKS_END)) if unicodedata.category(letter) in _MARKS)
    return frozenset(marks) | frozenset(map(chr, _SELECTORS))


def _piles(text: str) -> Iterator[tuple[int, int]]:
    """Yield where marks pile up, from the first that is too many; one at the start has nothing below it."""
    are_marks = bytes(map(_piling().__contains__, text))
    for pile in _PILE.finditer(are_marks):
        yield pile.start() + (MARKS_IN_A_ROW_MAX if pile.start() else 0), pile.end()


def _class_of(characters: Iterable[str]) -> str:
    """Return a class of characters for a pattern, in as few ranges as there are."""
    codes = sorted(map(ord, characters))
    starts = [code for before, code in pairwise((-2, *codes)) if code != before + 1]
    ends = [code for code, after in pairwise((*codes, -2)) if after != code + 1]
    return f"[{''.join(f'{chr(start)}-{chr(end)}' for start, end in zip(starts, ends, strict=True))}]"


def _escapes(text: str, also: str, spared: frozenset[str]) -> Mapping[int, int | str]:
    """Return how each character of a text is shown, as `str.translate` asks for it, looked up once."""
    letters = frozenset(text)
    drawn = "".join((letters & _REFUSED).union(filterfalse(str.isprintable, letters)) - spared)
    written = _python_escape(drawn).split("\\")[1:]  # all at once: there may be thousands of different ones
    shown: dict[int, int | str] = {code: code for code in map(ord, letters)}
    shown.update(zip(map(ord, drawn), map("\\".__add__, written), strict=True))
    shown.update((ord(one), f"\\{one}") for one in also)
    return shown


def _python_escape(character: str) -> str:
    return character.encode("unicode_escape").decode()


def _json_escape(character: str) -> str:
    code = ord(character)
    if code <= _ASTRAL:
        return f"\\u{code:04x}"
    raw = character.encode("utf-16-be")
    return f"\\u{raw[:2].hex()}\\u{raw[2:].hex()}"


def _balanced(line: str) -> bool:
    depth = 0
    for isolate in _EITHER_ISOLATE.findall(line):
        depth += 1 if isolate == _ISOLATE else -1
        if depth < 0:
            return False
    return depth == 0
