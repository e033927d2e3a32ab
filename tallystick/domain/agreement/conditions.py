"""Release conditions: booleans over evidence, so that two parties who read one get the same answer.

Whether a document is true is not decided here: the claim names who issued what,
and the condition says which documents must be there.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from tallystick.domain.codec import MalformedDocumentError
from tallystick.domain.ids import name
from tallystick.domain.json import JsonValue
from tallystick.domain.periods import Period
from tallystick.limits.agreements import CONDITION_DEPTH_MAX, EVIDENCE_ITEMS_MAX
from tallystick.limits.documents import LIST_LENGTH_MAX


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceItem:
    """A document that may support a claim: what it is, who issues it, how old it may be."""

    id: str
    what: str
    issuer: str
    form: str
    max_age: Period | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Expression:
    """A boolean over evidence items: an item's id, or `all_of` / `any_of` other expressions."""

    word: Literal["item", "all_of", "any_of"]
    item: str = ""
    parts: tuple["Expression", ...] = ()

    @classmethod
    def from_json(cls, value: JsonValue, where: str, depth: int = 1) -> "Expression":
        """Return the expression that `value` writes.

        Raises:
            MalformedDocumentError: Not an item's id or a non-empty `all_of`/`any_of`, or of too many items.
        """
        read = cls._read(value, where, depth)
        if len(read.items) > EVIDENCE_ITEMS_MAX or read.leaves > LIST_LENGTH_MAX:
            raise MalformedDocumentError("too many evidence items", at=where, limit=EVIDENCE_ITEMS_MAX)
        return read

    @classmethod
    def _read(cls, value: JsonValue, where: str, depth: int) -> "Expression":
        if isinstance(value, str):
            return cls(word="item", item=name(value))
        words: tuple[Literal["all_of"], Literal["any_of"]] = ("all_of", "any_of")
        for word in words:
            if isinstance(value, Mapping) and set(value) == {word} and depth <= CONDITION_DEPTH_MAX:
                parts = value[word]
                if not isinstance(parts, str) and isinstance(parts, Sequence) and parts:
                    read = [cls._read(part, f"{where}/{word}/{i}", depth + 1) for i, part in enumerate(parts)]
                    return cls(word=word, parts=tuple(read))
        raise MalformedDocumentError(
            "the value is neither an evidence item, nor all_of, nor any_of", at=where
        )

    def to_json(self) -> JsonValue:
        """Return the JSON form."""
        return self.item if self.word == "item" else {self.word: [part.to_json() for part in self.parts]}

    @property
    def leaves(self) -> int:
        """How often it names an item: each is looked at again for each moment of a claim that is played."""
        return 1 if self.word == "item" else sum(part.leaves for part in self.parts)

    @property
    def items(self) -> frozenset[str]:
        """Every evidence item that it names."""
        if self.word == "item":
            return frozenset({self.item})
        return frozenset[str]().union(*(part.items for part in self.parts))

    def met_by(self, items: frozenset[str]) -> bool:
        """Return whether `items` make it true."""
        if self.word == "item":
            return self.item in items
        return (all if self.word == "all_of" else any)(part.met_by(items) for part in self.parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """A release condition: `when` is true and `not_if` is not.

    Attributes:
        stressed: Whether this is a stressed exit (failure of the depositor) or an orderly one.
    """

    id: str
    title: str
    when: Expression
    not_if: Expression | None = None
    stressed: bool = True
