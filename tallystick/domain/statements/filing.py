"""The statement with which a claim begins."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from tallystick.domain.codec import Prose
from tallystick.domain.ids import Digest, StageId
from tallystick.domain.kinds import Kind, Purpose
from tallystick.domain.statements.header import Header, LedgerSeen


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceDocument:
    """A document behind a claim: which item it is, when it was issued, and its digests plain and sealed."""

    item: str
    issued_at: datetime
    plain_digest: Digest
    sealed_digest: Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimFiling(Header):
    """A claim: asks for stages of one deposit, on one condition, with its evidence.

    Attributes:
        generation: The generation of rules that applies to the claim until its end.
        recipient: The claim's one-time age recipient, made by the beneficiary.
        declaration: What the claimant declares, in words that can be held against them.
        ledger_seen: The newest checkpoint that the claimant had verified; absent if there is none.
    """

    KIND: ClassVar[Kind] = Kind.CLAIM
    generation: int
    condition: str
    deposit: Digest
    stages: tuple[StageId, ...]
    evidence: tuple[EvidenceDocument, ...]
    recipient: str
    purpose: Purpose
    declaration: Prose
    ledger_seen: LedgerSeen | None = None
