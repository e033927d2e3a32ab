"""Reading objects that have exactly the members that their format names."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet

from tallystick.domain.errors import MalformedError
from tallystick.domain.json import JsonObject, JsonValue


class UnexpectedShapeError(MalformedError):
    """JSON whose members, or their types, are not those of its format."""

    code = "json-shape"
    why = "Every format names its members; unknown ones are refused: another reader may give them a meaning."
    advice = "Compare with the format; `at` says which object, `member` which of its members."


def members_of(
    value: JsonValue, *, where: str, required: AbstractSet[str], optional: AbstractSet[str] = frozenset()
) -> JsonObject:
    """Return `value` as an object that has all `required` and no unknown members.

    Raises:
        UnexpectedShapeError: Not an object, or a member is missing or unknown.
    """
    if not isinstance(value, Mapping):
        raise UnexpectedShapeError("the value is not an object", at=where)
    if unknown := sorted(value.keys() - required - optional):
        raise UnexpectedShapeError("unknown member", at=where, member=unknown[0][:64])
    if missing := sorted(required - value.keys()):
        raise UnexpectedShapeError("missing member", at=where, member=missing[0])
    return value


def text_of(members: JsonObject, member: str, *, where: str) -> str:
    """Return a member that must be text; the error never shows its value.

    Raises:
        UnexpectedShapeError: Not text.
    """
    if not isinstance(text := members[member], str):
        raise UnexpectedShapeError("the member is not text", at=where, member=member)
    return text
