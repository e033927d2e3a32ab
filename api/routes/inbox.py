"""What waits for the caller, in all claims that they may see."""

from datetime import datetime

from api.answers.claims import Inbox, InboxItem
from api.backend.backend import OpenBackend
from api.http.auth import Known
from api.http.bounded import in_lane
from api.http.routing import strict_router
from api.http.turns import Lane
from api.http.visibility import seen_cases
from tallystick.domain.ids import PersonId
from tallystick.domain.inbox.waiting import waiting
from tallystick.store.cases.casefile import CaseFile
from tallystick.store.database.session import reading

router = strict_router("claims")


@router.get("/inbox")
@in_lane(Lane.HEAVY)
def show_inbox(caller: Known, backend: OpenBackend) -> Inbox:
    """Return what waits for the caller, the most urgent first."""
    at = backend.now()
    with reading(backend.database) as session:
        cases = list(seen_cases(backend, session, caller))
    items = [item for case in cases for item in _items(case, caller.seats[case.agreement.id], at)]
    return Inbox(items=sorted(items, key=_urgency))


def _items(case: CaseFile, person: PersonId, at: datetime) -> list[InboxItem]:
    return [
        InboxItem(claim=case.claim.id, what=item.what.value, until=item.until, why=item.why)
        for item in waiting(case.agreement, case.claim, at)
        if person in item.on
    ]


def _urgency(item: InboxItem) -> tuple[bool, str, str]:
    """Sort by the end of the wait; what has no end comes last."""
    return item.until is None, "" if item.until is None else item.until.isoformat(), item.claim
