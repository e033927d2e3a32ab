"""How much one person may send about a claim, and from when it may date."""

from datetime import datetime

from tallystick.domain.authorship.authors import check_times
from tallystick.domain.claim.claim import Claim
from tallystick.domain.refusals import QuotaExceededError
from tallystick.domain.statements.acts import Hold, HoldLift
from tallystick.domain.statements.keys import KeyRevocation
from tallystick.domain.statements.signed import Body, Signed
from tallystick.limits import ACT_BYTES_PER_PERSON_MAX, ACTS_PER_PERSON_MAX, HOLD_LIFT_BYTES_MAX


def check_bounds(claim: Claim, signed: Signed[Body], at: datetime) -> None:
    """Refuse what a person says with a time that does not fit, or says too much of.

    Raises:
        BadTimingError: It is issued in the future, or too long ago.
        QuotaExceededError: A signer has used up what one person may send to one claim.
    """
    check_times(signed.body, at=at)
    check_quota(claim, signed)


def check_quota(claim: Claim, signed: Signed[Body]) -> None:
    """Refuse one statement too many by the same person, alone or together with others.

    Raises:
        QuotaExceededError: A signer has used up what one person may send to one claim.
    """
    # A lift ends a hold, and there are no more lifts than holds; a revocation is about no claim. If these
    # counted, whoever places holds would use up the room of whoever lifts them.
    if isinstance(signed.body, HoldLift):
        _check_size(signed.size_bytes, HOLD_LIFT_BYTES_MAX)
        return
    for key in signed.signers:
        said = [e.signed for e in claim.entries if key in e.signed.signers and _counts(e.signed)]
        if sum(map(_acts, (signed, *said))) > ACTS_PER_PERSON_MAX:
            raise QuotaExceededError("too many statements by one person", limit=ACTS_PER_PERSON_MAX)
        _check_size(signed.size_bytes + sum(one.size_bytes for one in said), ACT_BYTES_PER_PERSON_MAX)


def _counts(signed: Signed[Body]) -> bool:
    return not isinstance(signed.body, HoldLift | KeyRevocation)


def _acts(signed: Signed[Body]) -> int:
    """Return how many acts a statement makes: whoever places a hold pays for its lift too.

    So all acts on a claim, lifts included, are at most `ACTS_PER_CLAIM_MAX`, which no flood can exceed.
    """
    return 2 if isinstance(signed.body, Hold) else 1


def _check_size(size_bytes: int, limit_bytes: int) -> None:
    if size_bytes > limit_bytes:
        raise QuotaExceededError("too many bytes by one person", limit_bytes=limit_bytes)
