"""Ledger entries as they travel to a workflow, one page at a time."""

from collections.abc import Iterable

from tallystick.limits.steps import RECORD_PAGE_BYTES_MAX, RECORD_PAGE_ENTRIES_MAX
from tallystick.messages import RawEntry
from tallystick.store.ledger.entry import LedgerEntry


def raw_entry(entry: LedgerEntry) -> RawEntry:
    """Return an entry as it travels."""
    return RawEntry(index=entry.index, accepted_at=entry.accepted_at, envelope=entry.envelope.decode())


def page(entries: Iterable[LedgerEntry]) -> tuple[RawEntry, ...]:
    """Return the first entries that fit into a message, but at least one; the caller asks for the rest."""
    page: list[RawEntry] = []
    size_bytes = 0
    for entry in entries:
        size_bytes += len(entry.envelope)
        if page and (size_bytes > RECORD_PAGE_BYTES_MAX or len(page) == RECORD_PAGE_ENTRIES_MAX):
            break
        page.append(raw_entry(entry))
    return tuple(page)
