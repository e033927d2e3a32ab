"""Who makes a statement about which claim, and when."""

from dataclasses import dataclass
from datetime import datetime

from tallystick.domain.agreement.terms import HeaderMembers, Terms
from tallystick.domain.ids import Digest, PersonId
from tallystick.domain.statements.filing import ClaimFiling


class _Members(HeaderMembers):
    """The members that every statement about a claim has."""

    claim: Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """Who makes a statement about which claim, and when: every draft begins with it.

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
