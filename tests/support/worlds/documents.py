"""Evidence documents as a claimant has them: sealed to all their readers, and uploaded before she files."""

from datetime import datetime, timedelta
from functools import cache

from sqlalchemy import Engine

from tallystick.crypto.age import parse_recipient, seal_bytes
from tallystick.crypto.keys import key_id
from tallystick.domain.agreement.agreement import Agreement, readers
from tallystick.domain.ids import AgreementId, Digest, PersonId, party_of, sha256_digest
from tallystick.domain.statements.filing import EvidenceDocument
from tallystick.store.blobs.chunks import ChunkHashing, record_chunks
from tallystick.store.blobs.replicas import ReplicatedBlobs
from tallystick.store.blobs.uploads import BlobPurpose, StoredBlob, record_blob
from tallystick.store.database.session import transaction
from tests.support.worlds.agreements import PEOPLE

ITEMS = ("insolvency-record", "outage-record")
"""What claims of these worlds attach."""


def sealed(agreement: Agreement, item: str) -> bytes:
    """The document for an item, as an age file for its readers; the same one each time."""
    return sealed_for(tuple(reader.age_recipient for reader in readers(agreement)), item)


@cache
def sealed_for(recipients: tuple[str, ...], item: str) -> bytes:
    return seal_bytes(item.encode(), [parse_recipient(one) for one in recipients])


def document(agreement: Agreement, item: str, at: datetime, data: bytes | None = None) -> EvidenceDocument:
    """What a claim filed at `at` says of the document for an item, which is sealed as `data`."""
    return EvidenceDocument(
        item=item,
        issued_at=at - timedelta(days=1),
        plain_digest=sha256_digest(item.encode()),
        sealed_digest=sha256_digest(sealed(agreement, item) if data is None else data),
    )


def upload(
    database: Engine,
    blobs: ReplicatedBlobs,
    data: bytes,
    *,
    under: AgreementId,
    sender: PersonId,
    at: datetime,
    purpose: BlobPurpose = BlobPurpose.EVIDENCE,
) -> Digest:
    """Have the stores take a file from `sender`, as they take what has been uploaded."""
    hashing, wanted = ChunkHashing(), sha256_digest(data)
    blobs.put(wanted, len(data), lambda: hashing.passing([data]))
    blob = StoredBlob(
        digest=wanted,
        size_bytes=len(data),
        agreement_id=under,
        uploaded_by=key_id(PEOPLE[sender].signing_key.public_key),
        party=party_of(sender),
        purpose=purpose,
        arrived_at=at,
    )
    with transaction(database) as session:
        record_blob(session, blob)
        record_chunks(session, wanted, hashing.hashes)
    return wanted
