"""What a caller may see: what belongs to agreements that list their key; for them, nothing else exists."""

from typing import Annotated, Final

from fastapi import Path
from sqlmodel import Session

from api.http.auth import Caller
from tallystick.domain import ids
from tallystick.domain.ids import AgreementId, ClaimId, Digest
from tallystick.store.registers import agreements, claims
from tallystick.store.registers.agreements import NoSuchAgreementError, RegisteredAgreement
from tallystick.store.registers.claims import NoSuchClaimError, StoredClaim

_NAME: Final = r"^[a-z0-9][a-z0-9.-]{0,62}$"
_DIGEST: Final = r"^sha256:[0-9a-f]{64}$"
_CLAIM: Final = r"^(clm-[a-z2-7]{16}|sha256:[0-9a-f]{64})$"

AgreementName = Annotated[str, Path(pattern=_NAME, description="An agreement's id.")]
ClaimName = Annotated[str, Path(pattern=_CLAIM, description="A claim's short form, or its digest.")]
DigestName = Annotated[str, Path(pattern=_DIGEST, description="`sha256:` and 64 hexadecimal digits.")]
DIGEST_PATTERN: Final = _DIGEST
NAME_PATTERN: Final = _NAME


def seen_agreement(
    session: Session, caller: Caller, name: str, digest: Digest | None = None
) -> RegisteredAgreement:
    """Return the latest version of an agreement, or the one with `digest`.

    Raises:
        NoSuchAgreementError: There is none, or it does not name the caller.
    """
    agreement_id = AgreementId(name)
    if agreement_id in caller.persons:
        latest = agreements.latest(session, agreement_id)
        registered = latest if digest is None else agreements.by_digest(session, digest)
        if registered is not None and registered.agreement_id == agreement_id:
            return registered
    # The same words, whether it does not exist or is not theirs to see.
    raise NoSuchAgreementError("no such agreement")


def seen_claim(session: Session, caller: Caller, name: str) -> StoredClaim:
    """Return the claim that is shown or identified as `name`.

    Raises:
        NoSuchClaimError: There is none, or its agreement does not name the caller.
    """
    if name.startswith("clm-"):
        stored = claims.by_claim_id(session, ClaimId(name))
    else:
        stored = claims.by_digest(session, ids.digest(name))
    if stored is None or stored.agreement_id not in caller.persons:
        raise NoSuchClaimError("no such claim")
    return stored
