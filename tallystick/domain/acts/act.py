"""What an act is: its kind, its address, its rule, its draft, what its signer reads, and its command."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeAlias, TypeVar

from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.claim.claim import Claim
from tallystick.domain.claim.state import EventType
from tallystick.domain.drafts.choices import Choices
from tallystick.domain.drafts.command import ActCommand
from tallystick.domain.drafts.heading import Heading
from tallystick.domain.ids import PersonId
from tallystick.domain.kinds import Kind
from tallystick.domain.statements.header import ActBody

B = TypeVar("B", bound=ActBody)

Rule: TypeAlias = Callable[[Agreement, Claim, B, frozenset[PersonId], datetime], EventType]
"""Returns the event that a body by these persons is at a moment, or refuses it."""


def always(_: ActBody, __: Claim) -> bool:
    """Return that an act helps a release, whatever it says."""
    return True


def never(_: ActBody, __: Claim) -> bool:
    """Return that an act helps no release, whatever it says."""
    return False


def _as_chosen(_: Heading, __: Claim, choices: Choices) -> Choices:
    return choices


@dataclass(frozen=True, slots=True, kw_only=True)
class Act(Generic[B]):
    """Everything about one kind of act.

    Attributes:
        noun: It is sent to POST /v1/claims/{claim}/<noun>.
        rule: Who may make it, and when; asked by the one door (`admission`), which the API, the workflow,
            the gate and the offline verifier share.
        helps: Whether it helps a release along; if not, it stops one, or reports what happened, and no doubt
            about the log keeps it off the record.
        draft: Returns the statement that its author would sign; raises DraftIncompleteError.
        does: What signing it does, as a sentence about the person whose statement it is.
        particulars: What else it says, one line each.
        completed: Fills in from the record what its author left open.
        together: Whether several persons may sign one, in one envelope.
        command: The command with which a person makes it; None if only a program does.
    """

    body: type[B]
    noun: str
    rule: Rule[B]
    helps: Callable[[B, Claim], bool]
    draft: Callable[[Heading, Choices], B]
    does: Callable[[B], str]
    particulars: Callable[[B, Agreement], Iterable[str]]
    completed: Callable[[Heading, Claim, Choices], Choices] = _as_chosen
    together: bool = False
    command: ActCommand | None = None

    @property
    def kind(self) -> Kind:
        """The kind of its statements."""
        return self.body.KIND
