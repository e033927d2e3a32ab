"""What is in escrow: components, how critical each is, and under which licence."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from tallystick.domain.ids import (
    ComponentId,
)
from tallystick.domain.periods import Period


class Tier(StrEnum):
    """How critical a component is."""

    CRITICAL = "critical"
    NON_CRITICAL = "non_critical"


class LicenceModel(StrEnum):
    """How long the licence runs; a release does not extend it."""

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
        cadence: How often the depositor must deposit it.
        max_age: How old a deposit's watermark may be before it is reported. It refuses no claim: a depositor
            who stops depositing could otherwise stop every one.
        required_entries: Paths that the depositor's command looks for in the folder; nobody can look into the
            sealed bag before a release.
        prerequisites: What the beneficiary needs in order to use it, in words.
    """

    id: ComponentId
    kind: str
    tier: Tier
    licence: Licence
    cadence: Period | None = None
    max_age: Period | None = None
    required_entries: tuple[str, ...] = ()
    prerequisites: tuple[str, ...] = ()
