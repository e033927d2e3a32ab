"""A log page by page: no more entries than one answer may hold, however large each of them is."""

from collections.abc import Iterable
from typing import Final

from sqlalchemy import bindparam, func
from sqlalchemy import select as columns
from sqlmodel import Session, col

from tallystick.domain.ids import AgreementId
from tallystick.limits.logs import LEDGER_PAGE_BYTES_MAX, LEDGER_PAGE_ENTRIES_MAX
from tallystick.store.database.tables import EntryRow
from tallystick.store.ledger.entry import LedgerEntry
from tallystick.store.ledger.ledger import entries

_SIZES: Final = (
    columns(func.length(col(EntryRow.envelope)))
    .where(col(EntryRow.agreement_id) == bindparam("agreement"), col(EntryRow.index) > bindparam("after"))
    .order_by(col(EntryRow.index))
    .limit(LEDGER_PAGE_ENTRIES_MAX)
)


def page(session: Session, agreement_id: AgreementId, *, after: int) -> list[LedgerEntry]:
    """Return the entries after an index that fit in one page, in ledger order; none if there is none.

    Their sizes are read first, so that no more than a page of them is ever held.
    """
    sizes = session.connection().execute(_SIZES, {"agreement": agreement_id, "after": after}).scalars().all()
    fits = fitting(sizes, LEDGER_PAGE_BYTES_MAX)
    return entries(session, agreement_id, after=after, limit=fits) if fits else []


def fitting(sizes_bytes: Iterable[int], size_bytes_max: int) -> int:
    """Return how many of the first things fit together: at least one, if there is any."""
    total = count = 0
    for size in sizes_bytes:
        total += size
        if count and total > size_bytes_max:
            break
        count += 1
    return count
