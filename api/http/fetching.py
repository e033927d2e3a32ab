"""Who may fetch which blob, by the signed statements.

Everything that is stored is sealed: the server has ciphertext only. Who may fetch a blob follows
from what it is for, and from the stages that were decided.
"""

from sqlmodel import Session

from api.answers.delivery import deposit_of
from api.backend.backend import Backend
from api.http.auth import Caller
from api.http.visibility import seen_agreement, seen_cases
from tallystick.domain.agreement.parties import Role
from tallystick.domain.claim.disclosure import disclosed
from tallystick.domain.ids import Digest, party_of
from tallystick.store.blobs.uploads import BlobPurpose, StoredBlob, blobs_with
from tallystick.store.cases.casefile import CaseFile
from tallystick.store.damage import unless_damaged


def may_fetch(backend: Backend, session: Session, caller: Caller, wanted: Digest) -> bool:
    """Return whether the caller is entitled to the bytes of a blob."""
    for blob in blobs_with(session, wanted):
        if blob.agreement_id not in caller.persons:
            continue
        with unless_damaged("an agreement is unreadable", agreement=blob.agreement_id):
            if _by_purpose(session, caller, blob):
                return True
    cases = seen_cases(backend, session, caller)
    return any(wanted in _disclosed(session, case, caller) | _evidence(case, caller) for case in cases)


def _by_purpose(session: Session, caller: Caller, blob: StoredBlob) -> bool:
    person = caller.persons[blob.agreement_id]
    if blob.uploaded_by == caller.fingerprint or blob.purpose == BlobPurpose.EVIDENCE:
        return True
    if blob.purpose != BlobPurpose.DEPOSIT:
        return False
    agreement = seen_agreement(session, caller, blob.agreement_id).signed().agreement
    entitled = {
        party.id for role in (Role.DEPOSITOR, Role.ESCROW_AGENT) for party in agreement.parties_in(role)
    }
    return party_of(person) in entitled


def _evidence(case: CaseFile, caller: Caller) -> frozenset[Digest]:
    """Return the documents of a claim that those may read who are in its version of the agreement alone."""
    if case.agreement.id in caller.persons:
        return frozenset()
    return frozenset(document.sealed_digest for document in case.claim.filing.evidence)


def _disclosed(session: Session, case: CaseFile, caller: Caller) -> frozenset[Digest]:
    """Return what the caller may fetch as a claimant of `case`; nothing, if its deposit is damaged."""
    if caller.seats[case.agreement.id] not in case.agreement.authorities.claimants:
        return frozenset()
    if not case.claim.decided_stages:
        return frozenset()
    with unless_damaged("a claim's deposit is unreadable", claim=case.claim.digest):
        return disclosed(case.agreement, case.claim, deposit_of(session, case).body().components)
    return frozenset()  # other claims of the caller pin other deposits
