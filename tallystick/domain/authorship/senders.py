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
    """Refuse documents from anyone whose party makes no statement that can name one.

    Raises:
        NotYoursError: No person of their party may file, object, rule, place a hold, or prove service.
    """
    powers = agreement.authorities
    ruling = (quorum.persons for quorum in (powers.arbitration, powers.court_order) if quorum is not None)
    bringing = {*powers.claimants, *powers.filing, *agreement.objection.objectors, *powers.hold}.union(
        *ruling
    )
    agents = {party.id for party in agreement.parties_in(Role.ESCROW_AGENT)}
    allowed = agents | set(map(party_of, bringing))
    _check(person, allowed, "only a party whose statements bring documents sends them")


def _check(person: PersonId, allowed: set[PartyId], why: str) -> None:
    if party_of(person) not in allowed:
        raise NotYoursError(why, person=person, allowed=sorted(allowed))
