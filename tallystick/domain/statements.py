"""What may be said, kind by kind: the bodies of statements, and a signed one as the rules see it.

Persons sign acts; the log key signs notices and events; the gate signs decisions.
Signatures are verified before a `Signed` exists (tallystick/crypto/reading.py);
the rules here and elsewhere in the domain start from that fact.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import ClassVar, Final, TypeAlias

from tallystick.domain.codec import MalformedDocumentError, decode, encode_object
from tallystick.domain.engine_statements import (
    ChannelResult,
    Custody,
    DecisionStatement,
    Event,
    NodeCommitments,
    Notice,
    PremiseVerdict,
    SealedShare,
    StorageNotice,
)
from tallystick.domain.headers import Contribution, Header, LedgerSeen, OnClaim
from tallystick.domain.ids import ComponentId, Digest, PublicKey, StageId, nonce
from tallystick.domain.json import JsonObject
from tallystick.domain.kinds import (
    Authority,
    Kind,
    Outcome,
    Purpose,
    ReceiptOutcome,
    WithdrawalReason,
)

__all__ = [
    "BODIES",
    "BY_ENGINE",
    "BY_GATE",
    "BY_LOG_KEY",
    "Approval",
    "Body",
    "ChannelResult",
    "ClaimFiling",
    "Contribution",
    "Custody",
    "DecisionStatement",
    "Denial",
    "Deposit",
    "DepositedComponent",
    "Entry",
    "Event",
    "EvidenceDocument",
    "Header",
    "Hold",
    "HoldLift",
    "Intake",
    "JointInstruction",
    "KeyRevocation",
    "LedgerSeen",
    "NodeCommitments",
    "Notice",
    "NoticeAcknowledgement",
    "Objection",
    "OnClaim",
    "PremiseVerdict",
    "Receipt",
    "ReceivedComponent",
    "Retraction",
    "Return",
    "Ruling",
    "RulingDocument",
    "SealedShare",
    "Signed",
    "StorageNotice",
    "Withdrawal",
    "read_body",
    "write_body",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRevocation(Header):
    """A key stops counting: said by the key itself, or by the quorum the agreement names."""

    KIND: ClassVar[Kind] = Kind.KEY_REVOCATION
    key: PublicKey
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DepositedComponent:
    """One component of a deposit.

    Attributes:
        custody: The custody statement to whose recipient the component is sealed.
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
        watermark: The moment that the content is consistent with, apart from when it was received.
    """

    KIND: ClassVar[Kind] = Kind.DEPOSIT
    number: int
    watermark: datetime
    components: tuple[DepositedComponent, ...]
    previous: Digest | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceDocument:
    """A document behind a claim: which item it is, when it was issued, and its digests plain and sealed."""

    item: str
    issued_at: datetime
    plain_digest: Digest
    sealed_digest: Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimFiling(Header):
    """A claim: asks for stages of one deposit, on one condition, with its evidence.

    Attributes:
        recipient: The claim's one-time age recipient, made by the beneficiary.
        declaration: What the claimant declares, in words that can be held against them.
    """

    KIND: ClassVar[Kind] = Kind.CLAIM
    condition: str
    deposit: Digest
    stages: tuple[StageId, ...]
    evidence: tuple[EvidenceDocument, ...]
    recipient: str
    purpose: Purpose
    declaration: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake(OnClaim):
    """The escrow agent's check of a claim's form: accepted, or not and why."""

    KIND: ClassVar[Kind] = Kind.INTAKE
    accepted: bool
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeAcknowledgement(OnClaim):
    """A person of the notified party says that the notice arrived."""

    KIND: ClassVar[Kind] = Kind.NOTICE_ACKNOWLEDGEMENT


@dataclass(frozen=True, slots=True, kw_only=True)
class Objection(OnClaim):
    """A contrary instruction: the condition did not come true, or was cured.

    Attributes:
        stages: Which stages it is against; absent means the whole claim.
    """

    KIND: ClassVar[Kind] = Kind.OBJECTION
    ground: str
    explanation: str
    stages: tuple[StageId, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Retraction(OnClaim):
    """Takes back one's own approval, denial or objection."""

    KIND: ClassVar[Kind] = Kind.RETRACTION
    of: Digest
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RulingDocument:
    """A paper that a ruling rests on: `order`, `finality_certificate`, `award` …, by digest."""

    document: str
    plain_digest: Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling(OnClaim):
    """What an arbitrator decided, or officers attest that a court finally ordered."""

    KIND: ClassVar[Kind] = Kind.RULING
    authority: Authority
    outcome: Outcome
    documents: tuple[RulingDocument, ...]
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class JointInstruction(OnClaim):
    """Depositor and beneficiary instruct the escrow agent together."""

    KIND: ClassVar[Kind] = Kind.JOINT_INSTRUCTION
    outcome: Outcome
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval(OnClaim):
    """One person's yes to stages of one claim; it counts for nothing else."""

    KIND: ClassVar[Kind] = Kind.APPROVAL
    stages: tuple[StageId, ...]
    purpose: Purpose
    expires_at: datetime
    reason: str
    contributions: tuple[Contribution, ...] = ()
    ledger_seen: LedgerSeen | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Denial(OnClaim):
    """One person's no to a claim."""

    KIND: ClassVar[Kind] = Kind.DENIAL
    reason: str
    ledger_seen: LedgerSeen | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawal(OnClaim):
    """The claimant gives up the claim."""

    KIND: ClassVar[Kind] = Kind.WITHDRAWAL
    reason: WithdrawalReason
    explanation: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold(OnClaim):
    """Freezes a claim, or some of its stages: while it stands, nothing is decided in its scope."""

    KIND: ClassVar[Kind] = Kind.HOLD
    reason: str
    stages: tuple[StageId, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldLift(OnClaim):
    """Lifts one hold."""

    KIND: ClassVar[Kind] = Kind.HOLD_LIFT
    hold: Digest
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedComponent:
    """What the receiver had in hand: the digests it computed itself."""

    component: ComponentId
    sealed_digest: Digest
    manifest_digest: Digest | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt(OnClaim):
    """The receiver's word on one stage: activated, failed, or rolled back."""

    KIND: ClassVar[Kind] = Kind.RECEIPT
    stage: StageId
    outcome: ReceiptOutcome
    components: tuple[ReceivedComponent, ...]
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Return(OnClaim):
    """The beneficiary certifies that what was released is returned or destroyed."""

    KIND: ClassVar[Kind] = Kind.RETURN
    components: tuple[ComponentId, ...]
    method: str
    certificate: str


Body: TypeAlias = Header

BODIES: Final[Mapping[Kind, type[Body]]] = MappingProxyType(
    {
        body.KIND: body
        for body in (
            KeyRevocation,
            Custody,
            Deposit,
            ClaimFiling,
            Intake,
            Notice,
            NoticeAcknowledgement,
            Objection,
            Retraction,
            Ruling,
            JointInstruction,
            Approval,
            Denial,
            Withdrawal,
            Hold,
            HoldLift,
            Receipt,
            Return,
            StorageNotice,
            Event,
            DecisionStatement,
        )
    }
)
"""The bodies that stand under an agreement; `agreement` itself and `enrolment` have their own readers."""

BY_LOG_KEY: Final = frozenset({Kind.NOTICE, Kind.STORAGE_NOTICE, Kind.EVENT, Kind.EVIDENCE})
BY_GATE: Final = frozenset({Kind.DECISION})
BY_ENGINE: Final = BY_LOG_KEY | BY_GATE


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """A statement whose signatures were verified.

    Attributes:
        id: SHA-256 over type and body: what others refer to.
        signers: The agreement's keys that signed it; never empty.
        size_bytes: How long the body is, as it was signed.
    """

    kind: Kind
    id: Digest
    signers: frozenset[PublicKey]
    body: Body
    size_bytes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A statement as the ledger holds it: at which place, and when it was accepted."""

    index: int
    accepted_at: datetime
    signed: Signed


def read_body(kind: Kind, body: JsonObject) -> Body:
    """Return the body of a statement of `kind`.

    Raises:
        MalformedDocumentError: Not the members of that kind, or no kind that stands under an agreement.
        MalformedNameError: Its nonce is none.
    """
    if kind not in BODIES:
        raise MalformedDocumentError("this kind does not stand under an agreement", kind=kind.value)
    found = decode(BODIES[kind], body)
    nonce(found.nonce)
    return found


def write_body(body: Body) -> JsonObject:
    """Return the JSON object of a body."""
    return encode_object(body)
