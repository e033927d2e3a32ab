"""Orders from outside the quorum: rulings, and joint instructions of both sides."""

from dataclasses import dataclass
from typing import ClassVar

from tallystick.domain.ids import Digest
from tallystick.domain.kinds import Authority, Kind, Outcome
from tallystick.domain.statements.header import ActBody


@dataclass(frozen=True, slots=True, kw_only=True)
class RulingDocument:
    """A paper that a ruling rests on: `order`, `finality_certificate`, `award` …, by digest."""

    document: str
    plain_digest: Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling(ActBody):
    """What an arbitrator decided, or officers attest that a court finally ordered."""

    KIND: ClassVar[Kind] = Kind.RULING
    authority: Authority
    outcome: Outcome
    documents: tuple[RulingDocument, ...]
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class JointInstruction(ActBody):
    """Depositor and beneficiary instruct the escrow agent together."""

    KIND: ClassVar[Kind] = Kind.JOINT_INSTRUCTION
    outcome: Outcome
    reason: str
