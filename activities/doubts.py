"""The alarm when somebody who stops a release has verified another log than this one.

Their statement is on record, whatever became of the log. That the log does not extend what they had verified
is recorded with it, in one transaction, as an event under the agreement. Depositor, beneficiary and escrow
agent get a letter about that event (`activities.notices.storage`), until somebody takes it.
"""

from sqlmodel import Session

from activities.engine import engine_header, signed_by_engine
from tallystick import telemetry
from tallystick.crypto.keys import SigningKey
from tallystick.domain.ids import claim_id
from tallystick.domain.kinds import Happening
from tallystick.domain.statements.engine import Event
from tallystick.proof.reading import header_of
from tallystick.store.ledger import ledger
from tallystick.store.ledger.entry import LedgerEntry
from tallystick.store.registers import agreements

_log = telemetry.logger(__name__)


def record_doubt(session: Session, entry: LedgerEntry, doubt: str, log_key: SigningKey) -> None:
    """Record, in the caller's transaction, that the log is not as the author of an act had verified it.

    Args:
        entry: The act, as it was just recorded.
        doubt: What does not fit, in words.
    """
    registered = agreements.latest(session, entry.agreement_id)
    assert registered is not None, "an act is under a registered agreement"
    assert entry.claim is not None, "an act is about a claim"
    by = header_of(entry.statement()).person
    event = Event(
        **engine_header(registered.signed().terms, entry.accepted_at, {"doubted": entry.statement_id}),
        happening=Happening.LEDGER_NOT_EXTENDED,
        cause=entry.statement_id,
        because=(f"{entry.kind} by {by} about {claim_id(entry.claim)}", doubt),
    )
    envelope = signed_by_engine(event, log_key)
    ledger.append(session, entry.agreement_id, envelope, entry.accepted_at, claim=None)
    _log.error("the log is not as an author had verified it", statement=entry.statement_id, found=doubt)
