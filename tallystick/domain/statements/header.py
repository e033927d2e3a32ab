"""What several kinds of statement share: header, claim, a sealed document, a re-sealed share."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from tallystick.domain.amounts import counted
from tallystick.domain.ids import AgreementId, ComponentId, DeploymentId, Digest, PersonId
from tallystick.domain.kinds import Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What every statement under an agreement carries.

    Attributes:
        KIND: Which kind of statement has this body.
        person: The author; the engine and the gate have names of their own (`ids`).
        nonce: 32 hexadecimal digits: someone who says the same thing twice makes two statements.
    """

    KIND: ClassVar[Kind]
    deployment: DeploymentId
    agreement: AgreementId
    agreement_digest: Digest
    person: PersonId
    issued_at: datetime
    nonce: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerSeen:
    """A checkpoint of the agreement's log that the author had verified before signing.

    The log must extend it: its first `size` entries have this `root` (RFC 6962). So whoever rewrites the log,
    or puts an older copy of it in its place, contradicts what persons have signed.
    """

    size: int
    root: Digest

    @property
    def words(self) -> str:
        """What was verified, for people."""
        return f"the root {self.root} of the first {counted(self.size, 'entry', 'entries')}"


@dataclass(frozen=True, slots=True, kw_only=True)
class OnClaim(Header):
    """A statement about one claim, named by its digest."""

    claim: Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class ActBody(OnClaim):
    """What a person states about one claim.

    Attributes:
        ledger_seen: The newest checkpoint that the author had verified; absent if there is none.
    """

    ledger_seen: LedgerSeen | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A document that a statement brings, sealed to the persons whom the agreement entitles to read it.

    Attributes:
        name: What its author calls it, such as `award`.
        plain_digest: SHA-256 of the document itself, which its readers compare.
        sealed_digest: SHA-256 of the age file in the stores.
        issued_at: When it was issued; absent: its author does not say.
    """

    name: str
    plain_digest: Digest
    sealed_digest: Digest
    issued_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentedActBody(ActBody):
    """An act that may bring documents.

    Attributes:
        documents: Each under a name of its own. That it is named here does not say that a store has it.
    """

    documents: tuple[Document, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Contribution:
    """A share of a component's key, re-sealed to the claim's receivers: a blob, by digest."""

    component: ComponentId
    leaf: str
    sealed_digest: Digest
