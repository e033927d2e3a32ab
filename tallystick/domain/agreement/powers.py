"""Who may do what under an agreement."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from tallystick.domain.ids import PersonId
from tallystick.domain.quorum import Quorum


class AfterWindow(StrEnum):
    """What an objection after the recorded end of the window is."""

    LATE = "late"
    """Recorded as late: it stops nothing."""


CURED: Final = "cured"
"""The ground of a depositor who has cured the default; before the decision it is never late."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectionRule:
    """Who may give a contrary instruction, and on which grounds; `cured` is the ground for a cure.

    Attributes:
        after_window: What an objection after the window is; absent, it stops until the decision as any other.
    """

    objectors: tuple[PersonId, ...]
    grounds: tuple[str, ...]
    after_window: AfterWindow | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorities:
    """Who may do what, apart from approving.

    Attributes:
        claimants: Who may file a claim, confirm one that was filed for their party, withdraw it, and sign
            receipts and returns.
        filing: The persons of the escrow agent who may file a claim for a beneficiary; absent: nobody.
        receivers: To whom of a beneficiary a claim may be sealed; if it names nobody of a party, anybody of
            that party may be named.
        intake: Who may accept or refuse a claim for its form.
        denial: The quorum whose denials end a claim.
        arbitration: Who may rule on a dispute; absent if the agreement has no arbitrator.
        court_order: The officers who may attest a final court order together.
        joint_instruction: Who may sign a joint instruction together.
        hold: Who may place a hold.
        hold_lift: Who may lift a hold together.
        revocation: Who may revoke another person's key together.
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
    receivers: tuple[PersonId, ...] = ()
    filing: tuple[PersonId, ...] = ()
