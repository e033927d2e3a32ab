"""What the API answers about claims: their shapes, as frozen dataclasses."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from api.answers.shapes import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class StageView:
    """One stage of a claim: its state, since when, and the decision on it."""

    stage: str
    state: str
    since: datetime | None
    decision: str | None
    components: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowView:
    """The objection window: an objection is in time until `until`."""

    opened_at: datetime
    until: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingView:
    """One thing that a claim waits for, on whom, and until when."""

    what: str
    on: Sequence[str]
    until: datetime | None
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimView:
    """A claim as its record leaves it, and what it waits for."""

    claim: str
    digest: str
    agreement: str
    agreement_digest: str
    state: str
    frozen: bool
    since: datetime
    filed_at: datetime
    filed_by: str
    claimant: str
    confirmed_by: str | None
    condition: str
    deposit: str
    purpose: str
    receivers: Sequence[str]
    stages: Sequence[StageView]
    window: WindowView | None
    return_due: bool
    waiting: Sequence[WaitingView]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimList:
    """A page of the claims that the caller may see, by agreement and then in the order of their filing.

    Attributes:
        unreadable: What is missing because its record is damaged: claims, or all claims of an agreement.
        next: The `cursor` of the following page; absent from the last one.
    """

    claims: Sequence[ClaimView]
    unreadable: Sequence[str]
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineEntry:
    """One entry of a claim's record: when it was accepted, its kind, who signed it, and what it says."""

    index: int
    accepted_at: datetime
    kind: str
    event: str
    statement: str
    person: str
    says: Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """A page of a claim's record, in the order in which it counts.

    Attributes:
        next: The `cursor` of the following page; null on the last one.
    """

    entries: Sequence[TimelineEntry]
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class VoteView:
    """One statement in a count, and why it counts or not."""

    statement: str
    person: str
    counts: bool
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StageTally:
    """The approvals of a stage as they count now, and whether its quorum is reached or can be.

    Attributes:
        needs: Who must approve, in words.
        denied: Whether enough persons deny the stage: then it is not released.
    """

    stage: str
    needs: str
    reached: bool
    reachable: bool
    denied: bool
    outstanding: Sequence[str]
    votes: Sequence[VoteView]


@dataclass(frozen=True, slots=True, kw_only=True)
class DenialTally:
    """The denials of the whole claim as they count now, and whether their quorum is reached or can be.

    Attributes:
        needs: Who must deny a claim to end it, in words.
    """

    needs: str
    reached: bool
    reachable: bool
    outstanding: Sequence[str]
    votes: Sequence[VoteView]


@dataclass(frozen=True, slots=True, kw_only=True)
class TallyView:
    """Every count of a claim."""

    stages: Sequence[StageTally]
    denials: DenialTally


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadlineView:
    """A deadline, and the days that were counted for it."""

    what: str
    at: datetime
    explanation: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadlineList:
    """A claim's deadlines, earliest first, and why others cannot be computed: a calendar ends before them."""

    deadlines: Sequence[DeadlineView]
    beyond_calendars: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class PremiseView:
    """One premise of a release, whether it is met, and what was found."""

    premise: str
    holds: bool
    found: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Why the next stage is not released yet: the premises that the record decides.

    Attributes:
        stage: The stage that is explained; null once every stage is decided.
    """

    stage: str | None
    premises: Sequence[PremiseView]
    waiting: Sequence[WaitingView]
    lines: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedView:
    """An entry of a claim's record as it was signed, when it was accepted, and its place in the ledger."""

    index: int
    accepted_at: datetime
    envelope: Json


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordPage:
    """A claim's record as it was signed, with the agreement's revocations and later versions.

    A reader who folds it has the claim, and need not believe what else the server says about it.

    Attributes:
        entries: From the entry asked for on; the filing is entry 0.
        next: The entry with which the next page begins; null on the last page.
    """

    claim: str
    digest: str
    entries: Sequence[RecordedView]
    next: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveredCustody:
    """The custody epoch to which a component of the pinned deposit is sealed, as the gate signed it."""

    component: str
    custody: str
    envelope: Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What a receiver needs besides the claim's record: signed statements, and no order.

    Attributes:
        contributed: The decided stages whose shares are in the stores.
    """

    claim: str
    digest: str
    contributed: Sequence[str]
    agreement_envelope: Json
    deposit_envelope: Json
    custody: Sequence[DeliveredCustody]


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftView:
    """A statement to check and then to sign; the signature is over the canonical form of `body`."""

    kind: str
    body: Json
    words: Sequence[str]
    shows: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxItem:
    """Something that waits for the caller."""

    claim: str
    what: str
    until: datetime | None
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Inbox:
    """What waits for the caller in a page of the claims, the most urgent first.

    Attributes:
        unreadable: What is missing because its record is damaged: claims, or all claims of an agreement.
        next: The `cursor` of the following page; absent from the last one.
    """

    items: Sequence[InboxItem]
    unreadable: Sequence[str]
    next: str | None
