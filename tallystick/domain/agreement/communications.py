"""Who announces a release, through which channels, and who answers questions."""

from dataclasses import dataclass

from tallystick.domain.ids import (
    PersonId,
)
from tallystick.domain.periods import Period


@dataclass(frozen=True, slots=True, kw_only=True)
class Communications:
    """Who announces a release, where and how often, and who answers questions."""

    announcer: PersonId
    channels: tuple[str, ...]
    cadence: Period
    support: str
