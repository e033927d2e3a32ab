"""The statement with which a claim begins."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from tallystick.domain.agreement.parties import sealed_to
from tallystick.domain.codec import Prose
from tallystick.domain.ids import Digest, PartyId, PersonId, StageId, party_of
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
class Receiver:
    """Someone to whom a claim's stages are sealed: a person of the beneficiary, and their own recipient.

    Attributes:
        recipient: `age1pq1…`, as the agreement that the claim pins lists it for this person.
    """

    person: PersonId
    recipient: str

    @property
    def words(self) -> str:
        """Who it is, and to what is sealed, for people."""
        return f"{self.person}, {sealed_to(self.recipient)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimFiling(Header):
    """A claim: asks for stages of one deposit, on one condition, with its evidence.

    Attributes:
        generation: The generation of rules that applies to the claim until its end.
        for_: The beneficiary for whom a person of the escrow agent files; absent if the author claims for
            their own party. That beneficiary declares and names the receivers when it confirms the claim.
        receivers: To whom everything that is released is sealed; any of them can open it.
        declaration: What the claimant declares, in words that can be held against them.
        ledger_seen: The newest checkpoint that the claimant had verified; absent if there is none.
    """

    KIND: ClassVar[Kind] = Kind.CLAIM
    generation: int
    condition: str
    deposit: Digest
    stages: tuple[StageId, ...]
    evidence: tuple[EvidenceDocument, ...]
    purpose: Purpose
    for_: PartyId | None = None
    receivers: tuple[Receiver, ...] = ()
    declaration: Prose | None = None
    ledger_seen: LedgerSeen | None = None

    @property
    def claimant_party(self) -> PartyId:
        """The party that asks for the release."""
        return self.for_ or party_of(self.person)
