"""Who may read which documents: they are sealed to all readers, but not every reader sees every claim."""

from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.agreement.parties import Role
from tallystick.domain.ids import PartyId, PersonId, party_of


def reads_documents_of(agreement: Agreement, party: PartyId, person: PersonId) -> bool:
    """Return whether a person may read what `party` has brought, or what was brought to its claim.

    The agreement names the readers. One who acts for a beneficiary reads nothing of another beneficiary's,
    and what others bring only if it was brought to a claim of their own party.
    """
    others = {one.id for one in agreement.parties_in(Role.BENEFICIARY)} - {party}
    return person in agreement.evidence_readers and party_of(person) not in others
