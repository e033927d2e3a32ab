"""A reader of the agreement reads documents, but none of another beneficiary's claim."""

from dataclasses import replace

from tallystick.domain.agreement.parties import Role
from tallystick.domain.authorship.readers import reads_documents_of
from tallystick.domain.ids import PartyId
from tests.support.worlds.agreements import AGREEMENT, ANA, BEA, DORA, TOM

HALDEN, MARLOWE, NORDWIND = map(PartyId, ("halden", "marlowe", "nordwind"))
TWO = replace(
    AGREEMENT,
    evidence_readers=(ANA, DORA, BEA, TOM),
    parties=tuple(
        replace(one, role=Role.BENEFICIARY) if one.id == MARLOWE else one for one in AGREEMENT.parties
    ),
)


def test_beneficiaries_read_what_concerns_their_own_claims_alone() -> None:
    assert reads_documents_of(TWO, HALDEN, BEA)
    assert not reads_documents_of(TWO, MARLOWE, BEA)
    assert reads_documents_of(TWO, MARLOWE, TOM)
    assert not reads_documents_of(TWO, HALDEN, TOM)


def test_what_the_vendor_brought_a_beneficiary_reads_only_with_a_claim() -> None:
    assert [reads_documents_of(TWO, NORDWIND, person) for person in (ANA, DORA, BEA, TOM)] == [
        True,
        True,
        False,
        False,
    ]


def test_who_is_no_reader_reads_nothing() -> None:
    assert not reads_documents_of(replace(TWO, evidence_readers=(ANA,)), HALDEN, BEA)
