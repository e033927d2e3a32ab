"""Whether the gate's statement of when it saw a notice may be recorded."""

from datetime import datetime

from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.claim.claim import Claim
from tallystick.domain.claim.state import EventType
from tallystick.domain.codec import instant_text
from tallystick.domain.notice.sighting import to_be_sighted
from tallystick.domain.refusals import NotDueError
from tallystick.domain.statements.engine import Sighting
from tallystick.limits.documents import CLOCK_SKEW_MAX


def sighting_event(agreement: Agreement, claim: Claim, sighting: Sighting, at: datetime) -> EventType:
    """Admit a sighting of the statement that the gate has yet to see, if its time can be true.

    Raises:
        NotDueError: There is none to see, it is another, or nobody can have seen it then.
    """
    seen = to_be_sighted(agreement, claim)
    if seen is None or sighting.notice != seen.signed.id:
        notice = None if seen is None else seen.signed.id
        raise NotDueError("this sights no notice of the claim's", expected=notice, given=sighting.notice)
    when = sighting.issued_at
    if not seen.accepted_at - CLOCK_SKEW_MAX <= when <= at + CLOCK_SKEW_MAX:
        raise NotDueError(
            "the notice cannot have been seen then", seen_at=instant_text(when), now=instant_text(at)
        )
    return EventType.NOTICE_SIGHTED
