"""What a generation of rules consists of: everything that decides how a record folds and what falls due.

A claim carries the rules of the generation that it was filed under, so these types
are generic in the claim. `record/generations.py` lists the generations.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, NamedTuple, TypeAlias, TypeVar

from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.claim.sight import Sight
from tallystick.domain.claim.state import ClaimState, EventType, StageState
from tallystick.domain.ids import Digest, PersonId, StageId
from tallystick.domain.kinds import Happening, Kind
from tallystick.domain.statements.signed import Body, Entry, Signed

_C = TypeVar("_C")


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """Something that is true and not yet recorded.

    Attributes:
        until: The last moment of a window.
        because: Lines that explain it.
    """

    happening: Happening
    stage: StageId | None = None
    until: datetime | None = None
    because: tuple[str, ...] = ()
    cause: Digest | None = None


class PremiseAnswer(NamedTuple):
    """Whether a premise is met, and why or why not."""

    holds: bool
    found: str


Look: TypeAlias = Callable[[Agreement, _C, datetime], Due | None]
RecordedPremise: TypeAlias = Callable[[Agreement, _C, StageId, datetime], PremiseAnswer]
SeenPremise: TypeAlias = Callable[[Agreement, _C, StageId, Sight], PremiseAnswer]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules(Generic[_C]):
    """The rules of one generation.

    Attributes:
        transitions: The state to which an event leads; no other step is possible.
        stage_transitions: The same for the stage that an event names.
        effects: What else an event changes.
        bounds: Refuses statements with times that do not fit, and too many of them.
        acts: The rule of each act (`acts.act.Rule`), by the kind of body that it takes.
        together: Kinds that several persons may sign in one envelope.
        looks: The functions that look for what falls due by itself, in their order.
        moments: When the answer of one of these may change by time alone.
        recorded: The premises of a release that the record decides, by name, in the order of a decision.
        seen: The premises that need more than the record; they come after the others.
    """

    generation: int
    transitions: Mapping[tuple[ClaimState, EventType], ClaimState]
    stage_transitions: Mapping[tuple[StageState, EventType], StageState]
    effects: Mapping[EventType, Callable[[_C, Entry, Body], _C]]
    bounds: Callable[[_C, Signed[Body], datetime], None]
    acts: Mapping[type[Body], Callable[[Agreement, _C, Any, frozenset[PersonId], datetime], EventType]]
    together: frozenset[Kind]
    looks: tuple[Look[_C], ...]
    moments: Callable[[Agreement, _C, datetime], Iterable[datetime]]
    recorded: Mapping[str, RecordedPremise[_C]]
    seen: Mapping[str, SeenPremise[_C]]

    @property
    def premises(self) -> tuple[str, ...]:
        """The name of every premise, in the order in which a decision lists them; it must list them all."""
        return (*self.recorded, *self.seen)
