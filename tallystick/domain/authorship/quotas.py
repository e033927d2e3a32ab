"""How much one person may send about a claim, and how old it may be."""

from datetime import datetime

from tallystick.domain.authorship.authors import check_times
from tallystick.domain.claim.claim import Claim
from tallystick.domain.refusals import QuotaExceededError
from tallystick.domain.statements.acts import Hold, HoldLift
from tallystick.domain.statements.keys import KeyRevocation
from tallystick.domain.statements.signed import Body, Signed
from tallystick.limits.claims import ACT_BYTES_PER_PERSON_MAX, ACTS_PER_PERSON_MAX, HOLD_LIFT_BYTES_MAX


def check_bounds(claim: Claim, signed: Signed[Body], at: datetime) -> None:
    """Refuse a statement whose times do not fit, or with which its author says too much.

    Raises:
        BadTimingError: It is issued in the future, or too long ago.
        QuotaExceededError: A signer has sent all that one person may send about one claim.
    """
    check_times(signed.body, at=at)
    check_quota(claim, signed)


def check_quota(claim: Claim, signed: Signed[Body]) -> None:
    """Refuse a statement beyond the limits of any of its signers.

    Raises:
        QuotaExceededError: A signer has sent all that one person may send about one claim.
    """
    # There are no more lifts than holds, and a revocation is about no claim. If lifts counted, a person who
    # places many holds could use up the quota of those who lift them.
    if isinstance(signed.body, HoldLift):
        _check_size(signed.size_bytes, HOLD_LIFT_BYTES_MAX)
        return
    for key in signed.signers:
        said = [e.signed for e in claim.lookups.by_signer.get(key, ()) if _counts(e.signed)]
        if sum(map(_acts, (signed, *said))) > ACTS_PER_PERSON_MAX:
            raise QuotaExceededError("too many statements by one person", limit=ACTS_PER_PERSON_MAX)
        _check_size(signed.size_bytes + sum(one.size_bytes for one in said), ACT_BYTES_PER_PERSON_MAX)


def _counts(signed: Signed[Body]) -> bool:
    return not isinstance(signed.body, HoldLift | KeyRevocation)


def _acts(signed: Signed[Body]) -> int:
    """Return how many acts a statement counts as: a hold counts as two, because its lift is free.

    So a claim has at most `ACTS_PER_CLAIM_MAX` acts, lifts included, whatever anyone sends.
    """
    return 2 if isinstance(signed.body, Hold) else 1


def _check_size(size_bytes: int, limit_bytes: int) -> None:
    if size_bytes > limit_bytes:
        raise QuotaExceededError("too many bytes by one person", limit_bytes=limit_bytes)
