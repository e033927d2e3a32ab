"""What waits for the caller, in all claims that they may see."""

from datetime import datetime

from api.answers.claims import Inbox, InboxItem
from api.backend.backend import OpenBackend
from api.http.auth import Known
from api.http.bounded import in_lane
from api.http.paging import Cursor, Limit, page_of
from api.http.routing import strict_router
from api.http.turns import Lane
from tallystick.domain.ids import PersonId
from tallystick.domain.inbox.waiting import waiting
from tallystick.limits.api import LIST_PAGE_CLAIMS_MAX
from tallystick.store.cases.casefile import CaseFile
from tallystick.store.database.session import reading

router = strict_router("claims")


@router.get("/inbox")
@in_lane(Lane.HEAVY)
def show_inbox(
    caller: Known, backend: OpenBackend, cursor: Cursor = None, limit: Limit = LIST_PAGE_CLAIMS_MAX
) -> Inbox:
    """Return what waits for the caller in a page of the claims, the most urgent first."""
    at = backend.now()
    with reading(backend.database) as session:
        page = page_of(backend, session, caller, cursor, limit)
    items = [item for case in page.cases for item in _items(case, caller.person_under(case.agreement), at)]
    return Inbox(items=sorted(items, key=_urgency), unreadable=page.unreadable, next=page.following)


def _items(case: CaseFile, person: PersonId | None, at: datetime) -> list[InboxItem]:
    return [
        InboxItem(claim=case.claim.id, what=item.what.value, until=item.until, why=item.why)
        for item in waiting(case.agreement, case.claim, at)
        if person in item.on
    ]


def _urgency(item: InboxItem) -> tuple[bool, str, str]:
    """Sort by the end of the wait; what has no end comes last."""
    return item.until is None, "" if item.until is None else item.until.isoformat(), item.claim
