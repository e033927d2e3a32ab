"""Whether a claim that the escrow agent filed for a beneficiary may go on: only once it is confirmed."""

from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.claim.claim import Claim
from tallystick.domain.ids import party_of
from tallystick.domain.refusals import ConfirmationAwaitedError


def check_confirmed(agreement: Agreement, claim: Claim) -> None:
    """Refuse to go on with a claim that its own beneficiary has not confirmed.

    Raises:
        ConfirmationAwaitedError: It was filed for another party, which has yet to confirm it.
    """
    if claim.is_unconfirmed:
        claimants = (p for p in agreement.authorities.claimants if party_of(p) == claim.claimant_party)
        raise ConfirmationAwaitedError(
            f"{claim.claimant_party} has not confirmed this claim", claim=claim.id, by=sorted(claimants)
        )
