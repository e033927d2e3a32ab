"""What the one who decides on a claim has read itself, besides the claim's own record."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from tallystick.domain.ids import ComponentId, Digest, PublicKey
from tallystick.domain.statements.custody import Custody
from tallystick.domain.statements.deposits import Deposit
from tallystick.domain.statements.signed import Signed


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What the one who decides has read itself, and not been told by others.

    Attributes:
        at: Its own clock.
        agreement_digest: Of the agreement whose bytes it has verified.
        agreement_signers: The keys that signed those bytes.
        root_keys: The escrow agent's keys, from its own settings.
        deposit: The deposit statement that the claim pins, verified; None if it was not found.
        custody: The custody statements that the deposit's components name, verified, by component.
        sealed: For each component whose sealed bytes it has read anew: None if every byte matched
            what the depositor signed, else what is wrong.
        ledger: None if the log's entries, proofs and checkpoint agree, else what is wrong.
        unextended: The statements on record that help a release, and whose authors had verified a log that
            this one does not extend.
        halted: Whether releases are halted in this deployment.
    """

    at: datetime
    agreement_digest: Digest
    agreement_signers: frozenset[PublicKey]
    root_keys: frozenset[PublicKey]
    deposit: Signed[Deposit] | None
    custody: Mapping[ComponentId, Custody]
    sealed: Mapping[ComponentId, str | None]
    ledger: str | None
    unextended: frozenset[Digest]
    halted: bool


def sight_of_log(at: datetime, unextended: frozenset[Digest]) -> Sight:
    """Return what someone has seen who has read the log and nothing else: no other premise holds by it."""
    return Sight(
        at=at,
        agreement_digest=Digest(""),
        agreement_signers=frozenset(),
        root_keys=frozenset(),
        deposit=None,
        custody={},
        sealed={},
        ledger="not hashed",
        unextended=unextended,
        halted=True,
    )
