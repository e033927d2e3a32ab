"""Whether a revocation of a key counts for a claim."""

from collections.abc import Mapping

from tallystick.domain.agreement.agreement import Agreement, NotInAgreementError
from tallystick.domain.authorship.authors import (
    check_not_revoked,
    check_together,
    signing_persons,
)
from tallystick.domain.claim.claim import Claim
from tallystick.domain.claim.state import EventType
from tallystick.domain.ids import Digest, PersonId
from tallystick.domain.refusals import (
    NotYoursError,
)
from tallystick.domain.statements.keys import KeyRevocation
from tallystick.domain.statements.signed import Signed


def revocation_event(
    agreement: Agreement, claim: Claim, signed: Signed[KeyRevocation], later: Mapping[Digest, Agreement]
) -> EventType:
    """Admit a revocation, however old and whatever else its signer sent: it is not about the claim."""
    check_not_revoked(claim, signed.signers)
    check_revoked_here(agreement, signed, later)
    return EventType.KEY_REVOKED


def check_revocation(agreement: Agreement, body: KeyRevocation, persons: frozenset[PersonId]) -> None:
    """Refuse a revocation by anyone but the key itself or the quorum that the agreement names.

    Raises:
        NotYoursError: Others signed it.
        NotInAgreementError: No person has the key.
    """
    owner = agreement.person_with(body.key)
    if persons != frozenset({owner.id}):
        check_together(persons, agreement.authorities.revocation, "revoke another's key")


def check_revoked_here(
    agreement: Agreement, signed: Signed[KeyRevocation], later: Mapping[Digest, Agreement]
) -> None:
    """Refuse a revocation that counts for no claim under `agreement`.

    It counts by the rules that the claim was filed under, which are frozen, or by those of the later
    version that it names: every party to the claim's version has signed that one, and a key that they
    now report as stolen is stolen for running claims too. The rules of an earlier version do not count.

    Args:
        later: The versions that followed `agreement`, by digest.

    Raises:
        NotYoursError: Others signed it.
        NotInAgreementError: No person has the key under `agreement`, or a signer is unknown.
    """
    body = signed.body
    agreement.person_with(body.key)
    newer = later.get(body.agreement_digest)
    try:
        check_revocation(agreement, body, signing_persons(agreement, signed))
    except (NotYoursError, NotInAgreementError):
        if newer is None:
            raise
        check_revocation(newer, body, signing_persons(newer, signed))
