"""The deployment that carries an agreement, and its public keys."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from tallystick.domain.codec import MalformedDocumentError, decode, encode_object
from tallystick.domain.ids import DeploymentId, PublicKey
from tallystick.domain.json import JsonObject, JsonValue


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineKeys:
    """The deployment's own keys, pinned like everyone's.

    Attributes:
        log_key: Signs checkpoints, notices and events; can release nothing.
        decision_key: The gate's; signs decisions.
        gate_recipient: The gate's age recipient, to which its custody share is sealed.
    """

    log_key: PublicKey
    decision_key: PublicKey
    gate_recipient: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """A DSSE envelope that is passed on as it is; those who rely on it verify it."""

    envelope: JsonObject

    @classmethod
    def from_json(cls, value: JsonValue, where: str) -> "Publication":
        """Return the envelope that `value` is; its form is its verifier's business."""
        if not isinstance(value, Mapping):
            raise MalformedDocumentError("the value is not an object", at=where)
        return cls(envelope=value)

    def to_json(self) -> JsonValue:
        """Return the envelope."""
        return self.envelope


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """What is public about a deployment; every agreement pins it.

    Attributes:
        root_keys: The escrow agent's keys; an agreement registers only with a signature by one.
        letter_key: The log key's statement that publishes the key of letters; no agreement pins it.
    """

    id: DeploymentId
    engine: EngineKeys
    root_keys: tuple[PublicKey, ...] = ()
    letter_key: Publication | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Published(EngineKeys):
    """A deployment as JSON: the members of all its parts side by side."""

    deployment: DeploymentId
    root_keys: tuple[PublicKey, ...]
    letter_key: Publication | None = None


def read_deployment(value: JsonValue, *, where: str = "") -> Deployment:
    """Return what the JSON of a deployment says.

    Raises:
        MalformedDocumentError: Not exactly its members.
    """
    read = decode(_Published, value, where=where)
    engine = EngineKeys(
        log_key=read.log_key, decision_key=read.decision_key, gate_recipient=read.gate_recipient
    )
    return Deployment(id=read.deployment, engine=engine, root_keys=read.root_keys, letter_key=read.letter_key)


def write_deployment(deployment: Deployment) -> JsonObject:
    """Return the JSON of a deployment, as `deployment.json`, evidence files and the API have it."""
    return {
        "deployment": deployment.id,
        **encode_object(deployment.engine),
        "root_keys": list(deployment.root_keys),
        **({} if deployment.letter_key is None else {"letter_key": deployment.letter_key.to_json()}),
    }


def root_fault(signers: Collection[PublicKey], root_keys: Collection[PublicKey]) -> str | None:
    """Return why these signers do not bind the escrow agent, or None if a root key is among them."""
    return None if set(signers) & set(root_keys) else "no root key of this deployment signed it"
