"""What crosses a process border through Temporal: ids, digests and public signed statements.

Everything here is stored in Temporal's history in plain text, so no share, key, evidence
body or other secret may ever be a field. The messages of running claims are replayed:
fields are only added, at the end, with a default; none is renamed or removed.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from tallystick.domain.claim.state import ClaimState
from tallystick.domain.ids import AgreementId, ComponentId, Digest, StageId, digits_of
from tallystick.domain.kinds import Happening

CLAIMS_QUEUE: Final = "tallystick-claims"
"""Workflows, the updates that people wait for, and the activities on the ledger, when they are queued."""
WORK_QUEUE: Final = "tallystick-work"
"""Activities of the worker that wait for others: notices, evidence."""
BLOBS_QUEUE: Final = "tallystick-blobs"
"""Activities of the worker that read whole deposits, perhaps for hours: nothing else waits behind them."""
GATE_QUEUE: Final = "tallystick-gate"
WITNESS_QUEUE: Final = "tallystick-witness"
"""What the gate does in an instant: no window grows while it reads another agreement's terabytes."""
"""Activities of the gate: decisions and custody."""


def claim_workflow_id(claim: Digest) -> str:
    """Return the workflow id of the claim with this digest; it is used only once."""
    return f"claim-{digits_of(claim)}"


def act_update_id(statement: Digest, known: int) -> str:
    """Return under which id an act is sent to its claim's workflow.

    Temporal answers an id that it knows with what it answered before. So a statement that is sent again is
    one update, and one that was refused is decided anew as soon as the record has grown.

    Args:
        known: The index in the ledger of the claim's latest entry, as its sender has read it.
    """
    return f"{statement}@{known}"


def deposit_workflow_id(deposit: Digest) -> str:
    """Return the id of the workflow that verifies the deposit with this digest."""
    return f"deposit-{digits_of(deposit)}"


def custody_workflow_id(agreement: AgreementId, component: ComponentId, epoch: int) -> str:
    """Return the id of the workflow that has one custody epoch dealt."""
    return f"custody-{agreement}/{component}/{epoch}"  # no name has a slash, but any may have a hyphen


@dataclass(frozen=True, slots=True, kw_only=True)
class RawEntry:
    """A ledger entry as it travels: the envelope is JSON text, exactly as it is stored."""

    index: int
    accepted_at: datetime
    envelope: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimStart:
    """Starts, or resumes, the workflow of one claim."""

    claim: Digest
    agreement: AgreementId
    envelope: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseRecord:
    """The agreement's envelope and the beginning of a claim's record, for a workflow to fold."""

    agreement_envelope: str
    entries: tuple[RawEntry, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """A statement about a claim, sent to its workflow as an update (`act_update_id`)."""

    envelope: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledged:
    """The statement is on record: row and leaf are durable."""

    statement: Digest
    index: int
    accepted_at: datetime
    state: ClaimState


@dataclass(frozen=True, slots=True, kw_only=True)
class FileClaim:
    """Asks to put a claim on record, at `at`."""

    start: ClaimStart
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordAct:
    """Asks to append a statement, if nothing about the claim was recorded after `after`."""

    claim: Digest
    agreement: AgreementId
    envelope: str
    at: datetime
    after: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordHappening:
    """Asks to sign and append what has fallen due; the same request makes the same statement."""

    claim: Digest
    agreement: AgreementId
    happening: Happening
    at: datetime
    after: int
    stage: StageId | None = None
    until: datetime | None = None
    cause: Digest | None = None
    because: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEntries:
    """What was recorded after the last index that the asker knew.

    Attributes:
        recorded: Whether the asker's own statement is on record; if not, something else came first.
    """

    recorded: bool
    entries: tuple[RawEntry, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadSince:
    """Asks what was recorded about a claim after `after`."""

    claim: Digest
    agreement: AgreementId
    after: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveNotice:
    """Asks to notify the depositor of a claim; `attempt` makes a repeated run harmless."""

    claim: Digest
    agreement: AgreementId
    attempt: int
    at: datetime
    after: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DecideStage:
    """Asks the gate to decide on a stage, and to contribute if it releases it."""

    claim: Digest
    stage: StageId


@dataclass(frozen=True, slots=True, kw_only=True)
class SightNotice:
    """Asks the gate, at `at`, to sign when it saw the notice of a claim; the first sighting counts."""

    claim: Digest
    at: datetime


class GateOutcome(StrEnum):
    """How the gate answered a question about a stage."""

    RELEASED = "released"
    REFUSED = "refused"
    MOVED_ON = "moved-on"
    """Neither: the claim has moved on, and the question no longer arises."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GateAnswer:
    """What the gate did.

    Attributes:
        decision: The digest of the decision on record, if there is one.
        repaired: A line for each bad copy of a sealed file that the gate replaced.
    """

    outcome: GateOutcome
    decision: Digest | None = None
    repaired: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyDeposit:
    """Asks to compare every copy of a deposit's sealed files with what the depositor signed."""

    agreement: AgreementId
    deposit: Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class DepositVerdict:
    """Whether a deposit's sealed files are all there, in every store, byte for byte."""

    verified: bool
    because: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DealCustody:
    """Asks the gate to deal a custody epoch; if it is repeated, the first dealing counts."""

    agreement: AgreementId
    component: ComponentId
    epoch: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimLook:
    """A nudge: something that concerns the claim was recorded by someone else, so look at the ledger."""

    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordVerdict:
    """Asks to sign and append the verdict on a deposit; the first verdict counts."""

    agreement: AgreementId
    deposit: Digest
    verdict: DepositVerdict
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceRequest:
    """Asks for the evidence file of a claim, signed with the log key, as a blob in every store."""

    claim: Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEvidence:
    """The blob that the evidence file is stored as, and its size."""

    digest: Digest
    size_bytes: int
