"""RFC 8785 and RFC 8259: what we accept means the same to Node.js, to Python and to us.

Canonical bytes are compared with those of the npm package `canonicalize`, by an author of
RFC 8785, over what Node's `JSON.parse` read.
"""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallystick.crypto.json.canonical import canonical_bytes, parse, parse_canonical
from tallystick.domain.errors import MalformedError
from tallystick.domain.json import JsonValue
from tallystick.limits.documents import INTEGER_MAX, JSON_DEPTH_MAX
from tests.support.judges.peer import Peer, PeerRefusedError

# Names that mean something to JavaScript, or that UTF-8 and UTF-16 sort differently.
NAMES = ["__proto__", "constructor", "toJSON", "length", "", "1", "10", "9", "\uff5e", "\U0001f511", "\u2028"]
TRAPS = [
    b'{"__proto__":{"a":1},"a":2}',
    b'{"10":1,"9":2,"a":3,"01":4}',
    '{"\U0001f511":1,"\uff5e":2}'.encode(),
    b'{"\\ud83d\\udd11":"\\u00e9","\\u00E9":"\\/"}',
    '["\u2028\u2029\ufeff\u00e9e\u0301"]'.encode(),
    b'\t{ "a" :\r\n[ 1 , -1,0 ] }\n',
    f"[{INTEGER_MAX},{-INTEGER_MAX}]".encode(),
    b"[" * JSON_DEPTH_MAX + b"]" * JSON_DEPTH_MAX,
    b"null",
    b'"text"',
    b"7",
]

SPACES = st.text(" \t\r\n", max_size=2)
ALLOWED = st.characters(exclude_categories=["Cc", "Cs"]) | st.sampled_from('\t\n"\\/')
INTEGERS = st.integers(-INTEGER_MAX, INTEGER_MAX).map(str)
# Other ways to write a number, and numbers that readers round: some are refused, none is misread.
NUMBERS = INTEGERS | st.integers().map(str) | st.floats().map(repr) | st.sampled_from(["-0", "1e2", "1.0"])


@st.composite
def spellings(draw: st.DrawFn, characters: st.SearchStrategy[str]) -> str:
    """Spell a text in JSON, each character in any of its possible spellings."""
    text = draw(st.sampled_from(NAMES) | st.text(characters, max_size=6))
    return f'"{"".join(draw(st.sampled_from(ways(character))) for character in text)}"'


def ways(character: str) -> list[str]:
    units = character.encode("utf-16-be", "surrogatepass")
    escaped = "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))
    short = json.dumps(character, ensure_ascii=False)[1:-1]
    return [short, escaped, escaped.upper().replace("\\U", "\\u")]


def documents(numbers: st.SearchStrategy[str], names: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    leaves = st.sampled_from(["null", "true", "false"]) | numbers | names
    return st.recursive(leaves, lambda inner: arrays(inner) | objects(names, inner), max_leaves=12)


def arrays(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    items = st.tuples(SPACES, st.lists(inner, max_size=4))
    return items.map(lambda found: f"[{found[0]}{','.join(found[1])}]")


def objects(names: st.SearchStrategy[str], inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Spell an object whose names differ as texts, not only in spelling."""
    members = st.lists(st.tuples(names, SPACES, inner), max_size=4)
    distinct = members.map(lambda found: {json.loads(name): (name, *rest) for name, *rest in found}.values())
    return distinct.map(
        lambda found: "{" + ",".join(f"{name}{space}:{item}" for name, space, item in found) + "}"
    )


def with_types(value: object) -> str:
    """Return what is equal for equal values of equal types, whatever the order of members."""
    return json.dumps(value, sort_keys=True)


def check_one_meaning(peer: Peer, document: bytes, value: JsonValue) -> None:
    assert with_types(value) == with_types(json.loads(document))
    assert peer.ask_for_bytes("json canonical", document) == canonical_bytes(value)
    assert parse_canonical(canonical_bytes(value)) == value


@pytest.mark.parametrize("document", TRAPS)
def test_trap_has_one_meaning(peer: Peer, document: bytes) -> None:
    check_one_meaning(peer, document, parse(document))


@given(documents(INTEGERS, spellings(ALLOWED)))
@settings(max_examples=200, deadline=None)
def test_every_sound_document_has_one_meaning(peer: Peer, text: str) -> None:
    check_one_meaning(peer, text.encode(), parse(text.encode()))


@given(documents(NUMBERS, spellings(st.characters(categories=["Cc", "Cs", "L"]))) | st.text())
@settings(max_examples=300, deadline=None)
def test_whatever_is_accepted_has_one_meaning(peer: Peer, text: str) -> None:
    document = text.encode("utf-8", "surrogatepass")
    try:
        value = parse(document)
    except MalformedError:
        return
    check_one_meaning(peer, document, value)


@pytest.mark.parametrize(
    ("document", "there"),
    [
        (b'{"a":1,"a":2}', b'{"a":2}'),
        (b"[9007199254740993]", b"[9007199254740992]"),
        (b"[1e2]", b"[100]"),
        (b"[-0]", b"[0]"),
        (b"[1e400]", None),
        (b'["\\ud800"]', None),
        (b"[NaN]", None),
        (b"\xef\xbb\xbf[]", None),
    ],
)
def test_what_readers_treat_differently_is_refused_here(
    peer: Peer, document: bytes, there: bytes | None
) -> None:
    with pytest.raises(MalformedError):
        parse(document)
    if there is None:
        with pytest.raises(PeerRefusedError):
            peer.ask("json canonical", document)
    else:
        assert peer.ask_for_bytes("json canonical", document) == there
