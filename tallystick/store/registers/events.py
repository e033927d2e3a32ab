"""Events about no claim: verdicts on deposits, and what was found in the stores."""

from collections.abc import Collection, Iterator

from sqlmodel import Session

from tallystick.domain.ids import AgreementId, Digest
from tallystick.domain.kinds import Kind
from tallystick.domain.statements.engine import Event
from tallystick.store.damage import unless_damaged
from tallystick.store.ledger import ledger
from tallystick.store.ledger.entry import LedgerEntry


def events(
    session: Session, agreement_id: AgreementId, *, causes: Collection[Digest] | None = None
) -> Iterator[tuple[LedgerEntry, Event]]:
    """Yield the events about no claim, oldest first: one that cannot be read is logged, and hides no other.

    With `causes`, only those that follow from one of them are read: from a deposit, or from a blob.

    Nothing is released meanwhile: the gate reads the whole log, and refuses a damaged one.
    """
    for entry in ledger.entries(session, agreement_id, kinds=[Kind.EVENT], causes=causes):
        if entry.claim is None:
            with unless_damaged("an event is unreadable", agreement=agreement_id, index=entry.index):
                yield entry, entry.says(Event)
