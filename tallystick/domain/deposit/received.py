"""Whether a receiver has activated what was deposited, and nothing else."""

from collections.abc import Iterable, Mapping

from tallystick.domain.ids import ComponentId
from tallystick.domain.kinds import ReceiptOutcome
from tallystick.domain.statements.deposits import Deposit, DepositedComponent
from tallystick.domain.statements.receipts import Receipt, ReceivedComponent


def received_fault(deposit: Deposit, receipts: Iterable[Receipt]) -> str | None:
    """Return which component a receipt reports as active with other bytes than `deposit` has, or None.

    What failed or was undone may be reported with whatever bytes came: that is what the report is for.
    """
    deposited = {component.component: component for component in deposit.components}
    for receipt in receipts:
        if receipt.outcome is ReceiptOutcome.ACTIVATED and (astray := _astray(receipt, deposited)):
            return f"{astray} is reported as active with other bytes than were deposited"
    return None


def _astray(receipt: Receipt, deposited: Mapping[ComponentId, DepositedComponent]) -> ComponentId | None:
    return next((one.component for one in receipt.components if not _same(one, deposited)), None)


def _same(received: ReceivedComponent, deposited: Mapping[ComponentId, DepositedComponent]) -> bool:
    named = deposited.get(received.component)
    if named is None:
        return False
    return (received.sealed_digest, received.manifest_digest) == (named.sealed_digest, named.manifest_digest)
