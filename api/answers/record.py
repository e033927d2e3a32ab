"""A claim's record as it was signed, page by page: what anyone needs who folds it themselves."""

from collections.abc import Sequence

from api.answers.claim_views import envelope
from api.answers.claims import RecordedView, RecordPage
from tallystick.limits.steps import RECORD_PAGE_BYTES_MAX
from tallystick.store.cases.casefile import CaseFile
from tallystick.store.ledger.entry import LedgerEntry
from tallystick.store.ledger.pages import fitting


def record_page(case: CaseFile, *, start: int) -> RecordPage:
    """Return one page of a claim's record, from entry `start` on."""
    page = page_of(case.raw[start:])
    following = start + len(page)
    return RecordPage(
        claim=case.claim.id,
        digest=case.claim.digest,
        entries=[
            RecordedView(
                index=entry.index, accepted_at=entry.accepted_at, envelope=envelope(entry.statement())
            )
            for entry in page
        ],
        next=following if following < len(case.raw) else None,
    )


def page_of(entries: Sequence[LedgerEntry]) -> Sequence[LedgerEntry]:
    """Return the first entries, at least one if there is any, that together fit in a page."""
    return entries[: fitting((len(entry.envelope) for entry in entries), RECORD_PAGE_BYTES_MAX)]
