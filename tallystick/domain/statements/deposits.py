"""What a depositor says about a deposit."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Final

from tallystick.domain.ids import ComponentId, Digest
from tallystick.domain.kinds import Kind
from tallystick.domain.statements.header import Header, LedgerSeen

TREE: Final = 2
"""The newest form of a bag's tree file; a receiver fetches only what is in a form that it knows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DepositedComponent:
    """One component of a deposit.

    Attributes:
        custody: The custody statement; the component is sealed to its recipient.
        sealed_digest: SHA-256 of the sealed file.
        manifest_digest: SHA-256 of the bag's payload manifest; file names stay inside the seal.
    """

    component: ComponentId
    custody: Digest
    sealed_digest: Digest
    sealed_bytes: int
    manifest_digest: Digest
    files: int
    payload_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Deposit(Header):
    """What a depositor deposits.

    Attributes:
        number: 1, 2, 3 …, without a gap.
        previous: The deposit before this one; absent for the first.
        watermark: The content is as of this moment, whenever it was received.
        tree: The form of the file in which each bag says its true names, links, modes and times (`TREE`);
            absent if the bags have none, and are no more than BagIt says.
        ledger_seen: The newest checkpoint that the depositor had verified; absent if there is none.
    """

    KIND: ClassVar[Kind] = Kind.DEPOSIT
    number: int
    watermark: datetime
    components: tuple[DepositedComponent, ...]
    previous: Digest | None = None
    tree: int | None = None
    ledger_seen: LedgerSeen | None = None
