"""What the deployment's letter key signs, and what the log key says about that key.

A letter is no notice: it proves nothing about a claim, and starts no window. It shows the person who reads it
that this deployment wrote it, to whom, and that its text is the one whose digest the signed notice has.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from tallystick.domain.agreement.parties import Channel
from tallystick.domain.ids import DeploymentId, Digest, PartyId, PublicKey
from tallystick.domain.kinds import Kind
from tallystick.domain.statements.header import Header


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterStatement(Header):
    """One letter to one party through one channel.

    Attributes:
        letter: Its id; a letter that is sent again has the same one.
        text_digest: SHA-256 of the text's UTF-8; the notice on record has the same.
        claim: The claim that it is about, if it is about one.
    """

    KIND: ClassVar[Kind] = Kind.LETTER
    letter: str
    party: PartyId
    channel: Channel
    subject: str
    text_digest: Digest
    claim: Digest | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterKeyStatement:
    """The log key's word that letters of its deployment are signed by `letter_key` from `issued_at` on."""

    KIND: ClassVar[Kind] = Kind.LETTER_KEY
    deployment: DeploymentId
    letter_key: PublicKey
    issued_at: datetime
    nonce: str
