"""How long things take: calendars, windows, when notice counts as received, and what ends a wait."""

from dataclasses import dataclass
from datetime import date, time
from enum import StrEnum

from tallystick.domain.periods import Period
from tallystick.domain.quorum import Quorum


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """Which days are business days; pinned, so that no library upgrade moves a deadline.

    Attributes:
        weekend: Weekdays that are not business days, as `mon` … `sun`.
        holidays: Dates that are not business days.
        covers_until: The last date for which the holidays are known.
    """

    id: str
    weekend: tuple[str, ...]
    holidays: tuple[date, ...]
    covers_until: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Windows:
    """How long each part of a claim may take.

    Attributes:
        confirmation: For a beneficiary to confirm what the escrow agent filed for it; then the claim lapses.
            Absent: it may be confirmed for ever.
        intake: For the escrow agent to check the form of a claim.
        objection: For the depositor to object, from proof of notice.
        approval: For the quorum, from the moment a stage opens; then the claim lapses.
        approval_lifetime: How long an approval may count, at most.
        provisioning: For the receiver to report a stage; then it is rolled back.
        returning: For the beneficiary to return or destroy what must be returned.
    """

    intake: Period
    objection: Period
    approval: Period
    approval_lifetime: Period
    provisioning: Period
    returning: Period
    confirmation: Period | None = None


class OwnChannels(StrEnum):
    """What it means that the deployment itself took a notice: its folder, its mail catcher, this machine."""

    PROVE = "prove"


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeRule:
    """When a notice counts as received.

    Attributes:
        cutoff: The recipient's local hour after which a notice counts for the next business day.
        resumes: The recipient's local hour at which a notice after the cut-off is received.
        deemed_after: How long after sending a notice is deemed received, if enough channels accepted it;
            absent means that only an acknowledgement, or a proof of service, is proof.
        channels_required: How many channels must have accepted it.
        own_channels: Whether channels of the deployment's own count among these; absent, they do not.
    """

    cutoff: time
    resumes: time
    deemed_after: Period | None = None
    channels_required: int = 1
    own_channels: OwnChannels | None = None


class IntakeEnd(StrEnum):
    """What follows if the escrow agent has not checked a claim's form in time."""

    LAPSE = "lapse"
    GO_ON = "go_on"
    """The claim is taken in unchecked."""


class DisputeEnd(StrEnum):
    """What follows if a dispute is not settled in time: a release over an open objection is not offered."""

    LAPSE = "lapse"


class HoldEnd(StrEnum):
    """What follows if a hold is not lifted in time."""

    GO_ON = "go_on"
    """The hold ends by itself."""
    LAPSE = "lapse"
    ARBITRATOR = "arbitrator"
    """From then on, those who rule on disputes may lift it as well."""


class UnprovenNoticeEnd(StrEnum):
    """What follows if notice is not proven in time: a claim never goes on without it by time alone."""

    LAPSE = "lapse"
    ARBITRATOR = "arbitrator"
    """From then on, those who rule on disputes may rule that notice was given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IntakeWait:
    """What ends the wait for the check of a claim's form; its time is `windows.intake`."""

    then: IntakeEnd


@dataclass(frozen=True, slots=True, kw_only=True)
class DisputeWait:
    """What ends one dispute; its time runs from the moment at which the claim became contested."""

    after: Period
    then: DisputeEnd


@dataclass(frozen=True, slots=True, kw_only=True)
class RulingWait:
    """Who may rule on a dispute as well, once it has lasted for `after`; the dispute's own end runs on."""

    after: Period
    substitutes: Quorum


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldWait:
    """What ends a hold; its time runs from the moment at which the hold was placed."""

    after: Period
    then: HoldEnd


@dataclass(frozen=True, slots=True, kw_only=True)
class UnprovenNoticeWait:
    """What ends the wait for proof of notice.

    Its time runs from the first letter that a channel took, or from the acceptance of the claim if none did.
    """

    after: Period
    then: UnprovenNoticeEnd


@dataclass(frozen=True, slots=True, kw_only=True)
class Waits:
    """What ends each wait that people alone would end otherwise; an absent member: no end is agreed."""

    intake: IntakeWait | None = None
    dispute: DisputeWait | None = None
    ruling: RulingWait | None = None
    hold: HoldWait | None = None
    unproven_notice: UnprovenNoticeWait | None = None
