"""The premises about what is released: the pinned deposit, and the custody to which it is sealed."""

from tallystick.domain.amounts import counted
from tallystick.domain.deposit.provenance import custody_fault, deposit_fault, place_fault
from tallystick.domain.deposit.received import received_fault
from tallystick.domain.ids import Digest
from tallystick.domain.kinds import Happening
from tallystick.domain.statements.custody import Custody
from tallystick.domain.statements.deposits import Deposit
from tallystick.domain.statements.engine import Event
from tallystick.domain.statements.receipts import Receipt
from tallystick.domain.statements.signed import Signed
from tallystick.proof.evidence.established import (
    Established,
    EvidenceBrokenError,
    filed_entry,
    filing_of,
    statements_of,
    version_of,
)


def deposit_pinned(known: Established) -> str:
    """Establish that the depositor signed the deposit that the claim pins, and it was whole before the claim.

    The file has no other deposit. The pinned one names the one before it by its digest, so the depositor
    has signed for all earlier ones too; anyone who wants to see them walks from digest to digest in the log.
    """
    pinned = filing_of(known).deposit
    others = {signed.id: signed for _, signed in statements_of(known, Deposit)}
    signed = others.pop(pinned, None)
    if signed is None or others:
        raise EvidenceBrokenError("the file has not the pinned deposit alone", pinned=pinned)
    fault = place_fault(signed.body) or deposit_fault(version_of(known, signed), signed)
    if fault is not None:
        raise EvidenceBrokenError(fault, number=signed.body.number)
    _check_found_whole(known, pinned)
    receipts = [receipt.body for _, receipt in statements_of(known, Receipt)]
    if (fault := received_fault(signed.body, receipts)) is not None:
        raise EvidenceBrokenError(fault, pinned=pinned)
    known.deposit = signed
    return f"{pinned}, found whole before the claim was filed"


def _check_found_whole(known: Established, deposit: Digest) -> None:
    """Refuse a file that has another verdict on the deposit than one: that it was whole before the claim."""
    about = [
        (i, s) for i, s in statements_of(known, Event) if (s.body.cause, s.body.claim) == (deposit, None)
    ]
    if len(about) != 1 or not _says_whole(known, *about[0]):
        raise EvidenceBrokenError(
            "no event, or not this event alone, says that the deposit was whole before the claim",
            deposit=deposit,
            verdicts=len(about),
        )


def _says_whole(known: Established, index: int, event: Signed[Event]) -> bool:
    by_log_key = event.signers == frozenset({version_of(known, event).engine.log_key})
    before = index < filed_entry(known).index
    return event.body.happening is Happening.DEPOSIT_VERIFIED and by_log_key and before


def custody_known(known: Established) -> str:
    """Establish that the gate dealt the custody epochs to which the pinned deposit was sealed."""
    assert known.deposit is not None
    dealt = {signed.id: signed for _, signed in statements_of(known, Custody)}
    for component in known.deposit.body.components:
        signed = dealt.get(component.custody)
        if signed is None:
            raise EvidenceBrokenError("no custody of this component", component=component.component)
        fault = custody_fault(version_of(known, signed), signed, component.component)
        if fault is not None:
            raise EvidenceBrokenError(fault, component=component.component)
        known.custody[component.component] = signed.body
    return f"{counted(len(known.custody), 'component')}, each sealed to an epoch that the gate dealt"
