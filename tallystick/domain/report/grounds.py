"""What a report rests on: facts that a verification established, and nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.claim.claim import Claim
from tallystick.domain.ids import Digest
from tallystick.domain.statements.deposits import Deposit


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """One check of the verification, which held; `found` is what the verifier says it found."""

    premise: str
    found: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """The log that every entry stands in, as the log key signed it: its name, entries and root hash."""

    origin: str
    size: int
    root: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Grounds:
    """A verified claim, and how it was verified.

    Attributes:
        agreement: The version that the claim pins.
        before: The claim as it stood before each decision that released a stage, by that decision.
        deposit: What the claim pins.
        checks: Every check, in order; all of them held.
        anchored: Whether the reader said which agreement they know to be theirs.
        file_digest: Of the evidence file.
        made_at: When the escrow service signed the file.
    """

    agreement: Agreement
    claim: Claim
    before: Mapping[Digest, Claim]
    deposit: Deposit
    checks: tuple[Checked, ...]
    log: Log
    anchored: bool
    file_digest: Digest
    file_size_bytes: int
    made_at: datetime

    @property
    def as_of(self) -> datetime:
        """The moment up to which the record reaches: that of its last entry."""
        return self.claim.entries[-1].accepted_at
