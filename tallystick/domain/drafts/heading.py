"""Who makes a statement about which claim, and when."""

from dataclasses import dataclass
from datetime import datetime

from tallystick.domain.agreement.terms import HeaderMembers, Terms
from tallystick.domain.ids import Digest, PersonId
from tallystick.domain.statements.filing import ClaimFiling
from tallystick.domain.statements.header import LedgerSeen


class _Members(HeaderMembers):
    """The members that every act has."""

    claim: Digest
    ledger_seen: LedgerSeen | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """Who makes a statement about which claim, and when: every draft begins with it.

    Attributes:
        terms: The agreement version that the claim pins.
        claim: The digest of `filing`.
        nonce: 32 hexadecimal digits, fresh for each draft.
        ledger_seen: The newest checkpoint of the log that the person has verified, as their own machine
            remembers it; None if there is none, and for a draft that somebody else makes.
    """

    terms: Terms
    claim: Digest
    filing: ClaimFiling
    person: PersonId
    issued_at: datetime
    nonce: str
    ledger_seen: LedgerSeen | None = None

    @property
    def members(self) -> _Members:
        """The header of the statement."""
        header = self.terms.header(self.person, self.issued_at, self.nonce)
        return {**header, "claim": self.claim, "ledger_seen": self.ledger_seen}
