"""The one reader refuses whatever two parsers could read differently; the one writer is RFC 8785."""

import json
from collections.abc import Iterator
from enum import StrEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.crypto.json import canonical
from tallystick.crypto.json.canonical import canonical_bytes, parse, parse_canonical
from tallystick.domain.errors import MalformedError
from tallystick.domain.ids import sha256_digest
from tallystick.domain.json import JsonValue
from tallystick.limits.documents import INTEGER_MAX, JSON_DEPTH_MAX, JSON_NODES_MAX, JSON_SIZE_BYTES_MAX

HOSTILE: list[tuple[str, bytes, type[MalformedError], object]] = [
    ("nothing", b"", canonical.JsonSyntaxError, 0),
    ("spaces only", b"  ", canonical.JsonSyntaxError, 2),
    ("trailing data", b'{} {"a":1}', canonical.JsonSyntaxError, 3),
    ("trailing comma", b"[1,]", canonical.JsonSyntaxError, 3),
    ("single quotes", b"{'a':1}", canonical.JsonSyntaxError, 1),
    ("comment", b"{}//", canonical.JsonSyntaxError, 2),
    ("leading zero", b"[01]", canonical.JsonSyntaxError, 2),
    ("plus sign", b"[+1]", canonical.JsonSyntaxError, 1),
    ("hexadecimal", b"[0x10]", canonical.JsonSyntaxError, 2),
    ("full-width digits", "[\uff11]".encode(), canonical.JsonSyntaxError, 1),
    ("no-break space", "[\u00a01]".encode(), canonical.JsonSyntaxError, 1),
    ("unterminated string", b'["a', canonical.JsonSyntaxError, 1),
    ("raw newline in text", b'["a\nb"]', canonical.JsonSyntaxError, 3),
    ("raw NUL in text", b'["a\x00b"]', canonical.JsonSyntaxError, 3),
    ("bad escape", rb'["\x41"]', canonical.JsonSyntaxError, 2),
    ("byte order mark", b"\xef\xbb\xbf{}", canonical.NotUtf8Error, 0),
    ("UTF-16 with mark", '{"a":1}'.encode("utf-16"), canonical.NotUtf8Error, 0),
    ("UTF-16 without mark", '{"a":1}'.encode("utf-16-le"), canonical.JsonSyntaxError, 1),
    ("UTF-32", '{"a":1}'.encode("utf-32-be"), canonical.JsonSyntaxError, 0),
    ("overlong slash", b'["\xc0\xaf"]', canonical.NotUtf8Error, 2),
    ("surrogate as bytes", b'["\xed\xa0\x80"]', canonical.NotUtf8Error, 2),
    ("cut UTF-8", b'["\xe2\x82"]', canonical.NotUtf8Error, 2),
    ("duplicate member", b'{"a":{"b":1,"b":1}}', canonical.DuplicateMemberError, "/a"),
    ("duplicate by escape", rb'{"name":1,"n\u0061me":2}', canonical.DuplicateMemberError, ""),
    ("NaN", b'{"a":NaN}', canonical.UnsupportedNumberError, "/a"),
    ("Infinity", b"[Infinity]", canonical.UnsupportedNumberError, "/0"),
    ("minus Infinity", b"[-Infinity]", canonical.UnsupportedNumberError, "/0"),
    ("fraction", b"[1.0]", canonical.UnsupportedNumberError, "/0"),
    ("exponent", b"[1e3]", canonical.UnsupportedNumberError, "/0"),
    ("exponent, unstable", b"[733333333333333E3]", canonical.UnsupportedNumberError, "/0"),
    ("overflowing exponent", b"[1e999]", canonical.UnsupportedNumberError, "/0"),
    ("negative zero", b"[-0]", canonical.UnsupportedNumberError, "/0"),
    ("2^53", b'{"a":[0,9007199254740992]}', canonical.UnsupportedNumberError, "/a/1"),
    ("-2^53", b"[-9007199254740992]", canonical.UnsupportedNumberError, "/0"),
    ("400 digits", b"[" + b"9" * 400 + b"]", canonical.UnsupportedNumberError, "/0"),
    ("5,000 digits", b"[" + b"9" * 5000 + b"]", canonical.UnsupportedNumberError, "/0"),
    ("escaped NUL", rb'{"a":"x\u0000"}', canonical.UnsupportedTextError, "/a"),
    ("escaped NUL in a name", rb'{"a\u0000":1}', canonical.UnsupportedTextError, ""),
    ("carriage return", rb'["\r"]', canonical.UnsupportedTextError, "/0"),
    ("escape sequence", rb'["\u001b[2J"]', canonical.UnsupportedTextError, "/0"),
    ("C1 control", rb'["\u009b"]', canonical.UnsupportedTextError, "/0"),
    ("delete", b'["\x7f"]', canonical.UnsupportedTextError, "/0"),
    ("lone high surrogate", rb'["\ud800"]', canonical.UnsupportedTextError, "/0"),
    ("lone low surrogate", rb'["\udc00x"]', canonical.UnsupportedTextError, "/0"),
    ("surrogates swapped", rb'["\udc00\ud800"]', canonical.UnsupportedTextError, "/0"),
    ("pointer escapes", rb'{"a/b~":"\u0000"}', canonical.UnsupportedTextError, "/a~1b~0"),
]


@pytest.mark.parametrize(
    ("data", "error", "at"), [row[1:] for row in HOSTILE], ids=[row[0] for row in HOSTILE]
)
def test_hostile_document_is_refused_and_the_place_named(
    data: bytes, error: type[MalformedError], at: object
) -> None:
    with pytest.raises(MalformedError) as caught:
        parse(data)
    assert type(caught.value) is error
    assert caught.value.facts["at"] == at


def test_every_kind_of_allowed_value_is_read() -> None:
    data = ' {"t":true,"n":null,"i":-9007199254740991,"s":"\\ud83d\\ude00 \\n\\t é","l":[ ],"o":{}}\n'
    expected: JsonValue = {
        "t": True,
        "n": None,
        "i": -INTEGER_MAX,
        "s": "\U0001f600 \n\t é",
        "l": [],
        "o": {},
    }
    assert parse(data.encode()) == expected


def test_deepest_allowed_nesting_is_read_and_one_more_is_refused() -> None:
    deepest = b"[" * JSON_DEPTH_MAX + b"]" * JSON_DEPTH_MAX
    assert canonical_bytes(parse(deepest)) == deepest
    with pytest.raises(canonical.JsonTooLargeError, match="too deep"):
        parse(b"[" + deepest + b"]")


@pytest.mark.parametrize("opening", [b"[", b'{"a":', b'[{"a":'])
def test_nesting_beyond_the_interpreter_stack_is_refused_as_too_deep(opening: bytes) -> None:
    with pytest.raises(canonical.JsonTooLargeError, match="too deep"):
        parse(opening * 4_000)


def test_brackets_inside_text_are_not_nesting() -> None:
    assert parse(rb'["[[[[[[[[[[[[[[[[[[[[\"[[[[[[\\", "{{{{{{{{{{{{{{{{{{"]') == [
        '[[[[[[[[[[[[[[[[[[[["[[[[[[\\',
        "{{{{{{{{{{{{{{{{{{",
    ]


def test_many_unterminated_strings_take_linear_time() -> None:
    with pytest.raises(canonical.JsonSyntaxError):
        parse(b'"' + b'\\"' * 250_000, size_bytes_max=600_000)


def test_as_many_values_as_allowed_are_read_and_one_more_is_refused() -> None:
    most = [0] * (JSON_NODES_MAX - 1)
    assert parse(canonical_bytes(most)) == most
    with pytest.raises(canonical.JsonTooLargeError, match="too many values"):
        parse(canonical_bytes([*most, 0]))


@pytest.mark.parametrize("empty", [b"[]", b"{}", b"[ \n]", b"{\t}", b'""', b"0"])
def test_an_empty_list_counts_as_one_value(empty: bytes) -> None:
    document = b"[" + b",".join([empty] * 99) + b"]"
    assert len(parse(document, nodes_max=100)) == 99  # type: ignore[arg-type]
    with pytest.raises(canonical.JsonTooLargeError, match="too many values"):
        parse(document, nodes_max=99)


def test_a_document_over_its_size_is_refused_before_it_is_read() -> None:
    assert parse(b" " * (JSON_SIZE_BYTES_MAX - 2) + b"{}") == {}
    with pytest.raises(canonical.JsonTooLargeError, match="too many bytes"):
        parse(b"\xff" * (JSON_SIZE_BYTES_MAX + 1))


def test_caller_may_set_its_own_size() -> None:
    with pytest.raises(canonical.JsonTooLargeError):
        parse(b"[1,2]", size_bytes_max=4)


def test_rfc_8785_orders_names_by_utf16_and_escapes_as_little_as_possible() -> None:
    value: JsonValue = {"\ufb33": 1, "\U0001f600": 2, "\u20ac": 3, "1": 4, "ö": 'a"\\/\n\t', "": None}
    written = '{"":null,"1":4,"ö":"a\\"\\\\/\\n\\t","€":3,"😀":2,"\ufb33":1}'
    assert canonical_bytes(value) == written.encode()


@pytest.mark.parametrize(
    ("data", "at"),
    [
        (b'{"b":1,"a":2}', 2),
        (b'{"a":1 }', 6),
        (b'{"a":1}\n', 7),
        (b' {"a":1}', 0),
        (rb'["\u0061"]', 2),
        (rb'["\/"]', 2),
    ],
)
def test_other_spellings_of_a_value_are_not_canonical(data: bytes, at: int) -> None:
    parse(data)
    with pytest.raises(canonical.NotCanonicalError) as caught:
        parse_canonical(data)
    assert caught.value.facts["at"] == at


def test_canonical_form_is_accepted_as_it_is() -> None:
    assert parse_canonical(b'{"a":2,"b":[1,true,null,"\\n"]}') == {"a": 2, "b": [1, True, None, "\n"]}


class _Kind(StrEnum):
    APPROVAL = "approval"


def test_writer_takes_tuples_and_text_enumerations() -> None:
    assert canonical_bytes({"k": _Kind.APPROVAL, "l": ("a", 1)}) == b'{"k":"approval","l":["a",1]}'


def _endless() -> list[object]:
    inner: list[object] = []
    inner.append(inner)
    return inner


@pytest.mark.parametrize(
    ("value", "error"),
    [
        (1.0, canonical.UnsupportedValueError),
        ({"a": float("nan")}, canonical.UnsupportedValueError),
        (b"bytes", canonical.UnsupportedValueError),
        ({1: "a"}, canonical.UnsupportedValueError),
        ({"a": {1, 2}}, canonical.UnsupportedValueError),
        (iter([1]), canonical.UnsupportedValueError),
        ([2**53], canonical.UnsupportedNumberError),
        ("\ud800", canonical.UnsupportedTextError),
        ({"\x00": 1}, canonical.UnsupportedTextError),
        (_endless(), canonical.JsonTooLargeError),
    ],
)
def test_writer_refuses_what_the_reader_would(value: JsonValue, error: type[MalformedError]) -> None:
    with pytest.raises(MalformedError) as caught:
        canonical_bytes(value)
    assert type(caught.value) is error


_TEXT = st.text(
    st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from("\n\t"),
    max_size=20,
)
_VALUES: st.SearchStrategy[JsonValue] = st.recursive(
    st.none() | st.booleans() | st.integers(-INTEGER_MAX, INTEGER_MAX) | _TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXT, inner, max_size=4),
    max_leaves=20,
)


@given(_VALUES)
def test_what_is_written_reads_back_equal_and_canonical(value: JsonValue) -> None:
    written = canonical_bytes(value)
    assert parse_canonical(written) == value
    assert json.loads(written) == value


@given(_VALUES, st.integers(1, 4), st.booleans())
def test_any_spelling_has_one_canonical_form(value: JsonValue, indent: int, ascii_only: bool) -> None:
    spelled = json.dumps(value, indent=indent, ensure_ascii=ascii_only).encode()
    assert canonical_bytes(parse(spelled)) == canonical_bytes(value)


@given(st.binary(max_size=60) | _VALUES.map(canonical_bytes).flatmap(lambda data: st.just(data[:-1])))
def test_arbitrary_bytes_give_a_value_or_our_own_error(data: bytes) -> None:
    try:
        value = parse(data)
    except MalformedError:
        return
    assert parse_canonical(canonical_bytes(value)) == value


def _errors() -> Iterator[type[MalformedError]]:
    for name in canonical.__all__:
        if name.endswith("Error"):
            yield getattr(canonical, name)


def test_each_refusal_has_its_own_code() -> None:
    codes = [error.code for error in _errors()]
    assert len(set(codes) | {MalformedError.code}) == len(codes) + 1


def test_digest_is_written_with_its_algorithm() -> None:
    empty = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert sha256_digest(b"") == empty
