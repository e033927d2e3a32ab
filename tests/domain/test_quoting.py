"""Texts that somebody else wrote draw nothing: no line, no turn, no gap, no quote, no pile of marks."""

import json
import sys
import unicodedata
from pathlib import Path
from typing import Final

import pytest

from tallystick.domain.quoting import drawn_by, escaped_json, named, one_line, quoted
from tallystick.limits.documents import MARKS_IN_A_ROW_MAX, TEXT_LENGTH_MAX
from tests.support.costs import cost_of

_INVISIBLE = (
    "\n",
    "\r",
    "\x1b",
    "\x85",
    "\u00ad",
    "\u034f",
    "\u061c",
    "\u115f",
    "\u1160",
    "\u17b4",
    "\u180e",
    "\u200b",
    "\u200f",
    "\u2028",
    "\u2029",
    "\u202e",
    "\u2066",
    "\u2800",
    "\u3164",
    "\ufe0f",
    "\ufeff",
    "\uffa0",
    "\U000e0041",
    "\U000e0100",
    "\ud800",
)


@pytest.mark.parametrize("character", _INVISIBLE, ids=[named(one) for one in _INVISIBLE])
def test_a_character_that_draws_is_found_and_written_out(character: str) -> None:
    assert drawn_by(f"a{character}b") == character
    for line in (quoted(f"a{character}b"), one_line(f"a{character}b")):
        assert character not in line
        assert line.isprintable()


def test_every_character_of_the_categories_that_draw_is_found_by_whatever_unicode_version() -> None:
    missed = [
        code
        for code in range(sys.maxunicode + 1)
        if unicodedata.category(chr(code)) in {"Cc", "Cf", "Zl", "Zp", "Cs"} and drawn_by(chr(code)) is None
    ]
    assert missed == []


@pytest.mark.parametrize("text", ["Größe ✓", "株式会社", "O'Brien & Søn, 5 %", "Ünal", "한국", "हिन्दी"])
def test_ordinary_writing_is_neither_found_nor_changed(text: str) -> None:
    assert drawn_by(text) is None
    assert quoted(text) == f'"{text}"'
    assert one_line(text) == text


def test_plain_writing_is_quoted_as_it_is_within_other_writing() -> None:
    plain = "".join(map(chr, range(0x20, 0x7F)))  # what is plain takes a shorter way
    assert quoted(plain)[:-1] + 'é"' == quoted(f"{plain}é")
    assert one_line(plain) + "é" == one_line(f"{plain}é")


def test_a_text_cannot_end_its_quotes_nor_imitate_an_escape() -> None:
    assert quoted('a" b\\n') == r'"a\" b\\n"'
    assert quoted("a\nb") == r'"a\nb"'


def test_marks_that_pile_up_are_written_out_and_a_mark_cannot_lie_on_our_quote() -> None:
    mark = "\u0301"
    pile = "a" + (MARKS_IN_A_ROW_MAX + 2) * mark
    assert quoted(pile) == f'"a{MARKS_IN_A_ROW_MAX * mark}\\u0301\\u0301"'
    assert drawn_by(pile) == mark
    assert drawn_by("a" + MARKS_IN_A_ROW_MAX * mark) is None
    assert quoted(mark) == r'"\u0301"'


def test_marks_in_a_row_are_counted_anew_after_each_letter() -> None:
    mark, few = "\u0301", MARKS_IN_A_ROW_MAX
    assert one_line(f"a{few * mark}b{(few + 1) * mark}") == f"a{few * mark}b{few * mark}\\u0301"


def test_writing_from_right_to_left_is_isolated_and_stays_so_on_a_line() -> None:
    line = f"reason: {quoted('שמש 3')} by ana@harbour"
    assert line == 'reason: "\u2068שמש 3\u2069" by ana@harbour'
    assert one_line(line) == line
    assert one_line("\u2068 open") == r"\u2068 open"
    assert one_line("\u2069 first \u2068") == r"\u2069 first \u2068"


def test_a_long_text_is_cut_and_what_was_left_out_is_counted() -> None:
    assert quoted("abcdef", at_most=4) == '"abcd…" and 2 more characters'
    whole = "x" * TEXT_LENGTH_MAX
    assert quoted(whole) == f'"{whole}"'


def test_escaped_json_has_the_same_value_and_draws_nothing() -> None:
    value = {"a": "".join(_INVISIBLE[:-1]), "b": ["Größe", "\U000e0041"]}
    text = escaped_json(json.dumps(value, indent=2, ensure_ascii=False))
    assert json.loads(text) == value
    assert all(line.isprintable() for line in text.split("\n"))
    assert "Größe" in text


_QUOTES: Final = """
import random
from tallystick.domain.quoting import one_line, quoted

def work():
    chance = random.Random(1)
    many = ["".join(chr(chance.randrange(0x10000, 0x3FFFF)) for _ in range(4000)) for _ in range(8)]
    for text in (*many * 30, *["a\\u0301" * 2000, "e\\u0301\\n\\n" * 1000] * 2400):
        one_line(one_line(quoted(text)))

measured(work)
"""


def test_twenty_million_characters_are_quoted_soon_however_different_they_are(tmp_path: Path) -> None:
    cost = cost_of(_QUOTES, into=tmp_path)
    assert cost.is_soon_and_small(), cost
