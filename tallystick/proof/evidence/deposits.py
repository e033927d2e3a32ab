"""The premises about what is released: the chain of deposits, and the custody to which they are sealed."""

from tallystick.domain.amounts import counted
from tallystick.domain.deposit.provenance import chain_fault, custody_fault, deposit_fault
from tallystick.domain.ids import Digest
from tallystick.domain.kinds import Happening
from tallystick.domain.statements.custody import Custody
from tallystick.domain.statements.deposits import Deposit
from tallystick.domain.statements.engine import Event
from tallystick.domain.statements.signed import Signed
from tallystick.proof.evidence.established import (
    Established,
    EvidenceBrokenError,
    filed_entry,
    filing_of,
    statements_of,
    version_of,
)


def deposit_chain(known: Established) -> str:
    """Establish that the depositor's deposits have no gap, and the pinned one was whole before the claim."""
    filing = filing_of(known)
    last: Signed[Deposit] | None = None
    for _, signed in statements_of(known, Deposit):
        before = None if last is None else (last.id, last.body)
        fault = chain_fault(signed.body, before) or deposit_fault(version_of(known, signed), signed)
        if fault is not None:
            raise EvidenceBrokenError(fault, number=signed.body.number)
        last = signed
    if last is None or last.id != filing.deposit:
        raise EvidenceBrokenError("the pinned deposit is not the last one in the file", pinned=filing.deposit)
    _check_found_whole(known, last.id)
    known.deposit = last
    return f"{last.id}, found whole before the claim was filed"


def _check_found_whole(known: Established, deposit: Digest) -> None:
    filed_at = filed_entry(known).index
    for index, signed in statements_of(known, Event):
        body = signed.body
        if (body.cause, body.claim) != (deposit, None):
            continue
        by_log_key = signed.signers == frozenset({version_of(known, signed).engine.log_key})
        if body.happening is Happening.DEPOSIT_VERIFIED and by_log_key and index < filed_at:
            return
    raise EvidenceBrokenError("no event says that the deposit was whole before the claim", deposit=deposit)


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
