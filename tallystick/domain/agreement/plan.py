"""The plan of a release: its stages, when each opens, and who holds the key to it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from tallystick.domain.ids import (
    ComponentId,
    StageId,
)
from tallystick.domain.periods import Period
from tallystick.domain.quorum import Quorum


class Opens(StrEnum):
    """When a stage may first be decided."""

    ON_ACCEPTANCE = "on_acceptance"
    """Provisional access, while the objection window still runs."""
    AFTER_WINDOW = "after_window"
    AFTER_STAGE = "after_stage"


class OnFailure(StrEnum):
    """What happens to the stages already provisioned when a later one fails."""

    KEEP = "keep"
    ROLLBACK = "rollback"


GATE_LEAF: Final = "gate"
"""The leaf of a custody tree that the escrow agent's gate holds."""


class CustodyRule(StrEnum):
    """Who holds the key to a stage's components."""

    GATE = "gate"
    """The escrow agent's gate alone: the smallest custody tree, one leaf."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """When a stage opens: after what, and how long after; `stage` is set for `after_stage` alone."""

    when: Opens
    stage: StageId | None = None
    delay: Period | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Components that are released together, by their own quorum.

    Attributes:
        custody: Who holds the key to the components.
    """

    id: StageId
    components: tuple[ComponentId, ...]
    opens: Opening
    quorum: Quorum
    on_failure: OnFailure
    custody: CustodyRule = CustodyRule.GATE
