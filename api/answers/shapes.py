"""What the API answers, as frozen dataclasses.

Envelopes are JSON objects in answers, for the caller to verify: nobody needs to believe
anything because the server sent it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from pydantic import JsonValue

Json: TypeAlias = Mapping[str, JsonValue]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentAnswer:
    """What everybody may know about the deployment.

    Attributes:
        letter_key: The statement by which the log key publishes the letter key.
        webhook_key: The letter key as libraries for Standard Webhooks take it (`whpk_…`); who relies on it
            compares it with what `tallystick letter check` says of a letter.
    """

    deployment: str
    log_key: str
    decision_key: str
    gate_recipient: str
    root_keys: Sequence[str]
    letter_key: Json | None
    webhook_key: str | None
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """A statement is on record: its row and leaf are durable. Sent again, it gets the same answer.

    Attributes:
        claim: The short form of the claim it is about; null if it is about an agreement.
        state: The state of the claim after the statement.
    """

    statement: str
    index: int
    accepted_at: datetime
    claim: str | None
    digest: str | None
    state: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """A version of an agreement is registered; people compare the words over the telephone."""

    agreement: str
    version: int
    digest: str
    words: Sequence[str]
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
    """A page of the agreements that name the caller, by id.

    Attributes:
        unreadable: The ids of those that are missing because their record is damaged.
        next: The `cursor` of the following page; null on the last one.
    """

    agreements: Sequence[AgreementItem]
    unreadable: Sequence[str]
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CustodyItem:
    """A component's live custody epoch: the next deposit is sealed to its `recipient`."""

    component: str
    epoch: int
    custody: str
    recipient: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreementView:
    """One registered version of an agreement.

    Attributes:
        unreadable: `custody` if its epochs are missing because their record is damaged.
    """

    agreement: str
    version: int
    digest: str
    words: Sequence[str]
    registered_at: datetime
    envelope: Json
    custody: Sequence[CustodyItem]
    unreadable: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """An agreement in plain language, one sentence per line, with its digest and its comparison words."""

    digest: str
    words: Sequence[str]
    lines: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadinessFinding:
    """Something that would keep a release from being carried out, or might."""

    code: str
    severity: str
    message: str
    advice: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Readiness:
    """Whether a release could be carried out today, and what would prevent it."""

    ready: bool
    findings: Sequence[ReadinessFinding]


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerHead:
    """An agreement's log: its size, and its newest signed checkpoint (a C2SP signed note)."""

    size: int
    checkpoint: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RawLedgerEntry:
    """A ledger entry with everything that its leaf is computed from; `salt` is hexadecimal."""

    index: int
    accepted_at: datetime
    kind: str
    statement: str
    claim: str | None
    envelope: Json
    salt: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WithheldEntry:
    """A ledger entry that the caller may not see; `leaf` is the hash of its leaf, in hexadecimal."""

    index: int
    leaf: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerPage:
    """Entries in ledger order; ask again with `after` the last one until none is left."""

    entries: Sequence[RawLedgerEntry | WithheldEntry]


@dataclass(frozen=True, slots=True, kw_only=True)
class Deposited:
    """A deposit is on record; its verdict follows."""

    deposit: str
    number: int
    index: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DepositVerdictView:
    """The engine's verdict after it has read every replica: `pending`, `verified` or `failed`.

    Attributes:
        because: What was wrong with copies; of one deposit that is pending, which copies it waits for.
    """

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
    """A page of an agreement's deposits, newest first.

    Attributes:
        unreadable: The numbers of those that are missing because their record is damaged.
        next: The `cursor` of the following page; null on the last one.
    """

    deposits: Sequence[DepositView]
    unreadable: Sequence[str]
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BlobStored:
    """The blob is whole, and durable in every store."""

    digest: str
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadGoesOn:
    """The part has arrived; the next one begins at `offset`."""

    offset: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """Whether the process is running, or ready."""

    ok: bool
