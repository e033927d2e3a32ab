"""One strict way between JSON and frozen dataclasses, driven by their annotations.

Unknown members are refused. A member whose default is None or an empty list is
optional: left out, it means that there is nothing, and neither `null` nor `[]` is ever
written for it. Any other default is a term of what is signed, and is always written.
So a value has one form: `encode(decode(cls, value)) == value` holds for all that a
party may sign, and `decode` refuses what would break it.
Names, digests, times and periods are checked as they are read. A text is one line, in which no character
draws (`quoting.drawn_by`), unless its annotation is `Prose`.
"""

import dataclasses
import functools
import re
import types
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time
from difflib import get_close_matches
from enum import StrEnum
from typing import (
    Annotated,
    Any,
    Final,
    Protocol,
    TypeAlias,
    TypeVar,
    Union,
    cast,
    get_args,
    get_origin,
    get_type_hints,
    runtime_checkable,
)

from tallystick.domain import ids
from tallystick.domain.errors import MalformedError
from tallystick.domain.json import JsonObject, JsonValue
from tallystick.domain.quoting import drawn_by, named
from tallystick.limits.documents import LIST_LENGTH_MAX, TEXT_LENGTH_MAX

T = TypeVar("T")
_Reader: TypeAlias = Callable[[JsonValue, str], object]

Prose: TypeAlias = Annotated[str, "may have several lines"]
"""A text of any characters, always shown quoted. A plain `str` is one line, and nothing in it draws."""

_INSTANT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII)


class MalformedDocumentError(MalformedError):
    """A document whose members are not those that its kind has."""

    code = "malformed-document"
    why = "The document has a member that is unknown, missing or malformed."
    advice = (
        "Correct the member that `at` points to (RFC 6901). `GET /v1/openapi.json` describes every body; "
        "for an act, start from a draft; for a YAML file, from its example in `deploy/demo`."
    )


@runtime_checkable
class JsonForm(Protocol):
    """A value that knows its own JSON form, such as a quorum tree."""

    @classmethod
    def from_json(cls, value: JsonValue, where: str) -> "JsonForm":
        """Return the value that `value` describes; `where` is the JSON pointer to it."""
        ...

    def to_json(self) -> JsonValue:
        """Return the one JSON form of this value."""
        ...


def decode(cls: type[T], value: JsonValue, where: str = "") -> T:
    """Return the `cls` that `value` describes.

    Raises:
        MalformedError: Not exactly the members of `cls`, or not in their one form.
    """
    read = cast("T", _read(cls, value, where))
    if encode(read) != value:
        raise MalformedDocumentError(
            "the document is not in its one form: a term is missing, or a value is empty or spelt otherwise",
            at=where,
        )
    return read


def decode_with_defaults(cls: type[T], value: JsonValue, where: str = "") -> T:
    """Return the `cls` that `value` describes, defaults filled in: for what people write by hand.

    Raises:
        MalformedError: An unknown, missing or malformed member.
    """
    return cast("T", _read(cls, value, where))


def encode(value: object) -> JsonValue:
    """Return the JSON form of a dataclass, or of anything that one may hold."""
    return _writer(cast("Any", type(value)))(value)


def encode_object(value: object) -> JsonObject:
    """Return the JSON object of a dataclass."""
    encoded = encode(value)
    assert isinstance(encoded, Mapping)
    return encoded


def instant(text: str, where: str = "") -> datetime:
    """Return the moment that RFC 3339 `text` names: UTC, `Z`, whole seconds.

    Raises:
        MalformedDocumentError: Another form, or no such moment.
    """
    if _INSTANT.fullmatch(text) is None:
        raise MalformedDocumentError("the value is not an instant like 2026-11-24T09:00:00Z", at=where)
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise MalformedDocumentError("no such moment", at=where) from error


def instant_text(moment: datetime) -> str:
    """Return `moment` in RFC 3339, UTC, `Z`; parts of a second are cut off."""
    assert moment.tzinfo is not None, "a time without a zone is not an instant"
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"


def _read(kind: Any, value: JsonValue, where: str) -> object:  # noqa: ANN401 - an annotation may be anything
    return _reader(kind)(value, where)


@functools.cache
def _reader(kind: Any) -> _Reader:  # noqa: ANN401 - as above
    """Return what reads a value of `kind`; made once, because a record has thousands of the same."""
    if get_origin(kind) in {Union, types.UnionType}:
        (inner,) = (arm for arm in get_args(kind) if arm is not types.NoneType)
        return _reader(inner)
    if get_origin(kind) is tuple:
        return functools.partial(_read_list, get_args(kind)[0])
    if kind in _READERS:
        return _READERS[kind]
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return functools.partial(_read_word, kind)
    if isinstance(kind, type) and issubclass(kind, JsonForm):
        return functools.partial(_read_form, kind)
    return functools.partial(_read_object, kind)


@functools.cache
def _writer(kind: Any) -> Callable[[Any], JsonValue]:  # noqa: ANN401, PLR0911 - as above; a line per kind
    if issubclass(kind, StrEnum):
        return lambda word: word.value
    if issubclass(kind, bool | int | str):
        return lambda value: value
    if issubclass(kind, JsonForm):
        return lambda form: form.to_json()
    if issubclass(kind, datetime):
        return instant_text
    if issubclass(kind, time):
        return lambda hour: hour.strftime("%H:%M")
    if issubclass(kind, date):
        return lambda day: day.isoformat()
    if issubclass(kind, tuple):
        return lambda items: [encode(item) for item in items]
    assert dataclasses.is_dataclass(kind), f"{kind} has no JSON form"
    return functools.partial(_write_object, dataclasses.fields(kind))


def _write_object(fields: tuple["dataclasses.Field[object]", ...], value: object) -> JsonObject:
    members = ((field, getattr(value, field.name)) for field in fields)
    return {_named(field): encode(member) for field, member in members if not _is_absent(field, member)}


def _named(field: "dataclasses.Field[object]") -> str:
    """Return what a member is called in JSON: `for_` is `for`, which Python keeps for itself."""
    return field.name.removesuffix("_")


def _is_absent(field: "dataclasses.Field[object]", member: object) -> bool:
    """Return whether `member` is left out: None, or an empty list where that is the default."""
    return member is None or (member == () and field.default == ())


def _read_form(kind: type[JsonForm], value: JsonValue, where: str) -> JsonForm:
    """Return the value; one that checks itself when it is made does not know its place, so add it here."""
    try:
        return kind.from_json(value, where)
    except MalformedError as error:
        if "at" in error.facts:
            raise
        raise type(error)(error.message, at=where, **error.facts) from error


def _meant(written: str, members: Iterable[str]) -> dict[str, str]:
    """Return, as a fact, which member somebody may have meant."""
    near = get_close_matches(written, members, n=1)
    return {"did_you_mean": near[0]} if near else {}


def _read_object(cls: Any, value: JsonValue, where: str) -> object:  # noqa: ANN401 - as above
    if not isinstance(value, Mapping):
        raise MalformedDocumentError("the value is not an object", at=where)
    readers, required = _members(cls)
    if unknown := sorted(value.keys() - readers.keys()):
        meant = _meant(unknown[0][:64], readers)
        raise MalformedDocumentError("unknown member", at=where, member=unknown[0][:64], **meant)
    if missing := sorted(required - value.keys()):
        raise MalformedDocumentError("missing member", at=where, member=missing[0])
    own = _own_names(cls)
    return cls(**{own[name]: readers[name](member, f"{where}/{name}") for name, member in value.items()})


@functools.cache
def _own_names(cls: Any) -> Mapping[str, str]:  # noqa: ANN401 - as below
    """Return the name in Python of each member, by its name in JSON."""
    return {_named(field): field.name for field in dataclasses.fields(cls)}


@functools.cache
def _members(cls: Any) -> tuple[Mapping[str, _Reader], frozenset[str]]:  # noqa: ANN401 - as above
    """Return what reads each member of a dataclass, and which of them may not be left out."""
    hints = get_type_hints(cls, include_extras=True)  # so that `Prose` stays apart from `str`
    fields = dataclasses.fields(cls)
    required = frozenset(_named(field) for field in fields if field.default is dataclasses.MISSING)
    return {_named(field): _reader(hints[field.name]) for field in fields}, required


def _read_list(kind: object, value: JsonValue, where: str) -> tuple[object, ...]:
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise MalformedDocumentError("the value is not a list", at=where)
    if len(value) > LIST_LENGTH_MAX:
        raise MalformedDocumentError("the list is too long", at=where, limit=LIST_LENGTH_MAX)
    read = _reader(kind)
    return tuple(read(item, f"{where}/{place}") for place, item in enumerate(value))


def _read_word(kind: type[StrEnum], value: JsonValue, where: str) -> StrEnum:
    if not isinstance(value, str) or value not in set(kind):
        raise MalformedDocumentError("unknown word", at=where, expected=[word.value for word in kind])
    return kind(value)


def _read_text(value: JsonValue, where: str) -> str:
    if not isinstance(value, str):
        raise MalformedDocumentError("the value is not text", at=where)
    if len(value) > TEXT_LENGTH_MAX:
        raise MalformedDocumentError("the text is too long", at=where, limit=TEXT_LENGTH_MAX)
    return value


def _read_one_line(value: JsonValue, where: str) -> str:
    text = _read_text(value, where)
    if (drawing := drawn_by(text)) is not None:
        raise MalformedDocumentError(
            f"the character {named(drawing)} may not stand in a text of one line",
            at=where,
            character=named(drawing),
        )
    return text


def _read_integer(value: JsonValue, where: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise MalformedDocumentError("the value is not an integer", at=where)
    return value


def _read_boolean(value: JsonValue, where: str) -> bool:
    if not isinstance(value, bool):
        raise MalformedDocumentError("the value is neither true nor false", at=where)
    return value


def _read_instant(value: JsonValue, where: str) -> datetime:
    return instant(_read_text(value, where), where)


def _read_date(value: JsonValue, where: str) -> date:
    text = _read_text(value, where)
    try:
        read = date.fromisoformat(text)
    except ValueError as error:
        raise MalformedDocumentError("the value is not a date like 2026-12-25", at=where) from error
    if read.isoformat() != text:
        raise MalformedDocumentError("the value is not a date like 2026-12-25", at=where)
    return read


def _read_time(value: JsonValue, where: str) -> time:
    text = _read_text(value, where)
    if re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", text, re.ASCII) is None:
        raise MalformedDocumentError("the value is not a time like 17:00", at=where)
    return time.fromisoformat(text)


def _checked(check: Callable[[str], str]) -> Callable[[JsonValue, str], str]:
    def read(value: JsonValue, where: str) -> str:
        text = _read_text(value, where)
        try:
            return check(text)
        except MalformedError as error:
            raise MalformedDocumentError(error.message, at=where, **error.facts) from error

    return read


_READERS: Final[Mapping[object, _Reader]] = {
    str: _read_one_line,
    Prose: _read_text,
    int: _read_integer,
    bool: _read_boolean,
    datetime: _read_instant,
    date: _read_date,
    time: _read_time,
    ids.AgreementId: _checked(ids.name),
    ids.DeploymentId: _checked(ids.name),
    ids.PartyId: _checked(ids.name),
    ids.ComponentId: _checked(ids.name),
    ids.StageId: _checked(ids.name),
    ids.GroupId: _checked(ids.name),
    ids.PersonId: _checked(ids.person_id),
    ids.Digest: _checked(ids.digest),
    ids.PublicKey: _checked(ids.public_key),
}
