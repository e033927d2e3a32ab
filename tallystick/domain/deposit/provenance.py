"""Who made a deposit: the depositor signed it, it follows the last one, and the gate dealt its custody.

Each function returns in words what is wrong, or None; its caller raises an error of its own with these words.
So the API, the gate, the receiver and the offline verifier apply the same rule.
"""

from tallystick.domain.agreement.agreement import Agreement, depositor
from tallystick.domain.agreement.plan import GATE_LEAF
from tallystick.domain.ids import ComponentId, Digest
from tallystick.domain.statements.custody import Custody
from tallystick.domain.statements.deposits import Deposit
from tallystick.domain.statements.header import Header
from tallystick.domain.statements.signed import Signed


def deposit_fault(agreement: Agreement, signed: Signed[Deposit]) -> str | None:
    """Return why a deposit is not by the person of the depositor whom it names, under this agreement."""
    if (fault := _elsewhere(agreement, signed.body)) is not None:
        return fault
    named = signed.body.person
    if named not in {person.id for person in agreement.acting_for(depositor(agreement).id)}:
        return f"only persons of the depositor may deposit, and {named} is not one of them"
    if signed.signers != frozenset({agreement.person(named).signing_key}):
        return f"not signed by {named}, whom it names"
    return None


def place_fault(body: Deposit) -> str | None:
    """Return why a deposit has no place in any chain, or None: only the first names none before it."""
    if body.number < 1 or (body.number == 1) != (body.previous is None):
        return f"deposit {body.number} names {body.previous or 'none'} as the deposit before it"
    return None


def chain_fault(body: Deposit, last: tuple[Digest, Deposit] | None) -> str | None:
    """Return why a deposit does not follow `last`, which was recorded before it, or None if it does."""
    number, previous = (1, None) if last is None else (last[1].number + 1, last[0])
    if (body.number, body.previous) == (number, previous):
        return None
    given, wanted = body.previous or "none", previous or "none"
    return f"it is deposit {body.number} after {given}, but the next one is {number} after {wanted}"


def custody_fault(agreement: Agreement, signed: Signed[Custody], component: ComponentId) -> str | None:
    """Return why a custody epoch is not one that this agreement's gate dealt for `component`."""
    if (fault := _elsewhere(agreement, signed.body)) is not None:
        return fault
    if signed.body.component != component:
        return f"it is a custody epoch of {signed.body.component}"
    if signed.signers != frozenset({agreement.engine.decision_key}):
        return "not dealt by the gate"
    if [share.leaf for share in signed.body.shares] != [GATE_LEAF]:
        return "its one share is not the gate's"
    return None


def _elsewhere(agreement: Agreement, body: Header) -> str | None:
    here = (agreement.deployment, agreement.id)
    return (
        None if (body.deployment, body.agreement) == here else "it is under another agreement or deployment"
    )
