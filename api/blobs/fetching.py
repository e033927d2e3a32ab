"""Who may fetch which blob, by the signed statements.

Everything that is stored is sealed: the server has ciphertext only. Who may fetch a blob follows
from what it is for, and from the stages that were decided.
"""

import hashlib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from sqlmodel import Session

from api.backend.backend import Backend
from api.http.auth import Caller
from api.http.visibility import seen_agreement
from tallystick.domain.agreement.parties import Role
from tallystick.domain.authorship.authors import reporters_of
from tallystick.domain.authorship.readers import reads_documents_of
from tallystick.domain.claim.disclosure import disclosed
from tallystick.domain.claim.documents import documents_of
from tallystick.domain.ids import AgreementId, Digest, PartyId, party_of
from tallystick.store.blobs.chunks import ChunkedBlob, chunks_in_row
from tallystick.store.blobs.replicas import ReplicatedBlobs
from tallystick.store.blobs.uploads import BlobPurpose, StoredBlob, blobs_with
from tallystick.store.cases.casefile import CaseFile, pinned_deposit
from tallystick.store.damage import unless_damaged
from tallystick.store.database.session import reading
from tallystick.store.ledger import ledger


def may_fetch(backend: Backend, session: Session, caller: Caller, wanted: Digest) -> bool:
    """Return whether the caller is entitled to the bytes of a blob."""
    known = blobs_with(session, wanted)
    for blob in known:
        if blob.agreement_id not in caller.persons:
            continue
        with unless_damaged("an agreement is unreadable", agreement=blob.agreement_id):
            if _by_purpose(session, caller, blob):
                return True
    under = {blob.agreement_id for blob in known} & caller.seats.keys() or set(caller.seats)
    # What a claim discloses follows from the logs: a receiver who fetches range by range costs one look.
    return backend.entitled.remembered(
        (caller.fingerprint, wanted),
        as_of=_state_of(ledger.sizes(session, under)),
        look=lambda: _by_claims(backend, session, caller, wanted, under),
    )


def _state_of(sizes: Mapping[AgreementId, int]) -> str:
    """Return what stands for the logs' sizes, of one length however many logs there are."""
    return hashlib.sha256(repr(sorted(sizes.items())).encode()).hexdigest()


def _by_claims(
    backend: Backend, session: Session, caller: Caller, wanted: Digest, under: Collection[AgreementId]
) -> bool:
    return any(
        wanted in _disclosed(session, case, caller) | _evidence(case, caller)
        for case in backend.readable_cases(session, under)  # both ask who the caller is in its version
    )


class Source(Protocol):
    """Where a blob's bytes come from, each of them hashed on this read."""

    @property
    def size_bytes(self) -> int:
        """Of the whole blob."""
        ...

    def read(self, first_byte: int, length: int) -> Iterator[bytes]:
        """Yield a range."""
        ...


def source_of(backend: Backend, wanted: Digest) -> Source:
    """Return where to read a blob; only what people upload may be large, and its chunks are known.

    Raises:
        NoGoodReplicaError: Its chunks are not known, and no copy is good.
    """
    with reading(backend.database) as session:
        known = blobs_with(session, wanted)
        first_row = chunks_in_row(session, wanted, 0)
    if not known or first_row is None:
        return _Whole(blobs=backend.blobs, digest=wanted)

    def row(part: int) -> bytes | None:
        if part == 0:
            return first_row
        with reading(backend.database) as session:
            return chunks_in_row(session, wanted, part)

    return ChunkedBlob(digest=wanted, size_bytes=known[0].size_bytes, row=row, stores=backend.blobs.stores)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Whole:
    """A small blob that one of our own processes stored: it is hashed as a whole."""

    blobs: ReplicatedBlobs
    digest: Digest

    @property
    def size_bytes(self) -> int:
        return self.blobs.open_verified(self.digest).size_bytes

    def read(self, first_byte: int, length: int) -> Iterator[bytes]:
        return self.blobs.open_verified(self.digest, first_byte=first_byte, length=length).chunks


def _by_purpose(session: Session, caller: Caller, blob: StoredBlob) -> bool:
    person = caller.persons[blob.agreement_id]
    if blob.uploaded_by == caller.fingerprint:
        return True
    if blob.purpose not in {BlobPurpose.DEPOSIT, BlobPurpose.EVIDENCE}:
        return False
    agreement = seen_agreement(session, caller, blob.agreement_id).signed().agreement
    if blob.purpose == BlobPurpose.EVIDENCE:
        return reads_documents_of(agreement, PartyId(blob.party), person)
    entitled = {
        party.id for role in (Role.DEPOSITOR, Role.ESCROW_AGENT) for party in agreement.parties_in(role)
    }
    return party_of(person) in entitled


def _evidence(case: CaseFile, caller: Caller) -> frozenset[Digest]:
    """Return the documents of a claim, if the caller may read them under the claim's own version."""
    person = caller.person_under(case.agreement)
    if person is None or not reads_documents_of(case.agreement, case.claim.claimant_party, person):
        return frozenset()
    return frozenset(named.document.sealed_digest for named in documents_of(case.claim))


def _disclosed(session: Session, case: CaseFile, caller: Caller) -> frozenset[Digest]:
    """Return what the caller may fetch as a claimant or receiver; nothing, if the deposit is damaged."""
    agreement, claim, person = case.agreement, case.claim, caller.person_under(case.agreement)
    stages = [one for one in claim.decided_stages if person in reporters_of(agreement, claim, one)]
    if not stages:
        return frozenset()
    with unless_damaged("a claim's deposit is unreadable", claim=case.claim.digest):
        return disclosed(agreement, claim, pinned_deposit(session, case).body().components, stages)
    return frozenset()  # other claims of the caller pin other deposits
