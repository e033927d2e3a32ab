"""What the deployment says with its own keys: notices and events, and what the gate saw and decided."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from tallystick.domain.agreement.parties import ChannelKind
from tallystick.domain.codec import Prose
from tallystick.domain.ids import Digest, PartyId, StageId
from tallystick.domain.kinds import Happening, Kind
from tallystick.domain.statements.header import Contribution, Header, OnClaim


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelResult:
    """What became of a notice on one channel.

    Attributes:
        own: Whether it is one of the deployment's own: its folder, its mail catcher, this machine. What
            such a channel takes has reached nobody yet.
    """

    kind: ChannelKind
    address: str
    taken: bool
    own: bool
    detail: Prose


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice(OnClaim):
    """The engine gave notice of a claim to a party; `taken` says which channels took it."""

    KIND: ClassVar[Kind] = Kind.NOTICE
    party: PartyId
    attempt: int
    text_digest: Digest
    channels: tuple[ChannelResult, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageNotice(Header):
    """The engine told a party that copies of files were lost or altered; `taken` says which channels took it.

    Attributes:
        attempt: The number of this letter among those of its kind to the party: 1, 2, 3 …
        findings: The events that it reports.
    """

    KIND: ClassVar[Kind] = Kind.STORAGE_NOTICE
    party: PartyId
    attempt: int
    findings: tuple[Digest, ...]
    text_digest: Digest
    channels: tuple[ChannelResult, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Event(Header):
    """The engine records that something happened, and why.

    Attributes:
        until: The deadline that an opened window now has, or the last moment of the wait that has ended.
        because: Lines that explain it: which days were counted, who agreed.
        cause: The statement that caused it, or the blob that it is about, if there is one.
    """

    KIND: ClassVar[Kind] = Kind.EVENT
    happening: Happening
    claim: Digest | None = None
    stage: StageId | None = None
    until: datetime | None = None
    cause: Digest | None = None
    because: tuple[Prose, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PremiseVerdict:
    """One premise of a release, and whether it was met when the gate checked it."""

    premise: str
    holds: bool
    found: Prose


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionStatement(OnClaim):
    """The gate's decision on one stage: every premise with its verdict, and what it contributed.

    Attributes:
        record: `Claim.record_digest` of the record that it was made on, so that nobody can leave out
            a statement that was there before the decision, or date one anew, without being noticed.
    """

    KIND: ClassVar[Kind] = Kind.DECISION
    stage: StageId
    released: bool
    decided_at: datetime
    record: Digest
    premises: tuple[PremiseVerdict, ...]
    contributions: tuple[Contribution, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting(OnClaim):
    """The gate's word on when it saw that notice of a claim is on record: `issued_at`, by its own clock.

    Attributes:
        notice: The statement by which notice was given: a notice, or the depositor's own word that it knows.
    """

    KIND: ClassVar[Kind] = Kind.SIGHTING
    notice: Digest
