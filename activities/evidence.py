"""The evidence file of a claim: exported with the log key, kept as a blob like any other."""

from collections.abc import Callable
from dataclasses import dataclass, field

from sqlalchemy import Engine
from sqlmodel import Session
from temporalio import activity

from activities.heartbeats import beating, heartbeat
from activities.places import EvidenceBusyError, Places
from activities.rounds.log_signing import LogSigning
from tallystick.crypto.keys import SigningKey
from tallystick.domain.ids import AgreementId, Digest, PublicKey, digest, sha256_digest
from tallystick.faults import crossing
from tallystick.limits.processes import EVIDENCE_STEPS_EACH_MAX
from tallystick.limits.steps import EVIDENCE_LOOKS_MAX
from tallystick.messages import EvidenceRequest, StoredEvidence
from tallystick.store.blobs.replicas import ReplicatedBlobs
from tallystick.store.cases.casefile import ClaimMovedOnError
from tallystick.store.cases.evidence import export
from tallystick.store.database.session import reading, transaction
from tallystick.store.registers import claims


@dataclass(frozen=True, kw_only=True)
class EvidenceActivities:
    """What the worker does for anyone who wants to verify a claim; the API has no key to do it with.

    Attributes:
        root_keys: The escrow agent's keys, from the worker's settings.
        places: How many evidence files under one agreement are made at a time.
    """

    database: Engine
    blobs: ReplicatedBlobs
    log_key: SigningKey = field(repr=False)
    root_keys: frozenset[PublicKey]
    signing: LogSigning
    tell: Callable[[str], None] = heartbeat
    places: Places = field(default_factory=lambda: Places(EVIDENCE_STEPS_EACH_MAX, EvidenceBusyError))

    @activity.defn
    def export_evidence(self, asked: EvidenceRequest) -> StoredEvidence:
        """Export a claim's evidence and store it; a repeated run makes another seal, which does no harm.

        Raises:
            ApplicationError: No such claim, a damaged log, a store that does not take it, or enough others of
                the agreement are being made, so Temporal tries again.
        """
        claim = digest(asked.claim)
        with crossing(), beating(), self.places.place(self._agreement(claim)):
            data = self._exported(claim)
            self.tell("exported")
            stored = sha256_digest(data)
            self.blobs.put(stored, len(data), lambda: [data])
        return StoredEvidence(digest=stored, size_bytes=len(data))

    def _agreement(self, claim: Digest) -> AgreementId:
        with reading(self.database) as session:
            return claims.filed(session, claim).agreement_id

    def _exported(self, claim: Digest) -> bytes:
        """Sign the log in a transaction, and read and fold outside of it, so that no other act waits.

        Raises:
            ClaimMovedOnError: The claim grows faster than it is read.
            TallystickError: It cannot be exported.
        """
        for left in reversed(range(EVIDENCE_LOOKS_MAX)):
            with transaction(self.database) as session:
                note = self._signed_log(session, claim)
            with reading(self.database) as session:
                try:
                    return export(session, claim, self.log_key, root_keys=self.root_keys, checkpoint=note)
                except ClaimMovedOnError:
                    if not left:
                        raise
        raise AssertionError("the last look returns or raises")

    def _signed_log(self, session: Session, claim: Digest) -> bytes:
        """Return the newest checkpoint of the log in which a claim is; if the log has grown, sign it anew.

        This alone of an export writes, and it folds nothing: others wait for it as for any entry.
        """
        stored = claims.filed(session, claim)
        self.signing.raise_alarms(session, stored.agreement_id)
        return self.signing.signed(session, stored.agreement_id)
