"""The deposits that are on record, and what became of their copies."""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence

from tallystick.client.answers import digest_in, envelope_in, member, number, objects, text, unreadable_in
from tallystick.client.route import route
from tallystick.desk.desk import Desk
from tallystick.desk.waiting import shown_within
from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.deposit.provenance import chain_fault, deposit_fault
from tallystick.domain.errors import TallystickError
from tallystick.domain.ids import AgreementId, ComponentId, Digest
from tallystick.domain.json import JsonObject
from tallystick.domain.statements.deposits import Deposit
from tallystick.domain.statements.signed import Signed, expect
from tallystick.limits.desk import DEPOSITS_TOLD_EVERY, VERDICT_WAIT_MAX
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


def newest_first(desk: Desk, agreement: Agreement) -> Iterator[Signed[Deposit]]:
    """Yield the deposits from the newest on, each verified, and the one that the newer one follows.

    A chain grows with every night of ten years, so no more than a page of it is held, or asked for before
    it is wanted.

    Raises:
        DepositsUnreadableError: The server cannot read one of those that come next.
        DepositChainBrokenError: The depositor did not sign one, or the newer one does not follow it.
        TallystickError: An envelope is not sound, or the server refused or did not answer.
    """
    newer: Signed[Deposit] | None = None
    for page in desk.client.pages(route("agreements", agreement.id, "deposits")):
        if missing := unreadable_in(page):
            raise DepositsUnreadableError("some deposits are unreadable", deposits=missing)
        for view in objects(page, "deposits"):
            signed = read_deposit(view, agreement)
            _check_follows(newer, signed)
            newer = signed
            yield signed
    _check_follows(newer, None)


def _check_follows(newer: Signed[Deposit] | None, older: Signed[Deposit] | None) -> None:
    if newer is None:
        return
    if (fault := chain_fault(newer.body, None if older is None else (older.id, older.body))) is not None:
        raise DepositChainBrokenError(fault, number=newer.body.number)


def latest_deposits(
    desk: Desk, agreement: Agreement, components: Iterable[ComponentId], *, down_to: int | None = None
) -> Sequence[Signed[Deposit]]:
    """Return the last deposits, oldest first: so many that each component is among them, if it ever was.

    Args:
        down_to: The number of a deposit that has to be among them as well, if it is on record.

    Raises:
        TallystickError: As `newest_first`.
    """
    wanted, found = set(components), deque[Signed[Deposit]]()
    for signed in newest_first(desk, agreement):
        found.appendleft(signed)
        wanted -= {one.component for one in signed.body.components}
        if not wanted and (down_to is None or signed.body.number <= down_to):
            break
    return found


def verified_chain(desk: Desk, agreement: Agreement, number: int) -> Digest:
    """Return the digest of a deposit, after verifying the chain from the newest deposit to the first.

    Raises:
        DepositChainBrokenError: There is no deposit of this number, or as `newest_first`.
        TallystickError: As `newest_first`.
    """
    found: Digest | None = None
    verified = 0
    for verified, signed in enumerate(newest_first(desk, agreement), start=1):
        if signed.body.number == number:
            found = signed.id
        if verified % DEPOSITS_TOLD_EVERY == 0:
            desk.tell(f"{verified} deposits verified, down to deposit {signed.body.number}")
    if found is None:
        raise DepositChainBrokenError(f"there is no deposit {number}", number=number, deposits=verified)
    return found


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
