"""How long things take: calendars, windows, and when notice counts as received."""

from dataclasses import dataclass
from datetime import date, time

from tallystick.domain.periods import Period


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """Business days, pinned: no library upgrade moves a deadline.

    Attributes:
        weekend: Weekdays that are no business days, as `mon` … `sun`.
        holidays: Dates that are no business days.
        covers_until: The last date for which the holidays are known.
    """

    id: str
    weekend: tuple[str, ...]
    holidays: tuple[date, ...]
    covers_until: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Windows:
    """How long each step may take.

    Attributes:
        intake: For the escrow agent to check the form of a claim.
        objection: For the depositor to object, from proof of notice.
        approval: For the quorum, from the moment a stage opens; then the claim lapses.
        approval_lifetime: How long an approval may count, at most.
        provisioning: For the receiver to report a stage; then it is rolled back.
        returning: For the beneficiary to return or destroy what falls due for return.
    """

    intake: Period
    objection: Period
    approval: Period
    approval_lifetime: Period
    provisioning: Period
    returning: Period


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeRule:
    """When a notice counts as received.

    Attributes:
        cutoff: Local hour at the recipient's place after which the next business day counts.
        resumes: Local hour at which a notice that came too late is received.
        deemed_after: How long after sending a notice is deemed received, if enough channels took it;
            absent means that only an acknowledgement is proof.
        channels_required: How many channels must have taken it.
    """

    cutoff: time
    resumes: time
    deemed_after: Period | None = None
    channels_required: int = 1
