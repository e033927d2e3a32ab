"""The one JSON reader and the one JSON writer: RFC 8785, strict at the door.

A document that `parse` accepts has one meaning in every JSON parser: no member
twice, no number that a double cannot hold, no text that another decoder mends.
Statements additionally equal their own canonical form, so one meaning has one
digest. Bytes are signed, stored and verified as they came; only verified bytes
are parsed.
"""

import codecs
import json
import re
from collections.abc import Mapping
from typing import Final, NoReturn, TypeAlias

import rfc8785

from tallystick.crypto.json.refusals import (
    DuplicateMemberError,
    JsonSyntaxError,
    JsonTooLargeError,
    NotCanonicalError,
    NotUtf8Error,
    UnsupportedNumberError,
    UnsupportedTextError,
    UnsupportedValueError,
)
from tallystick.domain.json import JsonObject, JsonValue
from tallystick.limits.documents import INTEGER_MAX, JSON_DEPTH_MAX, JSON_NODES_MAX, JSON_SIZE_BYTES_MAX

__all__ = [
    "DuplicateMemberError",
    "JsonObject",
    "JsonSyntaxError",
    "JsonTooLargeError",
    "JsonValue",
    "NotCanonicalError",
    "NotUtf8Error",
    "UnsupportedNumberError",
    "UnsupportedTextError",
    "UnsupportedValueError",
    "canonical_bytes",
    "parse",
    "parse_canonical",
]


def parse(
    data: bytes, *, size_bytes_max: int = JSON_SIZE_BYTES_MAX, nodes_max: int = JSON_NODES_MAX
) -> JsonValue:
    """Return the one value that `data` spells.

    Raises:
        MalformedError: A subclass says what is wrong; its fact `at` says where,
            as a JSON pointer (RFC 6901) or as a count of characters or bytes.
    """
    return _parsed(data, size_bytes_max, _Walk(nodes_max))


def parse_canonical(
    data: bytes, *, size_bytes_max: int = JSON_SIZE_BYTES_MAX, nodes_max: int = JSON_NODES_MAX
) -> JsonValue:
    """Return the value of `data`, which must be its own RFC 8785 form.

    Raises:
        MalformedError: As `parse`.
        NotCanonicalError: The same value is written otherwise in RFC 8785.
    """
    walk = _Walk(nodes_max)
    value = _parsed(data, size_bytes_max, walk)
    if (expected := _spelt(value, walk)) != data:
        raise NotCanonicalError("the JSON is not in its canonical form", at=_first_difference(data, expected))
    return value


def canonical_bytes(value: JsonValue) -> bytes:
    """Return the RFC 8785 form of `value`; `parse` reads all that this writes.

    Size and number of values are bounded where documents are read.

    Raises:
        MalformedError: A float, a foreign type, bad text, an unsafe integer or too deep.
    """
    walk = _Walk(None)
    return _spelt(walk.value(value, None, 0), walk)


# Reading, in this order.

_BYTE_ORDER_MARKS: Final = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
# An unterminated string takes the rest, so that each character is looked at once.
_STRING_OR_BRACKET: Final = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[\[\]{}]', re.DOTALL)
_STRING: Final = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)
_EMPTY: Final = re.compile(r"\[[ \t\n\r]*+\]|\{[ \t\n\r]*+\}")
_REFUSED_CHARACTER: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_SAFE_INTEGER_LENGTH_MAX: Final = len(str(-INTEGER_MAX))


class _Members(list[tuple[str, object]]):
    """An object's members as written, before it is known that no name occurs twice."""


class _RefusedNumber(str):
    """The text of a number that will be refused once its place is known."""

    __slots__ = ()


def _spelt(value: JsonValue, walk: "_Walk") -> bytes:
    return _SORTED.encode(value).encode() if walk.ascii_names else rfc8785.dumps(value)


_SORTED: Final = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"), check_circular=False
)
"""Spells what `_Walk` lets pass as RFC 8785 does, but faster, if all names are ASCII: they sort alike."""


def _parsed(data: bytes, size_bytes_max: int, walk: "_Walk") -> JsonValue:
    if len(data) > size_bytes_max:
        raise JsonTooLargeError("the JSON has too many bytes", limit=size_bytes_max, found=len(data))
    text = _decoded(data)
    _check_count(text, walk.nodes_max)
    _check_depth(text)
    return walk.value(_syntax_tree(text), None, 0)


def _decoded(data: bytes) -> str:
    if data.startswith(_BYTE_ORDER_MARKS):
        raise NotUtf8Error("the JSON begins with a byte order mark", at=0)
    try:
        return data.decode("utf-8", "strict")
    except UnicodeDecodeError as error:
        raise NotUtf8Error("the JSON is not UTF-8", at=error.start) from None


def _check_depth(text: str) -> None:
    """Refuse deep nesting before the recursive parser sees it."""
    if text.count("[") + text.count("{") <= JSON_DEPTH_MAX:
        return
    depth = 0
    for token in _STRING_OR_BRACKET.finditer(text):
        match token.group()[0]:
            case "[" | "{":
                depth += 1
            case "]" | "}":
                depth -= 1
            case _:
                continue
        if depth > JSON_DEPTH_MAX:
            raise JsonTooLargeError("the JSON is nested too deep", limit=JSON_DEPTH_MAX, at=token.start())


def _check_count(text: str, nodes_max: int | None) -> None:
    """Refuse too many values before any is built: a list takes two bytes to write, and a hundred to hold.

    As `_Walk` counts: the root, and what every opening bracket and every comma is followed by.
    """
    if nodes_max is None or _separators(text) < nodes_max:  # at most, as in strings
        return
    bare, strings = _STRING.subn("", text)  # and not string by string: that would take longer than to build
    nodes = 1 + _separators(bare) - len(_EMPTY.findall(bare))
    if nodes > nodes_max or strings > 2 * nodes_max:  # each is a value, or the name of one
        raise JsonTooLargeError("the JSON has too many values", limit=nodes_max)


def _separators(text: str) -> int:
    return text.count(",") + text.count("[") + text.count("{")


def _syntax_tree(text: str) -> object:
    """Parse, but judge nothing that needs a place to be reported at."""
    try:
        return json.loads(
            text,
            object_pairs_hook=_Members,
            parse_int=_integer,
            parse_float=_RefusedNumber,
            parse_constant=_RefusedNumber,
        )
    except json.JSONDecodeError as error:
        raise JsonSyntaxError(error.msg, at=error.pos) from None


def _integer(text: str) -> int | _RefusedNumber:
    """Convert no more digits than a safe integer has: `int` is quadratic, and refuses 4,300."""
    if len(text) > _SAFE_INTEGER_LENGTH_MAX or text == "-0":
        return _RefusedNumber(text)
    return int(text)


class _Walk:
    """One pass over a tree: each value is judged, counted and copied.

    The two ignores: what a caller's own list or mapping holds is known only once judged.

    Attributes:
        ascii_names: Whether every member's name so far is ASCII.
    """

    def __init__(self, nodes_max: int | None) -> None:
        self.nodes_max = nodes_max
        self.ascii_names = True
        self._nodes = 0

    def value(self, given: object, where: "_Place", depth: int) -> JsonValue:
        self._count(where)
        match given:
            case None | bool():
                return given
            case _RefusedNumber():
                raise UnsupportedNumberError(
                    "a number is not a safe integer", at=_pointer(where), given=given[:32]
                )
            case str():
                return _checked_text(given, where)
            case int():
                return _checked_integer(given, where)
            case _Members():
                return self._object(given, where, depth)
            case Mapping():
                return self._object(_items(given), where, depth)  # pyright: ignore[reportUnknownArgumentType] - looked at next
            case list() | tuple():
                return self._array(list(given), where, depth)  # pyright: ignore[reportUnknownArgumentType] - looked at next
            case _:
                raise UnsupportedValueError(
                    "the value is not one of JSON's", at=_pointer(where), type=type(given).__name__
                )

    def _count(self, where: "_Place") -> None:
        self._nodes += 1
        if self.nodes_max is not None and self._nodes > self.nodes_max:
            raise JsonTooLargeError("the JSON has too many values", limit=self.nodes_max, at=_pointer(where))

    def _array(self, elements: list[object], where: "_Place", depth: int) -> JsonValue:
        _check_nesting(where, depth)
        return [self.value(item, (where, index), depth + 1) for index, item in enumerate(elements)]

    def _object(self, pairs: list[tuple[str, object]], where: "_Place", depth: int) -> JsonValue:
        _check_nesting(where, depth)
        members: dict[str, JsonValue] = {}
        for key, item in pairs:
            self.ascii_names = self.ascii_names and key.isascii()
            _checked_text(key, where)
            if key in members:
                raise DuplicateMemberError(
                    "an object has a member twice", at=_pointer(where), member=key[:64]
                )
            members[key] = self.value(item, (where, key), depth + 1)
        return members


_Place: TypeAlias = "tuple[_Place, str | int] | None"
"""Where a value stands: in what, and under which name or number there; None for the whole document."""


def _pointer(where: _Place) -> str:
    """Return a place as a JSON pointer; that takes long, so it is made only for what is refused."""
    if where is None:
        return ""
    container, token = where
    return f"{_pointer(container)}/{_pointer_token(str(token))}"


def _items(mapping: Mapping[object, object]) -> list[tuple[str, object]]:
    return [(key if isinstance(key, str) else _no_text(key), item) for key, item in mapping.items()]


def _no_text(key: object) -> NoReturn:
    raise UnsupportedValueError("member name is not text", type=type(key).__name__)


def _check_nesting(where: _Place, depth: int) -> None:
    """Needed for values that were built, not read."""
    if depth >= JSON_DEPTH_MAX:
        raise JsonTooLargeError("the JSON is nested too deep", limit=JSON_DEPTH_MAX, at=_pointer(where)[:64])


def _checked_integer(number: int, where: _Place) -> int:
    if not -INTEGER_MAX <= number <= INTEGER_MAX:
        raise UnsupportedNumberError("a number is not a safe integer", at=_pointer(where))
    return int(number)


def _checked_text(text: str, where: _Place) -> str:
    plain = text.isascii() and text.isprintable()  # nearly every text
    if not plain and (bad := _REFUSED_CHARACTER.search(text)) is not None:
        character = f"U+{ord(bad.group()):04X}"
        raise UnsupportedTextError(
            "a text has a character that is not allowed", at=_pointer(where), character=character
        )
    return str.__str__(text)


def _pointer_token(key: str) -> str:
    return key[:64].replace("~", "~0").replace("/", "~1")


def _first_difference(given: bytes, expected: bytes) -> int:
    pairs = zip(given, expected, strict=False)
    same = next((index for index, (a, b) in enumerate(pairs) if a != b), None)
    return min(len(given), len(expected)) if same is None else same
