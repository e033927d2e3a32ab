"""JSON, YAML, and the agreements in them. The twins: Python's JSON reader, rfc8785, PyYAML's BaseLoader."""

import json
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, cast

import rfc8785
import yaml

from tallystick.crypto.json.canonical import canonical_bytes, parse, parse_canonical
from tallystick.desk.agreement_file import canonical_agreement
from tallystick.desk.strict_yaml import StrictYamlError, read_yaml
from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.codec import decode, decode_with_defaults, encode
from tallystick.domain.errors import MalformedError
from tallystick.domain.json import JsonValue
from tallystick.domain.shown.summary import summarise
from tallystick.domain.soundness.check import lint
from tallystick.limits.documents import AGREEMENT_SIZE_BYTES_MAX
from tests.fuzz.target import Target
from tests.support.worlds.agreements import AGREEMENT

_ODD_JSON: Final = (
    '{"a":[1,true,null,"\u00e9\U0001f600"],"b":{"c":9007199254740991,"d":-3}}'.encode(),
    b'{"a":[-0,"\\u00e9\\ud83d\\ude00"],"b":{}}',
    b'{"a":1,"a":2}',
    b"[1e3,1.5,NaN,-Infinity,01]",
    b'\xef\xbb\xbf{"a":"\xc3\xa9"}',
    b'"\\ud800"',
)
_ODD_YAML: Final = (
    b"a: 1\nb:\n- x\n- 'y'\n- {c: true, d: null}\ne: >\n  folded\n  text\n",
    b"a: &b [1]\nc: *b\n",
    b"? [a]\n: !!python/name:os.system x\n<<: {d: on}\n",
    b'a: "\\x1b[31m\\u202e"\n--- \n1_000: 0x10\n',
)
_DRAWING: Final = frozenset({"Cc", "Cf", "Zl", "Zp"})


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    assert len(dict(pairs)) == len(pairs), "a member twice was accepted"
    return dict(pairs)


def _no_constant(text: str) -> object:
    raise AssertionError(f"{text} was accepted")


def _read_by_twin(data: bytes) -> object:
    text = data.decode("utf-8", "strict")
    return json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant, parse_float=_no_constant)


def judge_json(data: bytes) -> bool:
    """JSON that is accepted has no second reading, and its canonical form reads the same."""
    try:
        value = parse(data)
    except MalformedError:
        return False
    assert _read_by_twin(data) == value
    assert parse_canonical(canonical_bytes(value)) == value
    return True


def judge_canonical_json(data: bytes) -> bool:
    """Accepted bytes are those that rfc8785 writes for what Python's own reader reads."""
    try:
        parse_canonical(data)
    except MalformedError:
        return False
    assert rfc8785.dumps(cast("JsonValue", _read_by_twin(data))) == data
    return True


def _shape(value: object) -> object:
    """Return a value with its scalars as the text that YAML's failsafe schema has for them."""
    if isinstance(value, Mapping):
        return {key: _shape(inner) for key, inner in cast("Mapping[str, object]", value).items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_shape(inner) for inner in cast("Sequence[object]", value)]
    words = {True: "true", False: "false", None: "null"}
    return words[value] if value is None or isinstance(value, bool) else str(value)


def judge_yaml(data: bytes) -> bool:
    """YAML that is accepted has the structure and the texts that PyYAML's most literal reader finds."""
    try:
        value = read_yaml(data, size_bytes_max=AGREEMENT_SIZE_BYTES_MAX, file="a.yaml").value
    except StrictYamlError:
        return False
    assert _shape(value) == yaml.load(data.decode(), yaml.BaseLoader)  # noqa: S506 - reads text only
    return True


def judge_agreement(data: bytes) -> bool:
    """An accepted agreement can be linted and shown in clean lines; its signed form reads the same."""
    try:
        value = read_yaml(data, size_bytes_max=AGREEMENT_SIZE_BYTES_MAX, file="a.yaml").value
        agreement = decode_with_defaults(Agreement, value)
    except MalformedError:
        return False
    lint(agreement)
    for line in summarise(agreement):
        assert not _DRAWING & set(map(unicodedata.category, line)), "a text of others draws"
    assert decode(Agreement, parse_canonical(canonical_agreement(agreement))) == agreement
    return True


def _agreements() -> Iterable[bytes]:
    document = cast("Mapping[str, JsonValue]", encode(AGREEMENT))
    yield yaml.safe_dump(document, sort_keys=False).encode()
    yield yaml.safe_dump(document, default_flow_style=True, width=100_000).encode()
    yield yaml.safe_dump({key: value for key, value in document.items() if key != "parties"}).encode()


TARGETS: Final = (
    Target(name="json", judge=judge_json, seeds=lambda: _ODD_JSON),
    Target(name="canonical-json", judge=judge_canonical_json, seeds=lambda: _ODD_JSON),
    Target(name="yaml", judge=judge_yaml, seeds=lambda: (*_ODD_YAML, *_agreements())),
    Target(name="agreement", judge=judge_agreement, seeds=_agreements),
)
