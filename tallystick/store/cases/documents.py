"""The evidence documents that a claim names, as the stores have them.

A blob is its digest, so how it is sealed never changes: that is read before the transaction that records
the claim. What has arrived and is still kept is looked up again in it, so nothing is removed in between.
"""

import io
from collections.abc import Mapping
from dataclasses import dataclass, replace

from sqlalchemy import Engine
from sqlmodel import Session

from tallystick.crypto.age import MalformedHeaderError, sealed_to
from tallystick.domain.ids import AgreementId, Digest, PartyId, PersonId, party_of
from tallystick.domain.record.documents import StoredDocument
from tallystick.domain.statements.filing import ClaimFiling
from tallystick.domain.statements.header import Document
from tallystick.limits.claims import EVIDENCE_DOCUMENTS_MAX
from tallystick.limits.sealing import AGE_HEADER_BYTES_MAX
from tallystick.store.blobs.chunks import ChunkedBlob, chunks_in_row
from tallystick.store.blobs.replicas import NoGoodReplicaError, ReplicatedBlobs
from tallystick.store.blobs.store import check_readable
from tallystick.store.blobs.uploads import BlobPurpose, StoredBlob, blobs_with
from tallystick.store.database.session import reading


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentStores:
    """Where evidence documents lie, and the notes of what has arrived."""

    database: Engine
    blobs: ReplicatedBlobs

    def documents_of(self, filing: ClaimFiling) -> dict[Digest, StoredDocument]:
        """Return the documents that a claim names and a store has; no more than a claim may name are read.

        Raises:
            BlobStoreFailedError: A store cannot be read now, which says nothing about a document.
            DatabaseUnavailableError: The database is out of reach.
        """
        named = {document.sealed_digest for document in filing.evidence[:EVIDENCE_DOCUMENTS_MAX]}
        with reading(self.database) as session:
            sent = [(_sent(session, filing.agreement, one), chunks_in_row(session, one, 0)) for one in named]
        return {
            blobs[0].digest: seen
            for blobs, hashes in sent
            if blobs and (seen := self._seen(blobs, hashes)) is not None
        }

    def _seen(self, sent: list[StoredBlob], hashes: bytes | None) -> StoredDocument | None:
        """Return what the first bytes of a document show, from a copy that has them; None if none has."""
        blob = sent[0]
        stored = ChunkedBlob(
            digest=blob.digest, size_bytes=blob.size_bytes, row=lambda _: hashes, stores=self.blobs.stores
        )
        try:
            start = b"".join(stored.read(0, min(blob.size_bytes, AGE_HEADER_BYTES_MAX)))
        except NoGoodReplicaError as error:
            check_readable(error.verdicts)
            return None
        try:
            return StoredDocument(senders=_parties(sent), recipients=sealed_to(io.BytesIO(start)))
        except MalformedHeaderError as error:
            fault = f"no age file that opens: {error.message}"
            return StoredDocument(senders=_parties(sent), recipients=(), fault=fault)


def still_there(
    session: Session, filing: ClaimFiling, seen: Mapping[Digest, StoredDocument]
) -> dict[Digest, StoredDocument]:
    """Return the documents that were seen before, with who has sent them as this transaction knows it."""
    return {
        digest: replace(document, senders=_parties(_sent(session, filing.agreement, digest)))
        for digest, document in seen.items()
    }


def stored_bytes(session: Session, agreement_id: AgreementId, document: Document, by: PersonId) -> int | None:
    """Return how large a document is that its author's party has sent; None if it has not, or it was lost."""
    party, sent = party_of(by), _sent(session, agreement_id, document.sealed_digest)
    return next((one.size_bytes for one in sent if one.party == party and not one.lost), None)


def _sent(session: Session, agreement_id: AgreementId, wanted: Digest) -> list[StoredBlob]:
    known = blobs_with(session, wanted)
    return [one for one in known if (one.agreement_id, one.purpose) == (agreement_id, BlobPurpose.EVIDENCE)]


def _parties(sent: list[StoredBlob]) -> frozenset[PartyId]:
    return frozenset(PartyId(blob.party) for blob in sent)
