"""Quorum trees and how they are counted.

One grammar, for approvals, denials, rulings, custody and witnesses alike:
`{"k": 2, "of": […]}`, `{"any": […]}`, `{"all": […]}`, nested, with persons as leaves
(the shape of C2SP tlog-policy groups). Each person is named once. Empty never
means allowed.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from tallystick.domain.amounts import all_of, any_of, joined
from tallystick.domain.codec import MalformedDocumentError
from tallystick.domain.ids import PersonId, person_id
from tallystick.domain.json import JsonValue
from tallystick.limits.agreements import QUORUM_DEPTH_MAX, QUORUM_LEAVES_MAX

_WORDS: Final = frozenset({"k", "of", "any", "all"})


class MalformedQuorumError(MalformedDocumentError):
    """A tree that could never, or would always, be met, or that counts someone twice."""

    code = "malformed-quorum"
    why = "A quorum needs 1 ≤ k ≤ n at every node, names at most 32 persons, and names each person once."
    advice = "Correct the tree: `{k: 2, of: [a@x, b@y, c@z]}`, `{any: […]}` or `{all: […]}`, nested."


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """`threshold` of `members` must agree; a member is a person or another group."""

    threshold: int
    members: tuple["Group | PersonId", ...]


@dataclass(frozen=True)
class Quorum:
    """A whole tree, checked at birth.

    Raises:
        MalformedQuorumError: Too deep or wide, a threshold out of range, a person twice.
    """

    root: Group

    def __post_init__(self) -> None:
        """Refuse a tree that cannot be counted honestly."""
        _check_group(self.root, depth=1)
        persons = list(leaves(self.root))
        if len(persons) > QUORUM_LEAVES_MAX:
            raise MalformedQuorumError(
                "the quorum names too many persons", persons=len(persons), limit=QUORUM_LEAVES_MAX
            )
        if twice := {person for person in persons if persons.count(person) > 1}:
            raise MalformedQuorumError("the quorum names a person twice", persons=sorted(twice))

    @cached_property
    def persons(self) -> frozenset[PersonId]:
        """Everyone whom the quorum names."""
        return frozenset(leaves(self.root))

    @property
    def words(self) -> str:
        """Who must agree, so that it reads in one way only: what belongs together stands in brackets."""
        return _group_words(self.root)

    @classmethod
    def from_json(cls, value: JsonValue, where: str) -> "Quorum":
        """Return the tree that `value` writes; a single person is a tree of one.

        Raises:
            MalformedDocumentError: Not this grammar.
        """
        member = _member(value, where, depth=0)
        return cls(member if isinstance(member, Group) else Group(threshold=1, members=(member,)))

    def to_json(self) -> JsonValue:
        """Return the tree with `any` and `all` wherever they fit."""
        return _group_json(self.root)

    def satisfied_by(self, persons: frozenset[PersonId]) -> bool:
        """Return whether `persons` suffice, each counted once."""
        return _satisfied(self.root, lambda person: person in persons)


def leaves(group: Group) -> Iterator[PersonId]:
    """Yield the persons of a group and of all groups in it, in their order."""
    for member in group.members:
        if isinstance(member, Group):
            yield from leaves(member)
        else:
            yield member


def _satisfied(group: Group, agrees: Callable[[PersonId], bool]) -> bool:
    agreeing = sum(
        _satisfied(member, agrees) if isinstance(member, Group) else agrees(member)
        for member in group.members
    )
    return agreeing >= group.threshold


def _check_group(group: Group, depth: int) -> None:
    if depth > QUORUM_DEPTH_MAX:
        raise MalformedQuorumError("the quorum is nested too deep", limit=QUORUM_DEPTH_MAX)
    # A threshold of zero would make silence a quorum.
    if not 1 <= group.threshold <= len(group.members):
        raise MalformedQuorumError(
            "k is not between 1 and the number of members", k=group.threshold, members=len(group.members)
        )
    for member in group.members:
        if isinstance(member, Group):
            _check_group(member, depth + 1)


def _member(value: JsonValue, where: str, depth: int) -> "Group | PersonId":
    if isinstance(value, str):
        return person_id(value)
    if not isinstance(value, Mapping) or not value.keys() <= _WORDS or depth > QUORUM_DEPTH_MAX:
        raise MalformedQuorumError("the value is not a quorum", at=where)
    word = next(iter(value.keys() - {"k"}), "")
    members = value.get(word)
    if set(value) not in ({"k", "of"}, {"any"}, {"all"}):
        raise MalformedQuorumError("write k and of, or any, or all", at=where)
    if isinstance(members, str) or not isinstance(members, Sequence):
        raise MalformedQuorumError("the members of a quorum are not a list", at=f"{where}/{word}")
    read = tuple(_member(item, f"{where}/{word}/{place}", depth + 1) for place, item in enumerate(members))
    return Group(threshold=_threshold(value, len(read), where), members=read)


def _threshold(value: Mapping[str, JsonValue], count: int, where: str) -> int:
    if "any" in value:
        return 1
    if "all" in value:
        return count
    threshold = value["k"]
    if isinstance(threshold, bool) or not isinstance(threshold, int):
        raise MalformedQuorumError("k is not an integer", at=f"{where}/k")
    return threshold


def _group_json(group: Group) -> JsonValue:
    members = [_group_json(member) if isinstance(member, Group) else member for member in group.members]
    if group.threshold == len(members):
        return {"all": members}
    if group.threshold == 1:
        return {"any": members}
    return {"k": group.threshold, "of": members}


def _group_words(group: Group) -> str:
    members = [_group_words(one) if isinstance(one, Group) else one for one in group.members]
    count = len(members)
    if count == 1:
        return members[0]
    nested = any(isinstance(one, Group) for one in group.members)
    if group.threshold in {1, count} and not nested:
        return joined(members, "or" if group.threshold == 1 else "and")
    return f"{_how_many(group.threshold, count)}: [{'; '.join(members)}]"


def _how_many(threshold: int, count: int) -> str:
    if threshold == count:
        return all_of(count)
    return any_of(count) if threshold == 1 else f"at least {threshold} of these {count}"
