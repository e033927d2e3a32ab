"""What is in escrow: components, how dear each is, and under which licence."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from tallystick.domain.ids import (
    ComponentId,
)
from tallystick.domain.periods import Period


class Tier(StrEnum):
    """How much hangs on a component."""

    CRITICAL = "critical"
    NON_CRITICAL = "non_critical"


class LicenceModel(StrEnum):
    """How long the licence runs; a release does not prolong it."""

    PERPETUAL = "perpetual"
    TERM = "term"
    SUBSCRIPTION = "subscription"


@dataclass(frozen=True, slots=True, kw_only=True)
class Licence:
    """The right that goes with a component."""

    model: LicenceModel
    seats: int | None = None
    ends_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """A thing that is deposited and released as a whole.

    Attributes:
        cadence: How often it is to be deposited.
        max_age: How old a deposit's watermark may be at a claim.
        required_entries: Paths that every deposit's bag must hold.
        prerequisites: What the beneficiary needs to have, in words.
    """

    id: ComponentId
    kind: str
    tier: Tier
    licence: Licence
    cadence: Period | None = None
    max_age: Period | None = None
    required_entries: tuple[str, ...] = ()
    prerequisites: tuple[str, ...] = ()
