"""Large values as keys of what is remembered, by which one they are and not by what they say."""

from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True, eq=False)
class Same(Generic[T]):
    """A value that equals itself alone: comparing two agreements would take longer than counting anew."""

    value: T

    def __eq__(self, other: object) -> bool:
        """Whether both are of one value, not of two that say the same."""
        return isinstance(other, Same) and other.value is self.value  # pyright: ignore[reportUnknownMemberType] - only its identity is asked

    def __hash__(self) -> int:
        """Return what stands for the value; it is kept here, so no other has this id."""
        return id(self.value)
