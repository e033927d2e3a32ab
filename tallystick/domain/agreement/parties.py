"""Who takes part: parties in their roles, persons with their keys, and where notices reach them."""

import hashlib
from dataclasses import dataclass
from enum import StrEnum

from tallystick.domain.ids import PartyId, PersonId, PublicKey, party_of


class Role(StrEnum):
    """The capacity in which a party signs the agreement."""

    DEPOSITOR = "depositor"
    BENEFICIARY = "beneficiary"
    ESCROW_AGENT = "escrow_agent"
    ARBITRATOR = "arbitrator"
    WITNESS = "witness"
    VERIFIER = "verifier"


class ChannelKind(StrEnum):
    """How a notice travels."""

    EMAIL = "email"
    WEBHOOK = "webhook"
    OUTBOX = "outbox"
    """A folder that the escrow agent writes and the recipient reads: for the embedded stack."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """One way to reach a party: an e-mail address, an https URL, or an outbox name."""

    kind: ChannelKind
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """A party to the agreement.

    Attributes:
        time_zone: IANA name; the recipient's local time decides when a notice is received.
        calendar: The id of the agreement's calendar with this party's business days.
        channels: Where notices to this party go; each notice goes to all of them.
    """

    id: PartyId
    role: Role
    name: str
    time_zone: str
    calendar: str
    channels: tuple[Channel, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Someone who acts for a party. The person *is* the signing key; the id only shows."""

    id: PersonId
    name: str
    signing_key: PublicKey
    age_recipient: str

    @property
    def party(self) -> PartyId:
        """The party that this person acts for."""
        return party_of(self.id)


def sealed_to(recipient: str) -> str:
    """Return the SHA-256 of an age recipient, which is too long to compare letter by letter."""
    return f"the recipient whose SHA-256 is {hashlib.sha256(recipient.encode()).hexdigest()}"
