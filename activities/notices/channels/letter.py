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
        id: Has no full stop: a webhook signs `id.timestamp.body`, which has only one reading then.
    """

    id: str
    subject: str
    text: str
    terms: Terms
    party: PartyId
    issued_at: datetime
    claim: Digest | None = None

    def __post_init__(self) -> None:
        """See that nobody reads a part of the id as the timestamp, or of the timestamp as the id."""
        assert "." not in self.id, "a letter's id has no full stop"


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """Whether a channel took a letter, and its answer in a few words.

    Attributes:
        own: Whether the channel is the deployment's own, so that the letter has reached nobody yet.
    """

    taken: bool
    own: bool
    detail: str
