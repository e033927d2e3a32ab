"""What a played claim refers to: the agreement's digest, a deposit of every component, and its custody.

Nothing here is signed or stored. The digests are invented: rules compare digests, and never look behind them.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeVar

from tallystick.domain.agreement.agreement import Agreement, depositor
from tallystick.domain.agreement.terms import Terms
from tallystick.domain.claim.sight import Sight
from tallystick.domain.ids import ComponentId, Digest, PublicKey, as_digest, gate_person
from tallystick.domain.statements.custody import Custody
from tallystick.domain.statements.deposits import Deposit, DepositedComponent
from tallystick.domain.statements.signed import Body, Signed

_B = TypeVar("_B", bound=Body)
_NONCE: Final = 32 * "0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Props:
    """An agreement with everything that a claim under it refers to."""

    terms: Terms
    deposit: Signed[Deposit]
    custody: Mapping[ComponentId, Custody]

    @property
    def agreement(self) -> Agreement:
        """The agreement that is tried."""
        return self.terms.agreement

    def sight(self, at: datetime) -> Sight:
        """Return what the gate sees where everything outside the record is in order."""
        keys = frozenset(person.signing_key for person in self.agreement.persons)
        return Sight(
            at=at,
            agreement_digest=self.terms.digest,
            agreement_signers=keys,
            root_keys=keys,
            deposit=self.deposit,
            custody=self.custody,
            sealed=dict.fromkeys(self.custody),
            ledger=None,
            unextended=frozenset(),
            halted=False,
        )


def props(agreement: Agreement, *, at: datetime) -> Props:
    """Return what a claim that is filed at `at` would refer to."""
    terms = Terms(agreement=agreement, digest=invented("agreement"))
    person = agreement.acting_for(depositor(agreement).id)[0]
    components = tuple(_deposited(component.id) for component in agreement.components)
    deposit = Deposit(**terms.header(person.id, at, _NONCE), number=1, watermark=at, components=components)
    return Props(
        terms=terms,
        deposit=as_if_signed(deposit, person.signing_key, name="deposit"),
        custody={component.id: _custody(terms, component.id, at) for component in agreement.components},
    )


def as_if_signed(body: _B, *keys: PublicKey, name: str) -> Signed[_B]:
    """Return `body` as if these keys had signed it; `name` is unlike that of any other in the play."""
    return Signed(kind=body.KIND, id=invented(name), signers=frozenset(keys), body=body)


def invented(name: str) -> Digest:
    """Return the digest that stands for what is called `name`."""
    return as_digest(hashlib.sha256(name.encode()).digest())


def _deposited(component: ComponentId) -> DepositedComponent:
    return DepositedComponent(
        component=component,
        custody=invented(f"custody of {component}"),
        sealed_digest=invented(f"sealed {component}"),
        sealed_bytes=1,
        manifest_digest=invented(f"manifest of {component}"),
        files=1,
        payload_bytes=1,
    )


def _custody(terms: Terms, component: ComponentId, at: datetime) -> Custody:
    return Custody(
        **terms.header(gate_person(terms.agreement.deployment), at, _NONCE),
        component=component,
        epoch=1,
        recipient="",
        commitments=(),
        shares=(),
    )
