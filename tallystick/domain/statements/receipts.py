"""What a receiver and its party say about what was released."""

from dataclasses import dataclass
from typing import ClassVar

from tallystick.domain.codec import Prose
from tallystick.domain.ids import ComponentId, Digest, StageId
from tallystick.domain.kinds import Kind, ReceiptOutcome
from tallystick.domain.statements.header import ActBody


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedComponent:
    """One component as the receiver got it, with the digests that it computed itself."""

    component: ComponentId
    sealed_digest: Digest
    manifest_digest: Digest | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt(ActBody):
    """The receiver's word on one stage: activated, failed, or rolled back."""

    KIND: ClassVar[Kind] = Kind.RECEIPT
    stage: StageId
    outcome: ReceiptOutcome
    components: tuple[ReceivedComponent, ...]
    detail: Prose


@dataclass(frozen=True, slots=True, kw_only=True)
class Return(ActBody):
    """The beneficiary certifies that what was released is returned or destroyed."""

    KIND: ClassVar[Kind] = Kind.RETURN
    components: tuple[ComponentId, ...]
    method: str
    certificate: str
