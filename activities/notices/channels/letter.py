"""What every channel is given, and what it answers."""

from dataclasses import dataclass
from datetime import datetime

from tallystick.domain.agreement.terms import Terms
from tallystick.domain.ids import Digest, PartyId


class NotTakenError(Exception):
    """Why a channel was not tried, or did not take a letter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A notice on its way through one channel; a repeated letter has the same `id`.

    Attributes:
        terms: The agreement under which it is written.
        party: To whom.
        claim: The claim that it is about, if it is about one.
    """

    id: str
    subject: str
    text: str
    terms: Terms
    party: PartyId
    issued_at: datetime
    claim: Digest | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """Whether a channel took a letter, and its answer in a few words.

    Attributes:
        own: Whether the channel is the deployment's own, so that the letter has reached nobody yet.
    """

    taken: bool
    own: bool
    detail: str
