"""What the author of a draft chooses, by name; each act takes the names that it needs."""

from collections.abc import Sequence
from enum import StrEnum
from typing import TypeVar, cast

from tallystick.domain.errors import MalformedError
from tallystick.domain.ids import Digest, StageId

T = TypeVar("T")
W = TypeVar("W", bound=StrEnum)


class DraftIncompleteError(MalformedError):
    """A draft lacks something that its kind of statement needs."""

    code = "draft-incomplete"
    why = "Each kind of statement has members that only its author can choose."
    advice = "Give what the facts name, with the option or query parameter of that name."


class Choices:
    """What was chosen: one value per name, or a tuple of several values of one type.

    The names are those of the API's query parameters. The set is open: an act reads the
    names that it needs, and a draft says which of them is missing.
    """

    def __init__(self, **chosen: object) -> None:
        self._chosen = {name: value for name, value in chosen.items() if value is not None}

    def __contains__(self, name: str) -> bool:
        return name in self._chosen

    def but(self, **chosen: object) -> "Choices":
        """Return these choices with others added."""
        return Choices(**{**self._chosen, **chosen})

    def maybe(self, name: str, kind: type[T]) -> T | None:
        """Return what was chosen, or None."""
        value = self._chosen.get(name)
        assert value is None or isinstance(value, kind), f"{name} has type {kind}"
        return value

    def digest(self, name: str) -> Digest | None:
        """Return the digest that was chosen, or None."""
        chosen = self.maybe(name, str)
        return None if chosen is None else Digest(chosen)

    def given(self, name: str, kind: type[T]) -> T:
        """Return what was chosen.

        Raises:
            DraftIncompleteError: Nothing was chosen.
        """
        value = self.maybe(name, kind)
        if value is None:
            raise DraftIncompleteError(f"{name} is missing", missing=name)
        return value

    def several(self, name: str, kind: type[T]) -> tuple[T, ...]:
        """Return all values chosen under a name; a single value is returned as a tuple of one."""
        value = self._chosen.get(name, ())
        values = cast("Sequence[object]", value if isinstance(value, tuple) else (value,))
        assert all(isinstance(one, kind) for one in values), f"{name} are {kind}"
        return cast("tuple[T, ...]", tuple(values))

    def text(self, name: str) -> str:
        """Return the first text that was chosen.

        Raises:
            DraftIncompleteError: No text was chosen, or it is blank.
        """
        texts = self.several(name, str)
        if not texts or not texts[0].strip():
            raise DraftIncompleteError(f"{name} is missing", missing=name)
        return texts[0]

    def word(self, name: str, words: type[W]) -> W:
        """Return the one among `words` that was chosen.

        Raises:
            DraftIncompleteError: None was chosen, or another word.
        """
        try:
            return words(self.text(name))
        except ValueError as error:
            raise DraftIncompleteError(f"{name} is not one of the known words", missing=name) from error

    @property
    def stages(self) -> tuple[StageId, ...] | None:
        """The stages that were named; None if none: an objection or hold then covers the whole claim."""
        return tuple(map(StageId, self.several("stage", str))) if "stage" in self else None
