"""Publishing what a decision gives: first the gate remembers it, then it is stored for the receiver."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Engine

from activities.gate.gate import note_blob
from activities.gate.journal import GateJournal, KeptContribution
from tallystick.crypto.keyfile import PrivateKeys
from tallystick.domain.claim.claim import Claim
from tallystick.domain.claim.receivers import receivers_of
from tallystick.domain.errors import TallystickError
from tallystick.domain.ids import ComponentId, Digest, StageId, sha256_digest
from tallystick.domain.statements.engine import DecisionStatement
from tallystick.domain.statements.header import Contribution
from tallystick.store.blobs.replicas import NoGoodReplicaError, ReplicatedBlobs
from tallystick.store.blobs.uploads import BlobPurpose
from tallystick.store.cases.casefile import CaseFile
from tallystick.store.database.session import transaction


class ContributionLostError(TallystickError):
    """A stage was decided, and no copy of the gate's contribution to it is left."""

    code = "contribution-lost"
    why = "A stage is decided once, for ever, and the decision names the exact bytes that were contributed."
    advice = (
        "Restore the gate's journal, or one blob store, from a backup; if there is none, the claimant files "
        "a new claim. The gate never decides this stage again."
    )


class DecisionForgottenError(TallystickError):
    """The gate remembers a decision that the ledger does not have: the ledger was rolled back."""

    code = "decision-forgotten"
    why = "The gate decided this stage before and may have given its share away; it never decides it again."
    advice = (
        "Restore the database to a state that has the decision; compare it with the parties' checkpoints."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Publisher:
    """Gives the receiver what a decision names, and nothing else.

    Attributes:
        tell: Called with each step that is done; a crash between any two is harmless.
    """

    database: Engine
    blobs: ReplicatedBlobs
    keys: PrivateKeys = field(repr=False)
    journal: GateJournal
    tell: Callable[[str], None]

    def publish(
        self, case: CaseFile, stage: StageId, decision: Digest, kept: Sequence[KeptContribution]
    ) -> None:
        """Remember a decision that is on record, then put what it gives into the blob stores.

        Raises:
            TallystickError: The journal, a store or the database failed; repeating is harmless.
        """
        self.journal.remember_decision(case.claim.digest, stage, decision)
        self.tell("decision remembered")
        everywhere = dict[ComponentId, bool]()
        for one in kept:
            everywhere[one.component] = self._store(one.sealed)
            self.tell(f"contribution to {one.component} stored")
        with transaction(self.database) as session:
            for one in kept:
                note_blob(
                    session,
                    case.agreement.id,
                    one.sealed,
                    BlobPurpose.CONTRIBUTION,
                    self.keys,
                    everywhere=everywhere[one.component],
                )
        self.tell("contributions noted")

    def repeat(self, case: CaseFile, stage: StageId, decision: Digest) -> None:
        """Give again what was given, or was about to be: byte for byte what the decision names.

        Raises:
            DecisionForgottenError: The gate remembers another decision on this stage.
            ContributionLostError: What the decision names is neither in the journal nor in any store.
        """
        self.check_never_decided(case.claim.digest, stage, but=decision)
        named = _named_in(case.claim, decision)
        receivers = receivers_of(case.agreement, case.claim, stage)
        kept = self.journal.contributions(case.claim.digest, stage, receivers)
        if kept is not None and as_named(kept) == named:
            self.publish(case, stage, decision, kept)
        else:
            self._check_stored(case.claim, stage, named)

    def check_never_decided(self, claim: Digest, stage: StageId, *, but: Digest | None = None) -> None:
        """Refuse if the gate remembers a decision on this stage, other than `but`.

        Raises:
            DecisionForgottenError: The ledger lacks the decision that the gate remembers.
        """
        if (remembered := self.journal.decision(claim, stage)) not in {None, but}:
            raise DecisionForgottenError(
                "the ledger lacks this gate's decision", claim=claim, stage=stage, decision=remembered
            )

    def _store(self, data: bytes) -> bool:
        """Store bytes, and return whether every store has them."""
        return self.blobs.put(sha256_digest(data), len(data), lambda: [data]).everywhere

    def _check_stored(self, claim: Claim, stage: StageId, named: Sequence[Contribution]) -> None:
        """Rely on the copies in the stores: the journal has lost the contribution, and none is made anew."""
        for one in named:
            try:
                self.blobs.repair(one.sealed_digest)
            except NoGoodReplicaError as error:
                raise ContributionLostError(
                    "the stage was decided, and the gate's contribution to it is lost",
                    claim=claim.digest,
                    stage=stage,
                    component=one.component,
                ) from error


def _named_in(claim: Claim, decision: Digest) -> tuple[Contribution, ...]:
    (body,) = (body for entry, body in claim.entries_of(DecisionStatement) if entry.signed.id == decision)
    return body.contributions


def as_named(kept: Sequence[KeptContribution]) -> tuple[Contribution, ...]:
    """Return contributions as a decision names them: by the digests of what was sealed."""
    return tuple(
        Contribution(component=one.component, leaf=one.leaf, sealed_digest=sha256_digest(one.sealed))
        for one in kept
    )
