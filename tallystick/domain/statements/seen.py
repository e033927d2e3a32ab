"""Which log the author of a statement had verified, if the statement says so.

Every statement that a person makes about what is in a log may name a checkpoint. Enrolments and agreements
name none: there is no log before them, and of a later version all parties sign one text, whatever each of
them saw.
"""

from tallystick.domain.statements.deposits import Deposit
from tallystick.domain.statements.filing import ClaimFiling
from tallystick.domain.statements.header import ActBody, Header, LedgerSeen
from tallystick.domain.statements.keys import KeyRevocation


def ledger_seen(body: Header) -> LedgerSeen | None:
    """Return the checkpoint that the author of a statement had verified, if it names one."""
    return body.ledger_seen if isinstance(body, ActBody | ClaimFiling | Deposit | KeyRevocation) else None
