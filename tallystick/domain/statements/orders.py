"""Orders from outside the quorum: rulings, and joint instructions of both sides."""

from dataclasses import dataclass
from typing import ClassVar

from tallystick.domain.ids import Digest
from tallystick.domain.kinds import Authority, Kind, Outcome
from tallystick.domain.statements.header import ActBody, DocumentedActBody


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling(DocumentedActBody):
    """What an arbitrator decided, or officers attest that a court finally ordered.

    Its documents are the papers that make it final: `award`, or `order` and `finality_certificate`.

    Attributes:
        rests_on: The plain digests of documents of the claim on which it rests.
    """

    KIND: ClassVar[Kind] = Kind.RULING
    authority: Authority
    outcome: Outcome
    reason: str
    rests_on: tuple[Digest, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class JointInstruction(ActBody):
    """Depositor and beneficiary instruct the escrow agent together."""

    KIND: ClassVar[Kind] = Kind.JOINT_INSTRUCTION
    outcome: Outcome
    reason: str
