"""A claim on its way to its record: what the stores have of its documents, and whether it may be filed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine
from sqlmodel import Session
from temporalio import activity

from tallystick.crypto.envelope import Envelope, kind_of, parse_envelope, statement_id
from tallystick.domain.ids import Digest
from tallystick.domain.kinds import Kind
from tallystick.domain.record.documents import StoredDocument
from tallystick.domain.refusals import MisdirectedError
from tallystick.messages import ClaimStart, claim_workflow_id
from tallystick.proof.reading import header_of
from tallystick.store.blobs.replicas import ReplicatedBlobs
from tallystick.store.cases.documents import DocumentStores
from tallystick.store.cases.filing import check_may_be_filed, read_filing
from tallystick.store.cases.kept import Cases
from tallystick.store.database.session import reading
from tallystick.store.registers import agreements, claims


@dataclass(frozen=True, slots=True, kw_only=True)
class Filings:
    """Puts claims on record; what takes long is looked at before anybody waits to write."""

    database: Engine
    blobs: ReplicatedBlobs
    cases: Cases

    def look(self, envelope: Envelope, claim: Digest) -> Mapping[Digest, StoredDocument]:
        """Return what the stores have of a new claim's documents; of one on record nothing is asked.

        Raises:
            TallystickError: Its agreement is not registered, a signature is wrong, or a store is away.
        """
        with reading(self.database) as session:
            if claims.by_digest(session, claim) is not None:
                return {}
            filing = read_filing(agreements.named_by(session, header_of(envelope)), envelope).body
            # So that they do not fold while others wait to write.
            self.cases.beside(session, filing.agreement, filing)
        return DocumentStores(database=self.database, blobs=self.blobs).documents_of(filing)

    def record(
        self, session: Session, envelope: Envelope, documents: Mapping[Digest, StoredDocument], at: datetime
    ) -> None:
        """Put a claim on record in a transaction of the caller, unless it is there.

        Raises:
            TallystickError: The rule that refuses it.
        """
        if claims.by_digest(session, statement_id(envelope)) is None:
            registered = agreements.named_by(session, header_of(envelope))
            signed = read_filing(registered, envelope)
            check_may_be_filed(session, self.cases, registered, signed, documents=documents, at=at)
            claims.file(session, envelope, at)


def claim_in(start: ClaimStart) -> tuple[Envelope, Digest]:
    """Return the claim that a workflow carries, and its digest.

    Raises:
        MisdirectedError: It is not the workflow's own, by whose id alone the API finds it.
    """
    envelope = parse_envelope(start.envelope.encode())
    claim = statement_id(envelope)
    if claim != start.claim or not _is_carried_as(claim) or kind_of(envelope) != Kind.CLAIM:
        raise MisdirectedError("the workflow is another claim's", claim=claim)
    return envelope, claim


def _is_carried_as(claim: Digest) -> bool:
    return not activity.in_activity() or activity.info().workflow_id == claim_workflow_id(claim)
