"""The evidence file of a claim: exported with the log key, kept as a blob like any other."""

from collections.abc import Callable
from dataclasses import dataclass, field

from sqlalchemy import Engine
from temporalio import activity

from activities.heartbeats import beating, heartbeat
from tallystick.crypto.json.canonical import sha256_digest
from tallystick.crypto.keys import SigningKey
from tallystick.domain.ids import PublicKey, digest
from tallystick.faults import crossing
from tallystick.messages import EvidenceRequest, StoredEvidence
from tallystick.store.blobs.replicas import ReplicatedBlobs
from tallystick.store.cases.evidence import export
from tallystick.store.database.session import transaction


@dataclass(frozen=True, kw_only=True)
class EvidenceActivities:
    """What the worker does for anyone who wants to verify a claim; the API has no key to do it with.

    Attributes:
        root_keys: The escrow agent's keys, from the worker's settings.
    """

    database: Engine
    blobs: ReplicatedBlobs
    log_key: SigningKey = field(repr=False)
    root_keys: frozenset[PublicKey]
    tell: Callable[[str], None] = heartbeat

    @activity.defn
    def export_evidence(self, asked: EvidenceRequest) -> StoredEvidence:
        """Export a claim's evidence and store it; a repeated run makes another seal, which does no harm.

        Raises:
            ApplicationError: No such claim, a damaged log, or a store that does not take it.
        """
        with crossing(), beating():
            with transaction(self.database) as session:
                data = export(session, digest(asked.claim), self.log_key, root_keys=self.root_keys)
            self.tell("exported")
            stored = sha256_digest(data)
            self.blobs.put(stored, len(data), lambda: [data])
        return StoredEvidence(digest=stored, size_bytes=len(data))
