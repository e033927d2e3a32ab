"""What a caller may see; for them, nothing else exists.

Those whom the newest version of an agreement lists see all of it. Those whom it leaves out see the versions
that list them, and what concerns claims under these. Neither sees the claims of another beneficiary.
"""

from collections.abc import Iterator, Mapping
from typing import Annotated, Final

from fastapi import Path
from sqlmodel import Session

from api.backend.backend import Backend
from api.backend.remembered import Remembered
from api.http.auth import Caller
from tallystick.domain import ids
from tallystick.domain.agreement.parties import Role
from tallystick.domain.errors import TallystickError
from tallystick.domain.ids import AgreementId, ClaimId, Digest, PartyId, PublicKey
from tallystick.domain.kinds import Kind
from tallystick.domain.statements.filing import ClaimFiling
from tallystick.limits.api import LIST_PAGE_CLAIMS_MAX
from tallystick.store.cases.casefile import CaseFile
from tallystick.store.database.session import reading
from tallystick.store.ledger.entry import LedgerEntry
from tallystick.store.registers import agreements, claims
from tallystick.store.registers.agreements import NoSuchAgreementError, RegisteredAgreement
from tallystick.store.registers.claims import NoSuchClaimError, StoredClaim

NAME_PATTERN: Final = r"^[a-z0-9][a-z0-9.-]{0,62}$"
DIGEST_PATTERN: Final = r"^sha256:[0-9a-f]{64}$"
_BENEFICIARIES: Final = Remembered[Digest, Mapping[PublicKey, PartyId | None]]()
"""For which beneficiary each key of a version acts, by the version's digest; None: for another party."""
_CLAIM: Final = r"^(clm-[a-z2-7]{16}|sha256:[0-9a-f]{64})$"

AgreementName = Annotated[str, Path(pattern=NAME_PATTERN, description="An agreement's id.")]
ClaimName = Annotated[str, Path(pattern=_CLAIM, description="A claim's short form, or its digest.")]
DigestName = Annotated[str, Path(pattern=DIGEST_PATTERN, description="`sha256:` and 64 hexadecimal digits.")]


def seen_agreement(
    session: Session, caller: Caller, name: str, digest: Digest | None = None
) -> RegisteredAgreement:
    """Return the latest version of an agreement, or the one with `digest`.

    Raises:
        NoSuchAgreementError: There is none, or its newest version does not name the caller.
        RevocationsUnreadableError: Nobody can say whether the caller's key is revoked under it.
    """
    agreement_id = AgreementId(name)
    caller.check_undoubted(agreement_id)
    if agreement_id in caller.persons:
        latest = agreements.latest(session, agreement_id)
        registered = latest if digest is None else agreements.by_digest(session, digest)
        if registered is not None and registered.agreement_id == agreement_id:
            return registered
    # The same words, whether it does not exist or is not theirs to see.
    raise NoSuchAgreementError("no such agreement")


def seen_version(session: Session, caller: Caller, name: str, digest: Digest) -> RegisteredAgreement:
    """Return one version of an agreement, also to those who are in this one and no longer in the newest.

    Raises:
        NoSuchAgreementError: There is none, or it is not the caller's to see.
    """
    agreement_id = AgreementId(name)
    if agreement_id in caller.former and caller.sees(agreement_id, digest):
        registered = agreements.by_digest(session, digest)
        assert registered is not None, "its persons' keys are registered with it"
        return registered
    return seen_agreement(session, caller, name, digest)


def seen_log(session: Session, caller: Caller, name: str) -> AgreementId:
    """Return the id of an agreement whose checkpoints the caller may see: also those who follow old claims.

    Raises:
        NoSuchAgreementError: There is none, or no claim under it is the caller's to see.
    """
    agreement_id = AgreementId(name)
    if agreement_id in caller.former and any(_former_claims(session, caller, agreement_id)):
        return agreement_id
    return seen_agreement(session, caller, name).agreement_id


def sees_entry(session: Session, caller: Caller, entry: LedgerEntry) -> bool:
    """Return whether the caller may see an entry of a log that `seen_log` shows them.

    Of claims, they see the entries of those that they may see. Those whom the newest version leaves out see
    what these stand on besides: the versions of the agreement that list them, and the pinned deposits.
    """
    if entry.claim is not None:
        stored = claims.by_digest(session, entry.claim)
        return entry.agreement_id in caller.persons if stored is None else sees_claim(session, caller, stored)
    if entry.agreement_id in caller.persons or caller.sees(entry.agreement_id, entry.statement_id):
        return True
    if entry.kind != Kind.DEPOSIT:
        return False
    own = _former_claims(session, caller, entry.agreement_id)
    return any(claim.filing().deposit == entry.statement_id for claim in own)


def seen_claim(session: Session, caller: Caller, name: str) -> StoredClaim:
    """Return the claim that is shown or identified as `name`.

    Raises:
        NoSuchClaimError: There is none, or it is not the caller's to see.
        RevocationsUnreadableError: Nobody can say whether the caller's key is revoked there.
    """
    if name.startswith("clm-"):
        stored = claims.by_claim_id(session, ClaimId(name))
    else:
        stored = claims.by_digest(session, ids.digest(name))
    if stored is not None:
        caller.check_undoubted(stored.agreement_id)
    if stored is None or not sees_claim(session, caller, stored):
        raise NoSuchClaimError("no such claim")
    return stored


def seen_case(backend: Backend, caller: Caller, name: str) -> CaseFile:
    """Return the case file of a claim that the caller may see.

    Raises:
        NoSuchClaimError: There is none, or it is not the caller's to see.
        RecordUnreadableError: Its record does not fold.
    """
    with reading(backend.database) as session:
        return backend.case(session, seen_claim(session, caller, name))


def sees_claim(session: Session, caller: Caller, stored: StoredClaim) -> bool:
    """Return whether the caller may see a claim: no beneficiary sees another one's."""
    try:
        filing = stored.filing()
        rival = is_rival(session, caller, filing)
    except TallystickError:  # altered: it does not say whose it is, and nobody gets to see more than that
        return stored.agreement_id in caller.persons
    return caller.sees(stored.agreement_id, filing.agreement_digest) and not rival


def is_rival(session: Session, caller: Caller, filing: ClaimFiling) -> bool:
    """Return whether the caller acts for another beneficiary than the one that claims.

    The version that the claim names says who the caller is, or the newest if that one leaves them out.
    """
    latest = agreements.latest(session, filing.agreement)
    versions = (filing.agreement_digest, *((latest.digest,) if latest else ()))
    for seats in (_beneficiaries(session, version) for version in versions):
        if caller.key in seats:
            return seats[caller.key] not in {None, filing.claimant_party}
    return False


def _beneficiaries(session: Session, version: Digest) -> Mapping[PublicKey, PartyId | None]:
    def look() -> Mapping[PublicKey, PartyId | None]:
        registered = agreements.by_digest(session, version)
        if registered is None:  # raised and not returned, so that it is not remembered
            raise NoSuchAgreementError("no such agreement")
        agreement = registered.signed().agreement
        own = {party.id for party in agreement.parties_in(Role.BENEFICIARY)}
        return {one.signing_key: one.party if one.party in own else None for one in agreement.persons}

    return _BENEFICIARIES.remembered(version, as_of=version, look=look)


def _former_claims(session: Session, caller: Caller, agreement_id: AgreementId) -> Iterator[StoredClaim]:
    """Yield the claims under an agreement that a caller of former versions may see, a page read at a time."""
    after: tuple[AgreementId, int] | None = None
    while found := claims.page(session, [agreement_id], after=after, limit=LIST_PAGE_CLAIMS_MAX):
        yield from (one for one in found if sees_claim(session, caller, one))
        after = (agreement_id, found[-1].entry.index)
