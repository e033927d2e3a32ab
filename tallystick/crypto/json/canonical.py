"""The one JSON reader and the one JSON writer: RFC 8785, strict at the door.

A document that `parse` accepts has one meaning in every JSON parser: no member
twice, no number that a double cannot hold, no text that another decoder mends.
Statements additionally equal their own canonical form, so one meaning has one
digest. Bytes are signed, stored and verified as they came; only verified bytes
are parsed.
"""

import codecs
import hashlib
import json
import re
from collections.abc import Mapping
from typing import Final, NoReturn

import rfc8785

from tallystick.domain.errors import MalformedError
from tallystick.domain.ids import Digest, as_digest
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
    "sha256_digest",
]


class NotUtf8Error(MalformedError):
    """Bytes that are not plain UTF-8."""

    code = "json-not-utf8"
    why = "JSON between systems is UTF-8 without a byte order mark (RFC 8259 section 8.1)."
    advice = "Write UTF-8 without a byte order mark; in many editors, that is an option of `Save as`."


class JsonSyntaxError(MalformedError):
    """Text that breaks the JSON grammar, or continues after its value."""

    code = "json-syntax"
    why = "The bytes are not exactly one JSON value."
    advice = "Correct the JSON at the character whose position `at` gives."


class JsonTooLargeError(MalformedError):
    """More bytes, nesting or values than a document may have."""

    code = "json-too-large"
    why = "Documents are bounded in size, depth and number of values."
    advice = "Send less; `limit` says how much is allowed."


class DuplicateMemberError(MalformedError):
    """An object that names one member twice, which parsers read differently."""

    code = "json-duplicate-member"
    why = "Parsers disagree on which of two equal names counts, so neither does."
    advice = "Name each member once; names that differ only in escapes are equal."


class UnsupportedNumberError(MalformedError):
    """A number that is not an integer that every parser reads alike."""

    code = "json-number"
    why = "Numbers are integers within ±(2^53-1), without fraction, exponent or negative zero."
    advice = "Write the value as an integer in that range, or as text."


class UnsupportedTextError(MalformedError):
    """Text with control characters or half of a surrogate pair."""

    code = "json-text"
    why = "Text has no control characters except tab and newline, and is well-formed Unicode."
    advice = "Remove the character; `at` says in which value."


class UnsupportedValueError(MalformedError):
    """A value that JSON, as used here, cannot carry."""

    code = "json-value"
    why = "Only null, booleans, integers, text, lists and objects with text names are written."
    advice = "Convert the value first; times, digests and bytes are written as text."


class NotCanonicalError(MalformedError):
    """JSON that is not written in its RFC 8785 form."""

    code = "json-not-canonical"
    why = "A signed body must equal its own canonical form (RFC 8785), so that it has one digest."
    advice = "Write the body with an RFC 8785 serializer, then sign those bytes."


def parse(
    data: bytes, *, size_bytes_max: int = JSON_SIZE_BYTES_MAX, nodes_max: int = JSON_NODES_MAX
) -> JsonValue:
    """Return the one value that `data` spells.

    Raises:
        MalformedError: A subclass says what is wrong; its fact `at` says where,
            as a JSON pointer (RFC 6901) or as a count of characters or bytes.
    """
    if len(data) > size_bytes_max:
        raise JsonTooLargeError("the JSON has too many bytes", limit=size_bytes_max, found=len(data))
    text = _decoded(data)
    _check_depth(text)
    _check_count(text, nodes_max)
    return _Walk(nodes_max).value(_syntax_tree(text), "", 0)


def parse_canonical(
    data: bytes, *, size_bytes_max: int = JSON_SIZE_BYTES_MAX, nodes_max: int = JSON_NODES_MAX
) -> JsonValue:
    """Return the value of `data`, which must be its own RFC 8785 form.

    Raises:
        MalformedError: As `parse`.
        NotCanonicalError: The same value is written otherwise in RFC 8785.
    """
    value = parse(data, size_bytes_max=size_bytes_max, nodes_max=nodes_max)
    if (expected := rfc8785.dumps(value)) != data:
        raise NotCanonicalError("the JSON is not in its canonical form", at=_first_difference(data, expected))
    return value


def canonical_bytes(value: JsonValue) -> bytes:
    """Return the RFC 8785 form of `value`; `parse` reads all that this writes.

    Size and number of values are bounded where documents are read.

    Raises:
        MalformedError: A float, a foreign type, bad text, an unsafe integer or too deep.
    """
    return rfc8785.dumps(_Walk(None).value(value, "", 0))


def sha256_digest(data: bytes) -> Digest:
    """Return the SHA-256 of `data` in the form used everywhere: `sha256:` and hexadecimal."""
    return as_digest(hashlib.sha256(data).digest())


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


def _decoded(data: bytes) -> str:
    if data.startswith(_BYTE_ORDER_MARKS):
        raise NotUtf8Error("the JSON begins with a byte order mark", at=0)
    try:
        return data.decode("utf-8", "strict")
    except UnicodeDecodeError as error:
        raise NotUtf8Error("the JSON is not UTF-8", at=error.start) from None


def _check_depth(text: str) -> None:
    """Refuse deep nesting before the recursive parser sees it."""
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


def _check_count(text: str, nodes_max: int) -> None:
    """Refuse too many values before any is built: a list takes two bytes to write, and a hundred to hold.

    As `_Walk` counts: the root, and what every opening bracket and every comma is followed by.
    """
    if _separators(text, 0, len(text)) < nodes_max:  # those within strings included: the most there can be
        return
    nodes, strings, end = 1, 0, 0
    for strings, string in enumerate(_STRING.finditer(text), start=1):
        nodes += _values(text, end, string.start())
        end = string.end()
        if nodes > nodes_max or strings > 2 * nodes_max:  # each is a value, or the name of one
            break
    if nodes + _values(text, end, len(text)) > nodes_max or strings > 2 * nodes_max:
        raise JsonTooLargeError("the JSON has too many values", limit=nodes_max)


def _values(text: str, start: int, end: int) -> int:
    empty = sum(1 for _ in _EMPTY.finditer(text, start, end))
    return _separators(text, start, end) - empty


def _separators(text: str, start: int, end: int) -> int:
    return text.count(",", start, end) + text.count("[", start, end) + text.count("{", start, end)


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
    """

    def __init__(self, nodes_max: int | None) -> None:
        self._nodes_max = nodes_max
        self._nodes = 0

    def value(self, given: object, where: str, depth: int) -> JsonValue:
        self._count(where)
        match given:
            case None | bool():
                return given
            case _RefusedNumber():
                raise UnsupportedNumberError("a number is not a safe integer", at=where, given=given[:32])
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
                    "the value is not one of JSON's", at=where, type=type(given).__name__
                )

    def _count(self, where: str) -> None:
        self._nodes += 1
        if self._nodes_max is not None and self._nodes > self._nodes_max:
            raise JsonTooLargeError("the JSON has too many values", limit=self._nodes_max, at=where)

    def _array(self, elements: list[object], where: str, depth: int) -> JsonValue:
        _check_nesting(where, depth)
        return [self.value(item, f"{where}/{index}", depth + 1) for index, item in enumerate(elements)]

    def _object(self, pairs: list[tuple[str, object]], where: str, depth: int) -> JsonValue:
        _check_nesting(where, depth)
        members: dict[str, JsonValue] = {}
        for key, item in pairs:
            _checked_text(key, where)
            if key in members:
                raise DuplicateMemberError("an object has a member twice", at=where, member=key[:64])
            members[key] = self.value(item, f"{where}/{_pointer_token(key)}", depth + 1)
        return members


def _items(mapping: Mapping[object, object]) -> list[tuple[str, object]]:
    return [(key if isinstance(key, str) else _no_text(key), item) for key, item in mapping.items()]


def _no_text(key: object) -> NoReturn:
    raise UnsupportedValueError("member name is not text", type=type(key).__name__)


def _check_nesting(where: str, depth: int) -> None:
    """Needed for values that were built, not read."""
    if depth >= JSON_DEPTH_MAX:
        raise JsonTooLargeError("the JSON is nested too deep", limit=JSON_DEPTH_MAX, at=where[:64])


def _checked_integer(number: int, where: str) -> int:
    if not -INTEGER_MAX <= number <= INTEGER_MAX:
        raise UnsupportedNumberError("a number is not a safe integer", at=where)
    return int(number)


def _checked_text(text: str, where: str) -> str:
    if (bad := _REFUSED_CHARACTER.search(text)) is not None:
        character = f"U+{ord(bad.group()):04X}"
        raise UnsupportedTextError(
            "a text has a character that is not allowed", at=where, character=character
        )
    return str.__str__(text)


def _pointer_token(key: str) -> str:
    return key[:64].replace("~", "~0").replace("/", "~1")


def _first_difference(given: bytes, expected: bytes) -> int:
    pairs = zip(given, expected, strict=False)
    same = next((index for index, (a, b) in enumerate(pairs) if a != b), None)
    return min(len(given), len(expected)) if same is None else same
