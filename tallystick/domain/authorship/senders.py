"""Who may send files beside statements: only those who may need them, so that nobody else takes up room."""

from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.agreement.parties import Role
from tallystick.domain.ids import PartyId, PersonId, party_of
from tallystick.domain.refusals import NotYoursError


def check_sends_deposits(agreement: Agreement, person: PersonId) -> None:
    """Refuse sealed files from anyone who does not act for the depositor.

    Raises:
        NotYoursError: The person acts for another party.
    """
    depositors = {party.id for party in agreement.parties_in(Role.DEPOSITOR)}
    _check(person, depositors, "only the depositor deposits")


def check_sends_evidence(agreement: Agreement, person: PersonId) -> None:
    """Refuse documents from anyone whose party can name none: it neither claims, nor objects, nor holds.

    Raises:
        NotYoursError: No person of their party may file a claim, object to one, or place a hold.
    """
    powers = agreement.authorities
    bringing = {*powers.claimants, *powers.filing, *agreement.objection.objectors, *powers.hold}
    _check(person, set(map(party_of, bringing)), "only a party that claims, objects or holds sends documents")


def _check(person: PersonId, allowed: set[PartyId], why: str) -> None:
    if party_of(person) not in allowed:
        raise NotYoursError(why, person=person, allowed=sorted(allowed))
