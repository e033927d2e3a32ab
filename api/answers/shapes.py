"""What the API answers: their shapes, as frozen dataclasses.

Envelopes stand in answers as JSON objects, for the caller to verify: nothing here
is to be believed for being sent by the server.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from pydantic import JsonValue

Json: TypeAlias = Mapping[str, JsonValue]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentAnswer:
    """What everybody may know of the deployment."""

    deployment: str
    log_key: str
    decision_key: str
    gate_recipient: str
    root_keys: Sequence[str]
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """A statement is on record: row and leaf are durable. Sent again, it gets the same answer.

    Attributes:
        claim: The short form of the claim it is about; absent for what is about an agreement.
        state: The claim's state to which the statement led.
    """

    statement: str
    index: int
    accepted_at: datetime
    claim: str | None
    digest: str | None
    state: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """A version of an agreement is registered."""

    agreement: str
    version: int
    digest: str
    index: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreementItem:
    """An agreement in a list: its latest version."""

    agreement: str
    version: int
    digest: str
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreementList:
    """The agreements that name the caller."""

    agreements: Sequence[AgreementItem]


@dataclass(frozen=True, slots=True, kw_only=True)
class CustodyItem:
    """A component's live custody epoch: what to seal the next deposit to."""

    component: str
    epoch: int
    custody: str
    recipient: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreementView:
    """One registered version of an agreement."""

    agreement: str
    version: int
    digest: str
    registered_at: datetime
    envelope: Json
    custody: Sequence[CustodyItem]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """Plain language, a sentence a line."""

    lines: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadinessFinding:
    """Something that would stand in the way of a release."""

    code: str
    severity: str
    message: str
    advice: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Readiness:
    """Whether a release could be carried out today, and what stands in its way."""

    ready: bool
    findings: Sequence[ReadinessFinding]


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerHead:
    """An agreement's log: how long it is, and its newest signed checkpoint (C2SP signed note)."""

    size: int
    checkpoint: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RawLedgerEntry:
    """A ledger entry with all that its leaf is made of; `salt` is hexadecimal."""

    index: int
    accepted_at: datetime
    kind: str
    statement: str
    claim: str | None
    envelope: Json
    salt: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerPage:
    """Entries in ledger order; ask again after the last one until there is none."""

    entries: Sequence[RawLedgerEntry]


@dataclass(frozen=True, slots=True, kw_only=True)
class Deposited:
    """A deposit is on record; its verdict follows."""

    deposit: str
    number: int
    index: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DepositVerdictView:
    """What the engine found when it read every replica: `pending`, `verified` or `failed`."""

    state: str
    at: datetime | None
    because: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class DepositView:
    """A deposit and its verdict."""

    number: int
    deposit: str
    accepted_at: datetime
    envelope: Json
    verdict: DepositVerdictView


@dataclass(frozen=True, slots=True, kw_only=True)
class DepositList:
    """An agreement's deposits, newest first."""

    deposits: Sequence[DepositView]


@dataclass(frozen=True, slots=True, kw_only=True)
class BlobStored:
    """The blob is whole, and durable in every store."""

    digest: str
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadGoesOn:
    """So much has arrived; more is expected."""

    offset: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """Whether the process runs, or is ready."""

    ok: bool
