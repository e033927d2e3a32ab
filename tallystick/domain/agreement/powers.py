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
