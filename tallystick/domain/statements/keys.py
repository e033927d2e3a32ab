"""Statements about keys."""

from dataclasses import dataclass
from typing import ClassVar

from tallystick.domain.ids import PublicKey
from tallystick.domain.kinds import Kind
from tallystick.domain.statements.header import Header, LedgerSeen


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRevocation(Header):
    """Revokes a key; signed by the key itself, or by the quorum that the agreement names.

    Attributes:
        ledger_seen: The newest checkpoint that the author had verified; absent if there is none.
    """

    KIND: ClassVar[Kind] = Kind.KEY_REVOCATION
    key: PublicKey
    reason: str
    ledger_seen: LedgerSeen | None = None
