"""Until when a beneficiary may confirm the claim that the escrow agent filed for it."""

from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.agreement.deadlines import Deadline, deadline
from tallystick.domain.claim.claim import Claim
from tallystick.domain.ids import party_of
from tallystick.domain.refusals import ConfirmationAwaitedError


def confirm_until(agreement: Agreement, claim: Claim) -> Deadline | None:
    """Return the last moment to confirm `claim`; None if it waits for no confirmation, or without an end.

    Raises:
        CalendarExhaustedError: A calendar of the agreement does not reach that far.
    """
    period = agreement.windows.confirmation
    if period is None or not claim.is_unconfirmed:
        return None
    recipient = agreement.party(claim.claimant_party)
    return deadline(claim.filed_at, period, recipient=recipient, agreement=agreement)


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
