"""Nobody helps their own claim along: not by a vote, and not by an order."""

from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.claim.claim import Claim
from tallystick.domain.claim.confirming import names_confirmation
from tallystick.domain.claim.receivers import named_anew_by
from tallystick.domain.claim.tally import bar
from tallystick.domain.ids import Digest, PersonId, party_of
from tallystick.domain.refusals import MisdirectedError, SelfServingError
from tallystick.domain.statements.acts import Approval, Denial


def check_unconflicted(agreement: Agreement, claim: Claim, person: PersonId) -> None:
    """Refuse the vote of a person who never counts for this claim.

    Raises:
        SelfServingError: The claimant, or someone of the claimant's party where the agreement excludes it.
    """
    if (barred := bar(agreement, claim, agreement.person(person))) is not None:
        raise SelfServingError(barred, person=person)


def check_not_filer(claim: Claim, persons: frozenset[PersonId]) -> None:
    """Refuse an order that the escrow agent's person signed who filed the claim for its beneficiary.

    Raises:
        SelfServingError: They did.
    """
    if claim.filing.person in persons:
        raise SelfServingError("whoever filed a claim gives no order for it", persons=[claim.filing.person])


def check_names_confirmation(claim: Claim, vote: Approval | Denial) -> None:
    """Refuse a vote that was given on another confirmation than the claim's, or on none.

    Raises:
        MisdirectedError: It names another one, or none.
    """
    if not names_confirmation(claim, vote):
        raise MisdirectedError(
            "the vote does not name the confirmation of this claim",
            expected=claim.confirmed_by,
            given=vote.confirmation,
        )


def check_names_receivers(claim: Claim, named: Digest | None) -> None:
    """Refuse an approval whose author was shown other receivers, whenever it arrives.

    Raises:
        MisdirectedError: It does not name the statement that named them last.
    """
    if named != (latest := named_anew_by(claim)):
        raise MisdirectedError(
            "the approval does not name the statement that named the receivers", expected=latest, given=named
        )


def check_disinterested(agreement: Agreement, claim: Claim, persons: frozenset[PersonId]) -> None:
    """Refuse an order for release, or a lift, that the claimant's side signed for its own claim.

    Raises:
        SelfServingError: The claimant signed, or the claimant's party did where the agreement excludes it.
    """
    own = {claim.filing.person, claim.claimant} | {
        person
        for person in persons
        if agreement.excludes_claimant_party and party_of(person) == claim.claimant_party
    }
    if interested := sorted(persons & own):
        raise SelfServingError(
            "the claimant's side may not decide about its own claim", persons=list(interested)
        )
