"""The alarm when somebody whose statement is on record has verified another log than this one.

What stops a release is recorded whatever became of the log. That the log does not extend what its author had
verified is recorded as an event under the agreement: with the act, in one transaction, if the worker records
it; otherwise before a checkpoint covers it, because the API records acts after a claim's end and revocations
of keys itself, and has no key to sign an event with. Depositor, beneficiary and escrow agent get a letter
about that event (`activities.notices.storage`), until somebody takes it.
"""

from typing import Final

from sqlmodel import Session

from activities.engine import engine_header, signed_by_engine
from tallystick import telemetry
from tallystick.crypto.keys import SigningKey
from tallystick.domain.ids import AgreementId, claim_id
from tallystick.domain.kinds import Happening, Kind
from tallystick.domain.shown.shown import SIGNED_BY_PERSONS
from tallystick.domain.statements.engine import Event
from tallystick.proof.reading import header_of
from tallystick.store.cases.extension import doubt_about
from tallystick.store.damage import unless_damaged
from tallystick.store.ledger import checkpoints, ledger
from tallystick.store.ledger.entry import LedgerEntry
from tallystick.store.registers import agreements

_log = telemetry.logger(__name__)
_NAMING: Final = SIGNED_BY_PERSONS - {Kind.AGREEMENT}
"""What may name a checkpoint."""


def record_doubts(session: Session, agreement_id: AgreementId, log_key: SigningKey) -> bool:
    """Record, in the caller's transaction, every doubt about what no checkpoint covers yet.

    Returns:
        Whether there was any that is not on record: then letters are owed.
    """
    after = checkpoints.signed_size(session, agreement_id) - 1
    found = False
    for entry in ledger.entries(session, agreement_id, kinds=_NAMING, after=after):
        with unless_damaged("a statement is unreadable", agreement=agreement_id, index=entry.index):
            doubt = doubt_about(session, entry)
            if doubt is not None and not ledger.entries(
                session, agreement_id, causes=[entry.statement_id], limit=1
            ):
                record_doubt(session, entry, doubt, log_key)
                found = True
    return found


def record_doubt(session: Session, entry: LedgerEntry, doubt: str, log_key: SigningKey) -> None:
    """Record, in the caller's transaction, that the log is not as the author of a statement had verified it.

    Args:
        entry: The statement, as it is on record.
        doubt: What does not fit, in words.
    """
    registered = agreements.latest(session, entry.agreement_id)
    assert registered is not None, "a person's statement is under a registered agreement"
    by = header_of(entry.statement()).person
    about = "" if entry.claim is None else f" about {claim_id(entry.claim)}"
    event = Event(
        **engine_header(registered.signed().terms, entry.accepted_at, {"doubted": entry.statement_id}),
        happening=Happening.LEDGER_NOT_EXTENDED,
        cause=entry.statement_id,
        because=(f"{entry.kind} by {by}{about}", doubt),
    )
    envelope = signed_by_engine(event, log_key)
    ledger.append(session, entry.agreement_id, envelope, entry.accepted_at, claim=None)
    _log.error("the log is not as an author had verified it", statement=entry.statement_id, found=doubt)
