"""What a verifier reports: each check of an evidence file, and the verdict."""

from dataclasses import dataclass
from typing import Final

from tallystick.domain.ids import AgreementId, Digest, StageId

SCHEMA: Final = "tallystick.evidence/v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One numbered premise of the verification: whether it holds, and what the verifier found."""

    number: int
    premise: str
    holds: bool
    found: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The result of a verification: every premise in order, up to the first that is broken.

    Attributes:
        released: The stages that the gate decided to release; written even if there are none.
        state: Where the claim stands by its record; None unless everything holds.
    """

    steps: tuple[Check, ...]
    released: tuple[StageId, ...]
    agreement: AgreementId | None = None
    agreement_digest: Digest | None = None
    claim: Digest | None = None
    state: str | None = None

    @property
    def holds(self) -> bool:
        """Whether every premise holds; a report without premises proves nothing."""
        return bool(self.steps) and all(step.holds for step in self.steps)

    @property
    def broken(self) -> Check | None:
        """The first premise that does not hold, or None."""
        return next((step for step in self.steps if not step.holds), None)
