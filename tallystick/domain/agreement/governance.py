"""Who owns the risk, and how often the agreement is reviewed."""

from dataclasses import dataclass

from tallystick.domain.ids import (
    PersonId,
)
from tallystick.domain.periods import Period


@dataclass(frozen=True, slots=True, kw_only=True)
class Governance:
    """Who owns the risk, and how often the agreement is reviewed."""

    risk_owner: PersonId
    review_every: Period
    retention: Period
    governing_law: str
    supplementary_to: str
