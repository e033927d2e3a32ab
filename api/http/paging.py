"""Lists by page: a page reads, and folds, what is on it alone, however much there is."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import Query
from sqlmodel import Session

from api.backend.backend import Backend
from api.http.auth import Caller
from api.http.visibility import NAME_PATTERN, sees_claim
from tallystick.domain.ids import AgreementId
from tallystick.limits.api import LIST_PAGE_CLAIMS_MAX, LIST_PAGE_ITEMS_MAX
from tallystick.store.cases.casefile import CaseFile
from tallystick.store.damage import unless_damaged
from tallystick.store.registers import claims
from tallystick.store.registers.claims import StoredClaim

_NUMBER: Final = r"^[0-9]{1,9}$"
_PLACE: Final = r"^[a-z0-9][a-z0-9.-]{0,62}:[0-9]{1,15}$"

_BEGINS: Final = "Where the page begins: `next` of the page before it."

Cursor = Annotated[str | None, Query(pattern=_PLACE, description=_BEGINS)]
NameCursor = Annotated[str | None, Query(pattern=NAME_PATTERN, description=_BEGINS)]
NumberCursor = Annotated[str | None, Query(pattern=_NUMBER, description=_BEGINS)]
Limit = Annotated[
    int,
    Query(ge=1, le=LIST_PAGE_CLAIMS_MAX, description="How many claims the page looks at, at most."),
]
ItemLimit = Annotated[
    int, Query(ge=1, le=LIST_PAGE_ITEMS_MAX, description="How many items the page has, at most.")
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Some claims that a caller may see.

    Attributes:
        unreadable: The short forms of those that are left out, because their record is damaged; with the
            first page, also the agreements of which nobody can say whether the caller may see them.
        following: The cursor of the page after it; None if this is the last.
    """

    cases: Sequence[CaseFile]
    unreadable: Sequence[str]
    following: str | None


def page_of(backend: Backend, session: Session, caller: Caller, cursor: str | None, limit: int) -> Page:
    """Return the claims from `cursor` on that the caller may see; at most `limit` are folded."""
    found = _seen(session, caller, _place(cursor), limit + 1)
    looked_at = found[:limit]
    cases, unreadable = list[CaseFile](), [] if cursor else list[str](sorted(caller.doubtful))
    for stored in looked_at:
        with unless_damaged("a claim's record is unreadable", claim=stored.digest) as look:
            cases.append(backend.case(session, stored))
        if look.damaged:
            unreadable.append(stored.claim_id)
    following = _cursor(looked_at[-1]) if len(found) > limit else None
    return Page(cases=cases, unreadable=unreadable, following=following)


def _seen(
    session: Session, caller: Caller, after: tuple[AgreementId, int] | None, limit: int
) -> list[StoredClaim]:
    """Return the next claims that the caller may see; a page of other claims in between shows in nothing."""
    seen = list[StoredClaim]()
    while found := claims.page(session, caller.seats, after=after, limit=limit):
        seen += (one for one in found if sees_claim(session, caller, one))
        if len(seen) >= limit or len(found) < limit:
            break
        after = (found[-1].agreement_id, found[-1].entry.index)
    return seen[:limit]


def _place(cursor: str | None) -> tuple[AgreementId, int] | None:
    if cursor is None:
        return None
    name, _, index = cursor.rpartition(":")
    return AgreementId(name), int(index)


def _cursor(stored: StoredClaim) -> str:
    return f"{stored.agreement_id}:{stored.entry.index}"
