"""Whether a deposit, or a custody epoch, may be recorded under an agreement."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.authorship.authors import check_subject, check_times, check_unrevoked
from tallystick.domain.deposit.provenance import chain_fault, custody_fault, deposit_fault
from tallystick.domain.errors import TallystickError
from tallystick.domain.ids import ComponentId, Digest
from tallystick.domain.refusals import BadTimingError, NotYoursError
from tallystick.domain.statements.custody import Custody
from tallystick.domain.statements.deposits import TREE, Deposit, DepositedComponent
from tallystick.domain.statements.signed import Entry, Signed


class DepositRefusedError(TallystickError):
    """A deposit that does not continue the chain, or is not sealed to a live custody epoch."""

    code = "deposit-refused"
    why = "Deposits are numbered without gaps, name the one before, and are sealed to live custody epochs."
    advice = "See `tallystick deposit list` and `tallystick custody status`, then deposit again."


class CustodyRefusedError(TallystickError):
    """A custody epoch that does not follow the last one, or that others dealt than the agreement names."""

    code = "custody-refused"
    why = "A component's custody epochs are numbered without gaps; under `custody: gate` the gate deals them."
    advice = "Deal the next epoch with the key that the agreement names."


def check_deposit(
    agreement: Agreement,
    digest: Digest,
    signed: Signed[Deposit],
    *,
    at: datetime,
    last: tuple[Digest, Deposit] | None,
    live: Mapping[ComponentId, Digest],
    revocations: Iterable[Entry] = (),
) -> None:
    """Refuse a deposit that cannot be recorded.

    Args:
        agreement: The version that the deposit names.
        digest: The digest of that version.
        signed: The deposit, its signature verified.
        at: When it is accepted.
        last: The deposit that was recorded before, with its digest; None if this is the first.
        live: The digest of the custody statement of each component's live epoch.
        revocations: The key revocations on record under this agreement.

    Raises:
        TallystickError: Not by the depositor, out of order, or not sealed to live custody.
    """
    body = signed.body
    check_subject(agreement, digest, body, None)
    if (fault := deposit_fault(agreement, signed)) is not None:
        raise NotYoursError(fault, person=body.person)
    check_unrevoked(signed, revocations)
    check_times(body, at=at)
    if body.watermark > at:
        raise BadTimingError("the watermark is in the future")
    if body.tree not in {None, TREE}:  # no receiver of today would fetch it
        raise DepositRefusedError(
            "the deposit names a form of tree file that is not known", tree=body.tree, known=TREE
        )
    if (fault := chain_fault(body, last)) is not None:
        raise DepositRefusedError(fault, number=body.number)
    for component in body.components:
        _check_component(agreement, component, live)
    names = [component.component for component in body.components]
    if not names or len(set(names)) != len(names):
        raise DepositRefusedError(
            "the deposit has no component, or has one of them twice", components=list(names)
        )


def check_custody(
    agreement: Agreement, digest: Digest, signed: Signed[Custody], *, last: Custody | None
) -> None:
    """Refuse a custody epoch that the gate did not deal, or that does not follow `last`.

    Raises:
        TallystickError: Not signed by the gate, an unknown component, or out of order.
    """
    body = signed.body
    check_subject(agreement, digest, body, None)
    agreement.component(body.component)
    if (fault := custody_fault(agreement, signed, body.component)) is not None:
        raise CustodyRefusedError(fault, component=body.component)
    following = 1 if last is None else last.epoch + 1
    if body.epoch != following:
        raise CustodyRefusedError("this is not the next custody epoch", expected=following, given=body.epoch)


def _check_component(
    agreement: Agreement, component: DepositedComponent, live: Mapping[ComponentId, Digest]
) -> None:
    agreement.component(component.component)
    if live.get(component.component) != component.custody:
        raise DepositRefusedError(
            "the component is not sealed to its live custody epoch",
            component=component.component,
            expected=live.get(component.component),
            given=component.custody,
        )
    if min(component.sealed_bytes, component.files) < 1 or component.payload_bytes < 0:
        raise DepositRefusedError("sizes and counts must be positive", component=component.component)
