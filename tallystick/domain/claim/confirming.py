"""Whether a claim that the escrow agent filed for a beneficiary may go on: only once it is confirmed."""

from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.claim.claim import Claim
from tallystick.domain.ids import party_of
from tallystick.domain.refusals import ConfirmationAwaitedError
from tallystick.domain.statements.acts import Approval, Confirmation, Denial


def awaits_confirmation(claim: Claim) -> bool:
    """Return whether its beneficiary may confirm it: it has not, or the key that did was revoked."""
    confirmed = claim.confirmation
    return claim.filing.for_ is not None and (confirmed is None or not claim.stands(confirmed[0]))


def names_confirmation(claim: Claim, vote: Approval | Denial) -> bool:
    """Return whether a vote names the confirmation of the claim, or none if it has none.

    Of several, an approval names the latest. A denial may name any: what stops is not asked for again.
    """
    if vote.confirmation == claim.confirmed_by:
        return True
    named = {entry.signed.id for entry, _ in claim.entries_of(Confirmation)}
    return isinstance(vote, Denial) and vote.confirmation in named


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
