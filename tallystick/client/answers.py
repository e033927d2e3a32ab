"""Reading the server's JSON answers: members by name and type, and the envelopes in them.

What lacks a member, or has another type there, is not the server's answer: a proxy may have answered in its
place. That is an outage like others, so work that must last waits for it to pass.

Unknown members are ignored, because a newer server may say more. Nothing here is
trusted: what matters is in the signed envelopes, which the caller verifies.
"""

from collections.abc import Mapping, Sequence
from typing import TypeVar

from tallystick.client.problems import ForeignAnswerError, UnreachableError
from tallystick.crypto.envelope import Envelope, envelope_from_json, parse_envelope
from tallystick.crypto.json.canonical import parse
from tallystick.domain.errors import MalformedError
from tallystick.domain.ids import Digest, digest
from tallystick.domain.json import JsonObject, JsonValue
from tallystick.limits.client import ANSWER_NODES_MAX, ANSWER_SIZE_BYTES_MAX
from tallystick.limits.documents import AGREEMENT_SIZE_BYTES_MAX

_T = TypeVar("_T", str, int, bool)


def answer(raw: bytes, *, nodes_max: int = ANSWER_NODES_MAX) -> JsonObject:
    """Return the object in the body of an answer of at most `nodes_max` values.

    Raises:
        ForeignAnswerError: A JSON value of another type.
        UnreachableError: Not strict JSON, as the server writes it: what it answered did not arrive.
    """
    try:
        value = parse(raw, size_bytes_max=ANSWER_SIZE_BYTES_MAX, nodes_max=nodes_max)
    except MalformedError as error:
        raise UnreachableError(
            "the answer was cut off, or altered on its way", size_bytes=len(raw), reason=error.message
        ) from None
    return as_object(value, "")


def as_object(value: JsonValue, where: str) -> JsonObject:
    """Return `value` as an object.

    Raises:
        ForeignAnswerError: It is none.
    """
    if not isinstance(value, Mapping):
        raise ForeignAnswerError("the value is not an object", at=where)
    return value


def text(members: JsonObject, name: str) -> str:
    """Return a member that is text.

    Raises:
        ForeignAnswerError: Missing, or something else.
    """
    return _typed(members, name, str)


def number(members: JsonObject, name: str) -> int:
    """Return a member that is an integer.

    Raises:
        ForeignAnswerError: Missing, or something else.
    """
    return _typed(members, name, int)


def digest_in(members: JsonObject, name: str) -> Digest:
    """Return a member that is a digest.

    Raises:
        ForeignAnswerError: Missing, or not text.
        MalformedNameError: Not a digest.
    """
    return digest(text(members, name))


def member(members: JsonObject, name: str) -> JsonObject:
    """Return a member that is an object.

    Raises:
        ForeignAnswerError: Missing, or something else.
    """
    return as_object(members.get(name), name)


def objects(members: JsonObject, name: str) -> Sequence[JsonObject]:
    """Return a member that is a list of objects.

    Raises:
        ForeignAnswerError: Missing, or something else.
    """
    return [as_object(item, f"{name}/{place}") for place, item in enumerate(_items(members, name))]


def texts(members: JsonObject, name: str) -> Sequence[str]:
    """Return a member that is a list of texts.

    Raises:
        ForeignAnswerError: Missing, or something else.
    """
    items = _items(members, name)
    if not all(isinstance(item, str) for item in items):
        raise ForeignAnswerError("the member is not a list of texts", at=name)
    return [str(item) for item in items]


def unreadable_in(members: JsonObject) -> Sequence[str]:
    """Return what an answer leaves out because the server's record of it is damaged; mostly nothing.

    Raises:
        ForeignAnswerError: The member is not a list of texts.
    """
    return texts(members, "unreadable") if "unreadable" in members else ()


def envelope_in(members: JsonObject, name: str) -> Envelope:
    """Return the envelope in a member, where it is an object or JSON in a text; nothing is verified.

    Raises:
        ForeignAnswerError: Missing.
        MalformedError: Not an envelope.
    """
    value = members.get(name)
    if isinstance(value, str):
        return parse_envelope(value.encode(), body_size_bytes_max=AGREEMENT_SIZE_BYTES_MAX)
    return envelope_from_json(as_object(value, name))


def _items(members: JsonObject, name: str) -> Sequence[JsonValue]:
    items = members.get(name)
    if isinstance(items, str) or not isinstance(items, Sequence):
        raise ForeignAnswerError("the member is not a list", at=name)
    return items


def _typed(members: JsonObject, name: str, kind: type[_T]) -> _T:
    value = members.get(name)
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise ForeignAnswerError(f"not {kind.__name__}", at=name)
    return value
