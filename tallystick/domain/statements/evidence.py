"""The seal of an evidence file."""

from dataclasses import dataclass
from typing import ClassVar

from tallystick.domain.ids import Digest
from tallystick.domain.kinds import Kind
from tallystick.domain.statements.header import OnClaim


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceSeal(OnClaim):
    """The log key's word that this is the whole record of a claim.

    Attributes:
        content: SHA-256 of the canonical bytes of everything before this statement.
        entries: How many entries the file holds.
    """

    KIND: ClassVar[Kind] = Kind.EVIDENCE
    content: Digest
    entries: int
