"""The YAML that people write here: JSON's values in YAML's notation, and nothing that can be misread.

No anchors, aliases, tags, merge keys, dates, floats, second documents or repeated keys.
What YAML 1.1 would turn into something unexpected (`on`, `0x10`, `1_000`) has to be
quoted; dates, hours and periods are text. Every value knows its line.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar, Final

import yaml

from tallystick.domain.errors import MalformedError, TallystickError
from tallystick.domain.json import JsonValue
from tallystick.limits.documents import INTEGER_MAX, JSON_DEPTH_MAX, JSON_NODES_MAX

_INTEGER: Final = re.compile(r"-?(?:0|[1-9]\d{0,15})", re.ASCII)
_LITERALS: Final[Mapping[str, bool | None]] = {"true": True, "false": False, "null": None}
_MISREAD_WORDS: Final = frozenset({"", "~", "y", "n", "yes", "no", "on", "off", "true", "false", "null"})
# What YAML 1.1, YAML 1.2 or a hurried reader would take for a number, and is not one here.
_MISREAD_NUMBER: Final = re.compile(
    r"[-+]?(?:\d[\d_]*|0[xob][\da-f_]+|(?:\d[\d_]*)?\.\d[\d_]*(?:e[-+]?\d+)?|\d[\d_]*\.?(?:e[-+]?\d+)?|\.(?:inf|nan))",
    re.ASCII | re.IGNORECASE,
)


class StrictYamlError(MalformedError):
    """YAML outside the subset that has only one meaning."""

    code = "yaml-not-strict"
    why = "A YAML file may have JSON's values only: no anchors, tags, dates, floats or repeated keys."
    advice = "Correct the line that `line` names; put text in quotes."


@dataclass(frozen=True, slots=True, kw_only=True)
class Located:
    """A value, and the line (from 1) of each of its parts by JSON pointer (RFC 6901)."""

    value: JsonValue
    lines: Mapping[str, int]

    def line_of(self, pointer: str) -> int:
        """Return the line of `pointer`, or of the nearest value around it that has one."""
        while pointer and pointer not in self.lines:
            pointer = pointer.rpartition("/")[0]
        return self.lines.get(pointer, 1)

    def line_of_mistake(self, pointer: str, member: object) -> int:
        """Return the line of `member` of the value at `pointer`, or of the value if it has no such member."""
        inner = f"{pointer}/{member}"
        return self.line_of(inner if inner in self.lines else pointer)


def at_line(file: str, line: object) -> str:
    """Return where in a file a mistake is: `claim.yaml, line 3`, or the file alone if there is no line."""
    return file if line is None else f"{file}, line {line}"


def suggested(cause: TallystickError) -> str:
    """Return the question that ends a sentence about an unknown member, or nothing if none is like it."""
    meant = cause.facts.get("did_you_mean")
    return "" if meant is None else f"; did you mean `{meant}`?"


def read_yaml(data: bytes, *, file: str, size_bytes_max: int) -> Located:
    """Return the value in `data`, with the line of everything in it.

    Args:
        file: The name that a refusal says.

    Raises:
        StrictYamlError: `data` is too large, not YAML, or outside the subset; `line` says where.
    """
    try:
        return _read(data, size_bytes_max)
    except StrictYamlError as error:
        where = at_line(file, error.facts.get("line"))
        raise StrictYamlError(f"{where}: {error.message}", file=file, **error.facts) from error


def _read(data: bytes, size_bytes_max: int) -> Located:
    if len(data) > size_bytes_max:
        raise StrictYamlError("too many bytes", limit=size_bytes_max, found=len(data))
    node, lines = _composed(data), dict[str, int]()
    if node is None:
        raise StrictYamlError("the file is empty")
    return Located(value=_value(node, "", lines), lines=lines)


def _composed(data: bytes) -> yaml.Node | None:
    try:
        text = data.decode("utf-8")
        _check_events(text)
        return yaml.compose(text, _PlainLoader)
    except UnicodeDecodeError as error:
        raise StrictYamlError("not UTF-8", at_byte=error.start) from error
    except yaml.MarkedYAMLError as error:
        raise _syntax_error(error) from error
    except yaml.YAMLError as error:
        raise StrictYamlError("a character that YAML does not allow") from error


class _PlainLoader(yaml.SafeLoader):
    """A loader that leaves every plain scalar to `_scalar`."""

    yaml_implicit_resolvers: ClassVar[dict[str, object]] = {}  # type: ignore[misc] # PyYAML types it as its own


def _check_events(text: str) -> None:
    """Refuse before anything is built: an alias can mean a million values, deep nesting break the stack."""
    depth = nodes = 0
    for event in _events(text):
        line = _line(event.start_mark)
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
            raise StrictYamlError("an anchor or alias", line=line)
        if getattr(event, "tag", None) is not None:
            raise StrictYamlError("a tag", line=line)
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        nodes += isinstance(event, yaml.NodeEvent)
        if depth > JSON_DEPTH_MAX or nodes > JSON_NODES_MAX:
            raise StrictYamlError("too deep, or too many values", line=line)


def _events(text: str) -> Iterator[yaml.Event]:
    yield from yaml.parse(text, _PlainLoader)


def _line(mark: object) -> int:
    """Return the line of a mark, from 1; PyYAML's stubs allow several kinds of mark, or None."""
    line = getattr(mark, "line", 0)
    return line + 1 if isinstance(line, int) else 1


def _syntax_error(error: yaml.MarkedYAMLError) -> StrictYamlError:
    mark = error.problem_mark or error.context_mark
    problem = error.problem or "not YAML"
    return StrictYamlError(problem) if mark is None else StrictYamlError(problem, line=_line(mark))


def _value(node: yaml.Node, where: str, lines: dict[str, int]) -> JsonValue:
    line = _line(node.start_mark)
    lines.setdefault(where, line)
    if isinstance(node, yaml.MappingNode):
        return _members(node, where, lines)
    if isinstance(node, yaml.SequenceNode):
        return [_value(item, f"{where}/{place}", lines) for place, item in enumerate(node.value)]
    assert isinstance(node, yaml.ScalarNode)
    return _scalar(node, line)


def _members(node: yaml.MappingNode, where: str, lines: dict[str, int]) -> JsonValue:
    members: dict[str, JsonValue] = {}
    for key_node, value_node in node.value:
        line = _line(key_node.start_mark)
        key = _scalar(key_node, line) if isinstance(key_node, yaml.ScalarNode) else None
        if not isinstance(key, str) or key == "<<":
            raise StrictYamlError("a key that is not plain text", line=line)
        if key in members:
            raise StrictYamlError("a key twice", line=line, key=key[:64])
        pointer = f"{where}/{key.replace('~', '~0').replace('/', '~1')}"
        lines[pointer] = line
        members[key] = _value(value_node, pointer, lines)
    return members


def _scalar(node: yaml.ScalarNode, line: int) -> JsonValue:
    text: str = node.value
    if node.style is not None:  # quoted, or a block
        return text
    if text in _LITERALS:
        return _LITERALS[text]
    if _INTEGER.fullmatch(text) and text != "-0" and abs(int(text)) <= INTEGER_MAX:
        return int(text)
    if text.lower() in _MISREAD_WORDS or _MISREAD_NUMBER.fullmatch(text):
        raise StrictYamlError("this has more than one reading: quote it", line=line, given=text[:32])
    return text
