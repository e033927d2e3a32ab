"""The custody epoch to which a component is sealed now, as the gate signed it."""

from collections.abc import Mapping, Sequence

from tallystick.client.answers import digest_in, objects, text, unreadable_in
from tallystick.client.ledgers import ledger_entry
from tallystick.crypto.envelope import body_of
from tallystick.desk.desk import Desk
from tallystick.desk.waiting import shown_within
from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.bodies import read_body
from tallystick.domain.deposit.provenance import custody_fault
from tallystick.domain.errors import TallystickError
from tallystick.domain.ids import ComponentId, Digest
from tallystick.domain.json import JsonObject
from tallystick.domain.statements.custody import Custody
from tallystick.domain.statements.deposits import Deposit
from tallystick.domain.statements.signed import Signed, expect
from tallystick.limits.desk import CUSTODY_WAIT_MAX
from tallystick.proof.reading import kind_read, read_signed


class CustodyNotReadyError(TallystickError):
    """There is no custody epoch to seal a component to."""

    code = "custody-not-ready"
    why = "A component is sealed to its live custody epoch, and the gate has not dealt one yet."
    advice = "Wait a little and repeat the command; `tallystick custody status` shows the epochs."
    retryable = True


class CustodyUnreadableError(TallystickError):
    """The server cannot say which custody epochs are live."""

    code = "custody-unreadable"
    why = "A component is sealed to its live custody epoch, and the server's record of the epochs is damaged."
    advice = "Nothing was sealed. Tell the deployment's operators: they compare the database with a backup."


class UnexpectedCustodyError(TallystickError):
    """The server showed a custody epoch that is not one of this component's."""

    code = "unexpected-custody"
    why = "A component is sealed only to a key that the agreement's gate has dealt for it."
    advice = (
        "Nothing was sealed or sent. Ask again; if it happens again, the server or its storage was altered."
    )


def custody_epochs(
    desk: Desk, view: JsonObject, agreement: Agreement, wanted: Sequence[ComponentId]
) -> Mapping[ComponentId, Signed[Custody]]:
    """Return the live custody epoch of each component, as the gate signed it; wait a little for the gate.

    Raises:
        CustodyNotReadyError: The gate has not dealt them in time.
        CustodyUnreadableError: The server cannot read which are live.
        UnexpectedCustodyError: Not an epoch of that component that the gate dealt.
    """
    live = _live(view)
    if wanted_later := set(wanted) - live.keys():
        shown = shown_within(
            desk.client,
            CUSTODY_WAIT_MAX,
            lambda: _live(desk.agreement_view(agreement.id)),
            ready=lambda live: wanted_later <= live.keys(),
        )
        if shown is None:
            raise CustodyNotReadyError("no live custody epoch", components=sorted(wanted_later))
        live = shown
    return {component: custody_epoch(desk, agreement, component, live[component]) for component in wanted}


def _live(view: JsonObject) -> Mapping[ComponentId, Digest]:
    """Return the live epoch of each component that has one, as the server reports it.

    Raises:
        CustodyUnreadableError: The server cannot read which are live.
    """
    if unreadable_in(view):
        raise CustodyUnreadableError("the live custody epochs are unreadable")
    return {
        ComponentId(text(live, "component")): digest_in(live, "custody") for live in objects(view, "custody")
    }


def custody_epoch(
    desk: Desk, agreement: Agreement, component: ComponentId, statement: Digest
) -> Signed[Custody]:
    """Return an epoch of a component as the gate signed it; the server's word does not prove whose key it is.

    Raises:
        UnexpectedCustodyError: Not an epoch of this component that the gate dealt.
        TallystickError: The server does not show the statement, or its signature is wrong.
    """
    signed = expect(read_signed(ledger_entry(desk.client, agreement.id, statement), agreement), Custody)
    if (fault := custody_fault(agreement, signed, component)) is not None:
        raise UnexpectedCustodyError(fault, component=component, statement=signed.id)
    return signed


def check_not_older(
    desk: Desk,
    agreement: Agreement,
    epochs: Mapping[ComponentId, Signed[Custody]],
    earlier: Sequence[Signed[Deposit]],
) -> None:
    """Refuse an epoch before the one to which its component was sealed last: its key may be given away.

    A release gives the key of its epoch to the beneficiary. A server that named that epoch again would have
    the next deposit sealed to a key which they have.

    Raises:
        UnexpectedCustodyError: The server names an older epoch, or what was sealed to last is no epoch.
        TallystickError: It does not show that statement.
    """
    last = {one.component: one.custody for deposit in earlier for one in deposit.body.components}
    for component, epoch in epochs.items():
        if last.get(component, epoch.id) == epoch.id:
            continue
        before = ledger_entry(desk.client, agreement.id, last[component])  # as the depositor has signed
        body = read_body(kind_read(before), body_of(before))
        if not isinstance(body, Custody) or body.component != component or body.epoch >= epoch.body.epoch:
            raise UnexpectedCustodyError(
                "an older epoch than the last deposit's", component=component, epoch=epoch.body.epoch
            )
