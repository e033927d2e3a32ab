"""What the command of an act asks its author, in words that any front end can use."""

from dataclasses import dataclass
from enum import Enum, StrEnum, auto
from typing import Final


class Form(Enum):
    """How an answer is written."""

    TEXT = auto()
    DIGEST = auto()
    MOMENT = auto()
    DOCUMENT = auto()
    """A name and a file: the file is sealed to the agreement's readers, and sent."""
    UNLESS = auto()
    """A switch: the choice is true unless the switch is given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One thing that only the author can say.

    Attributes:
        choice: Its name in `Choices`.
        option: The name of the command's option, if it is not that of the choice.
        argument: The name of the command's argument, if it is an argument and not an option.
        words: The answer must be one of these words; None allows any text.
        several: It may be given more than once.
        optional: It may be left out; the statement then lacks the member, or the record fills it in.
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
        """Its name on the command line."""
        return self.argument or self.option or self.choice


@dataclass(frozen=True, slots=True, kw_only=True)
class ActCommand:
    """The command with which a person makes a statement: what it is for, and what it asks, in order.

    Attributes:
        group: The group of commands that it is one of; empty if it is a command by itself.
    """

    name: str
    purpose: str
    asks: tuple[Ask, ...] = ()
    group: str = ""


REASON: Final = Ask(choice="reason", help="The reason; it goes on record.")
STAGES: Final = Ask(choice="stage", help="Only this stage; repeatable.", several=True, optional=True)
DOCUMENTS: Final = Ask(
    choice="document",
    help="NAME=FILE, or NAME@DATE=FILE: a document, sealed to its readers and sent; repeatable.",
    form=Form.DOCUMENT,
    several=True,
    optional=True,
)
