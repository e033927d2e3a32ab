"""What persons say about a claim."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import ClassVar

from tallystick.domain.codec import Prose
from tallystick.domain.ids import Digest, StageId
from tallystick.domain.kinds import Kind, Purpose, ServiceMethod, WithdrawalReason
from tallystick.domain.statements.filing import Receiver
from tallystick.domain.statements.header import ActBody, Contribution, DocumentedActBody


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake(ActBody):
    """The escrow agent's check of a claim's form: accepted, or not and why."""

    KIND: ClassVar[Kind] = Kind.INTAKE
    accepted: bool
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmation(ActBody):
    """A beneficiary confirms the claim that the escrow agent filed for it: from then on it is its own."""

    KIND: ClassVar[Kind] = Kind.CONFIRMATION
    declaration: Prose
    receivers: tuple[Receiver, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeAcknowledgement(ActBody):
    """A person of the notified party says that the notice arrived."""

    KIND: ClassVar[Kind] = Kind.NOTICE_ACKNOWLEDGEMENT


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofOfService(DocumentedActBody):
    """Two persons of the escrow agent state that notice of the claim was served on the depositor.

    Attributes:
        served_on: The day of service, at the depositor's.
        documents: The paper that proves it, such as a courier's receipt; at least one.
    """

    KIND: ClassVar[Kind] = Kind.PROOF_OF_SERVICE
    method: ServiceMethod
    served_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Objection(DocumentedActBody):
    """A contrary instruction: the condition is not met, or the default was cured.

    Attributes:
        stages: The stages it is against; absent means the whole claim.
    """

    KIND: ClassVar[Kind] = Kind.OBJECTION
    ground: str
    explanation: Prose
    stages: tuple[StageId, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Retraction(ActBody):
    """Takes back one's own approval, denial or objection."""

    KIND: ClassVar[Kind] = Kind.RETRACTION
    of: Digest
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval(ActBody):
    """One person's yes to stages of one claim; it counts for nothing else.

    Attributes:
        confirmation: Of a claim that was filed for its beneficiary: the confirmation that makes it its own.
        receivers_named: The statement that had named the receivers anew, if one had: its author says yes to
            what they were shown, and to nobody else.
    """

    KIND: ClassVar[Kind] = Kind.APPROVAL
    stages: tuple[StageId, ...]
    purpose: Purpose
    expires_at: datetime
    reason: str
    contributions: tuple[Contribution, ...] = ()
    confirmation: Digest | None = None
    receivers_named: Digest | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Denial(ActBody):
    """One person's no to a claim.

    Attributes:
        stages: The stages it is against; absent means the whole claim.
        confirmation: As in `Approval`.
    """

    KIND: ClassVar[Kind] = Kind.DENIAL
    reason: str
    stages: tuple[StageId, ...] | None = None
    confirmation: Digest | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawal(ActBody):
    """The claimant gives up the claim."""

    KIND: ClassVar[Kind] = Kind.WITHDRAWAL
    reason: WithdrawalReason
    explanation: Prose


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiversNamed(ActBody):
    """The beneficiary names all receivers anew: what is not decided yet is sealed to them alone."""

    KIND: ClassVar[Kind] = Kind.RECEIVERS
    receivers: tuple[Receiver, ...]
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold(DocumentedActBody):
    """Freezes a claim, or some of its stages: until it is lifted, nothing is decided in its scope."""

    KIND: ClassVar[Kind] = Kind.HOLD
    reason: str
    stages: tuple[StageId, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldLift(ActBody):
    """Lifts one hold."""

    KIND: ClassVar[Kind] = Kind.HOLD_LIFT
    hold: Digest
    reason: str
