"""Who speaks about which claim, and where the claim stands."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from tallystick.domain.agreement.terms import HeaderMembers, Terms
from tallystick.domain.ids import Digest, PersonId, StageId
from tallystick.domain.statements.filing import ClaimFiling


class _Members(HeaderMembers):
    """The members that every statement about a claim has."""

    claim: Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """Who speaks about which claim, and when: what every draft begins with.

    Attributes:
        terms: The agreement version that the claim pins.
        claim: The digest of `filing`.
        nonce: 32 hexadecimal digits, fresh for each draft.
    """

    terms: Terms
    claim: Digest
    filing: ClaimFiling
    person: PersonId
    issued_at: datetime
    nonce: str

    @property
    def members(self) -> _Members:
        """The header of the statement."""
        return {**self.terms.header(self.person, self.issued_at, self.nonce), "claim": self.claim}


class Standing(Protocol):
    """Where a claim stands, as far as a draft needs to know: the folded claim, or what a server tells."""

    @property
    def undecided_stages(self) -> tuple[StageId, ...]:
        """The stages of which nothing has left yet."""
        ...

    @property
    def decided_stages(self) -> tuple[StageId, ...]:
        """The stages that the gate has decided to release."""
        ...

    @property
    def standing_holds(self) -> tuple[Digest, ...]:
        """The holds that were not lifted."""
        ...
