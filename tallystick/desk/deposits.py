"""The deposits that are on record, and what became of their copies."""

from collections.abc import Sequence

from tallystick.client.answers import digest_in, envelope_in, member, number, objects, text, unreadable_in
from tallystick.client.route import route
from tallystick.desk.desk import Desk
from tallystick.desk.waiting import shown_within
from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.deposit.provenance import chain_fault, deposit_fault
from tallystick.domain.errors import TallystickError
from tallystick.domain.ids import AgreementId
from tallystick.domain.json import JsonObject
from tallystick.domain.statements.deposits import Deposit
from tallystick.domain.statements.signed import Signed, expect
from tallystick.limits.desk import VERDICT_WAIT_MAX
from tallystick.proof.reading import read_signed


class DepositChainBrokenError(TallystickError):
    """Deposits do not follow one another."""

    code = "deposit-chain-broken"
    why = "Each deposit names the one before it and is signed by the depositor."
    advice = "Ask again; if it happens again, the server or its storage was altered: tell the parties."


class DepositsUnreadableError(TallystickError):
    """Deposits that the server cannot read: those after them cannot be verified either."""

    code = "deposits-unreadable"
    why = "Each deposit follows the one before it, and the server's record of some is damaged."
    advice = "Tell the deployment's operators: they compare the database with a backup."


class VerdictPendingError(TallystickError):
    """A deposit that was not verified in time."""

    code = "verdict-pending"
    why = "The deposit is on record, but not all of its copies have been read again yet."
    advice = "Ask later with `tallystick deposit verify AGREEMENT N`. You need not send anything again."
    retryable = True


def read_deposit(view: JsonObject, agreement: Agreement, *, asked: int | None = None) -> Signed[Deposit]:
    """Return a deposit, after verifying the depositor's signature.

    Args:
        asked: The number of the deposit that was asked for, if it was one.

    Raises:
        DepositChainBrokenError: The depositor did not sign it, or the answer names another, or shows another
            than was asked for: a claim on an older one would have its digest, and nothing would look wrong.
        TallystickError: The envelope is not sound.
    """
    signed = expect(read_signed(envelope_in(view, "envelope"), agreement), Deposit)
    if (fault := deposit_fault(agreement, signed)) is not None:
        raise DepositChainBrokenError(fault, statement=signed.id)
    if (signed.id, signed.body.number) != (digest_in(view, "deposit"), number(view, "number")):
        raise DepositChainBrokenError(
            "the envelope is not of the deposit that the answer names", statement=signed.id
        )
    if asked not in {None, signed.body.number}:
        raise DepositChainBrokenError(
            "the server showed another deposit than was asked for", asked=asked, found=signed.body.number
        )
    return signed


def verified_deposits(desk: Desk, agreement: Agreement) -> Sequence[Signed[Deposit]]:
    """Return every deposit, oldest first, each verified and following the one before.

    Raises:
        DepositsUnreadableError: The server cannot read all of them.
        DepositChainBrokenError: The depositor did not sign one, or it does not follow.
        TallystickError: An envelope is not sound, or the server refused or did not answer.
    """
    answer = desk.client.get_pages(route("agreements", agreement.id, "deposits"), "deposits")
    if missing := unreadable_in(answer):
        raise DepositsUnreadableError("some deposits are unreadable", deposits=missing)
    deposits = sorted(
        (read_deposit(d, agreement) for d in objects(answer, "deposits")), key=lambda d: d.body.number
    )
    for last, signed in zip((None, *deposits), deposits, strict=False):
        if (fault := chain_fault(signed.body, None if last is None else (last.id, last.body))) is not None:
            raise DepositChainBrokenError(fault, number=signed.body.number)
    return deposits


def wait_for_verdict(desk: Desk, agreement: AgreementId, number: int) -> JsonObject:
    """Return the outcome of a deposit's verification, once there is one.

    Raises:
        VerdictPendingError: There is none in time.
    """
    path = route("agreements", agreement, "deposits", number)
    verdict = shown_within(
        desk.client,
        VERDICT_WAIT_MAX,
        lambda: member(desk.client.get(path), "verdict"),
        ready=lambda verdict: text(verdict, "state") != "pending",
    )
    if verdict is None:
        raise VerdictPendingError("no verdict yet", number=number)
    return verdict
