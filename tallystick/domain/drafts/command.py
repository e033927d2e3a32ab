"""What the command of an act asks its author, in words that any way of asking can use."""

from dataclasses import dataclass
from enum import Enum, StrEnum, auto
from typing import Final


class Form(Enum):
    """How an answer is written."""

    TEXT = auto()
    DIGEST = auto()
    MOMENT = auto()
    PAPER = auto()
    """A word and a file, of which only the digest goes."""
    UNLESS = auto()
    """A switch: the choice is true unless it is given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One thing that only the author can say.

    Attributes:
        choice: Under which name it is chosen.
        option: How the command calls it, if not like the choice.
        argument: It is an argument of this name and no option.
        words: One of these, where not any text will do.
        several: It may be given more than once.
        optional: It may be left out: the statement has no such member then, or the record fills it in.
    """

    choice: str
    help: str
    option: str = ""
    argument: str = ""
    form: Form = Form.TEXT
    words: type[StrEnum] | None = None
    several: bool = False
    optional: bool = False
    default: str | None = None

    @property
    def name(self) -> str:
        """How the author calls it."""
        return self.argument or self.option or self.choice


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """The command with which a person makes a statement: what it is for, and what it asks, in which order."""

    name: str
    purpose: str
    asks: tuple[Ask, ...] = ()


REASON: Final = Ask(choice="reason", help="Why, in words that go on record.")
STAGES: Final = Ask(choice="stage", help="Only this stage; repeatable.", several=True, optional=True)
