"""What a generation of rules consists of: all by which a record folds, falls due and is decided.

A claim carries the rules of the generation that it was filed under, so these types
are generic in the claim. Which generations there are is said in `record/generations.py`.
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
    """Something that is so and not yet recorded.

    Attributes:
        until: For a window: its last moment.
        because: Lines that explain it.
    """

    happening: Happening
    stage: StageId | None = None
    until: datetime | None = None
    because: tuple[str, ...] = ()
    cause: Digest | None = None


class Verdict(NamedTuple):
    """Whether a premise holds, and what was found."""

    holds: bool
    found: str


Look: TypeAlias = Callable[[Agreement, _C, datetime], Due | None]
RecordedPremise: TypeAlias = Callable[[Agreement, _C, StageId, datetime], Verdict]
SeenPremise: TypeAlias = Callable[[Agreement, _C, StageId, Sight], Verdict]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules(Generic[_C]):
    """The rules of one generation.

    Attributes:
        transitions: To which state an event leads; no other step is made.
        stage_transitions: The same for the stage that an event names.
        effects: What else an event changes.
        bounds: Refuses what a person says too late, or too much of.
        acts: The rule of each act (`acts.act.Rule`), by the kind of body that it takes.
        together: Kinds that several persons may sign in one envelope.
        looks: What falls due by itself, in the order in which it is looked for.
        moments: When one of the looks may change its answer by time alone.
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
        """The name of every premise, in the order in which a decision tells them; none may be left out."""
        return (*self.recorded, *self.seen)
