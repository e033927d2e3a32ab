"""The deployment that carries an agreement, and its public keys."""

from collections.abc import Collection
from dataclasses import dataclass

from tallystick.domain.ids import (
    DeploymentId,
    PublicKey,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineKeys:
    """The deployment's own keys, pinned like everybody's.

    Attributes:
        log_key: Signs checkpoints, notices and events; can release nothing.
        decision_key: The gate's; signs decisions.
        gate_recipient: The gate's age recipient, to which its custody share is sealed.
    """

    log_key: PublicKey
    decision_key: PublicKey
    gate_recipient: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentFacts:
    """A deployment's public keys, as it tells them to everybody."""

    deployment: DeploymentId
    log_key: PublicKey
    decision_key: PublicKey
    gate_recipient: str
    root_keys: tuple[PublicKey, ...]


def root_fault(signers: Collection[PublicKey], root_keys: Collection[PublicKey]) -> str | None:
    """Return why these signers do not bind the escrow agent, or None if a root key is among them."""
    return None if set(signers) & set(root_keys) else "no root key of this deployment signed it"
