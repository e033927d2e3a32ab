"""Whether what was released must be given back."""

from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.claim.claim import Claim
from tallystick.domain.claim.stages import to_give_back
from tallystick.domain.claim.state import GIVEN_UP, ClaimState
from tallystick.domain.statements.receipts import Return


def return_is_due(agreement: Agreement, claim: Claim) -> bool:
    """Return whether the beneficiary owes a certificate that something was given back."""
    if claim.entries_of(Return):
        return False  # the first one had to cover everything
    provisional = claim.state in GIVEN_UP and bool(to_give_back(agreement, claim))
    return provisional or claim.state is ClaimState.RETURN_DUE
