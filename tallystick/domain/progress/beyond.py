"""Whether a claim's calendars reach its next deadline; if they do not, the claim waits."""

from datetime import datetime

from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.agreement.deadlines import CalendarExhaustedError
from tallystick.domain.claim.claim import Claim
from tallystick.domain.claim.course import return_orders_end
from tallystick.domain.progress.due import due
from tallystick.domain.progress.moments import next_look


def beyond_calendars(agreement: Agreement, claim: Claim, *, at: datetime) -> CalendarExhaustedError | None:
    """Return the deadline after a calendar's end because of which nothing falls due any more, or None.

    Persons may still act; what stops a release needs no calendar.
    """
    try:
        if claim.is_open:
            due(agreement, claim, at=at)
            next_look(agreement, claim, at=at)
        return_orders_end(agreement, claim)
    except CalendarExhaustedError as beyond:
        return beyond
    return None
