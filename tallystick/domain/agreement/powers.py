"""Who may do what under an agreement."""

from dataclasses import dataclass

from tallystick.domain.ids import (
    PersonId,
)
from tallystick.domain.quorum import Quorum


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectionRule:
    """Who may give a contrary instruction, and on which grounds; `cured` is the ground for a cure."""

    objectors: tuple[PersonId, ...]
    grounds: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorities:
    """Who may do what beside approving.

    Attributes:
        claimants: May file a claim, withdraw it, and sign receipts and returns.
        intake: May accept a claim's form, or refuse it.
        denial: Whose denials, together, end a claim.
        arbitration: Who may rule on a dispute; absent where the agreement has no arbitrator.
        court_order: Officers who may attest a final court order.
        joint_instruction: Who signs one together.
        hold: May place a hold.
        hold_lift: Who lifts one, together.
        revocation: Who may revoke another's key, together.
    """

    claimants: tuple[PersonId, ...]
    intake: tuple[PersonId, ...]
    denial: Quorum
    hold: tuple[PersonId, ...]
    hold_lift: Quorum
    revocation: Quorum
    arbitration: Quorum | None = None
    court_order: Quorum | None = None
    joint_instruction: Quorum | None = None
