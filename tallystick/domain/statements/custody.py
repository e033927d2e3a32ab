"""A custody epoch: to whom a component is sealed, and who holds which share of the key."""

from dataclasses import dataclass
from typing import ClassVar

from tallystick.domain.ids import ComponentId, Digest
from tallystick.domain.kinds import Kind
from tallystick.domain.statements.header import Header


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedShare:
    """One custodian's share, at a leaf of the custody tree: a blob sealed to the custodian's recipient."""

    leaf: str
    sealed_digest: Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeCommitments:
    """The published points of one node of a custody tree, as 64 hexadecimal digits each."""

    path: str
    points: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Custody(Header):
    """A component's custody epoch: the recipient to seal to, and who holds which share of its key."""

    KIND: ClassVar[Kind] = Kind.CUSTODY
    component: ComponentId
    epoch: int
    recipient: str
    commitments: tuple[NodeCommitments, ...]
    shares: tuple[SealedShare, ...]
