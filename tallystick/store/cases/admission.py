"""The door for acts where the database is at hand: the one door, and what a record alone cannot tell."""

from datetime import datetime

from sqlmodel import Session

from tallystick.domain.admission.door import admit_act
from tallystick.domain.admission.extension import helps_release
from tallystick.domain.deposit.received import received_fault
from tallystick.domain.refusals import MisdirectedError, PapersMissingError
from tallystick.domain.statements.acts import ProofOfService
from tallystick.domain.statements.orders import Ruling
from tallystick.domain.statements.receipts import Receipt
from tallystick.domain.statements.signed import Body, Signed
from tallystick.store.cases.casefile import CaseFile, pinned_deposit
from tallystick.store.cases.documents import stored_bytes
from tallystick.store.cases.extension import check_log


def admitted(session: Session, case: CaseFile, signed: Signed[Body], at: datetime) -> str | None:
    """Admit an act to a claim's record, as the claim, its deposit and the log stand in `session`.

    Returns:
        What is wrong with the log, if it does not extend what the author of an act that stops had verified.
        The act is recorded all the same, and those who can act must get to know of it.

    Raises:
        LedgerNotExtendedError: The log does not, and the act helps a release.
        PapersMissingError: What helps a release names papers that its author's party has not sent.
        MisdirectedError: A receipt reports other bytes as active than were deposited.
        TallystickError: The rule that refuses it.
    """
    admit_act(case.agreement, case.claim, signed, at=at)
    if isinstance(signed.body, Receipt):
        _check_received(session, case, signed.body)
    if isinstance(signed.body, Ruling | ProofOfService) and helps_release(case.claim, signed.body):
        _check_papers(session, case, signed.body)
    return check_log(session, case.agreement.id, case.claim, signed.body)


def _check_received(session: Session, case: CaseFile, receipt: Receipt) -> None:
    pinned = pinned_deposit(session, case)
    if (fault := received_fault(pinned.body(), [receipt])) is not None:
        raise MisdirectedError(fault, deposit=pinned.digest, stage=receipt.stage)


def _check_papers(session: Session, case: CaseFile, body: Ruling | ProofOfService) -> None:
    missing = [
        {"name": one.name, "sealed_digest": one.sealed_digest}
        for one in body.documents
        if stored_bytes(session, case.agreement.id, one, body.person) is None
    ]
    if missing:
        raise PapersMissingError("papers of the statement are not in the stores", missing=missing)
