"""An agreement with its digest."""

from dataclasses import fields

from tallystick.domain.agreement.terms import HeaderMembers
from tallystick.domain.ids import PersonId
from tallystick.domain.statements.header import Header
from tests.support.worlds.groundwork import BEGIN
from tests.support.worlds.world import World


def test_header_names_the_agreement_the_person_and_the_moment() -> None:
    terms = World().terms
    header = terms.header(PersonId("dora@nordwind"), BEGIN, "0" * 32)
    assert Header(**header) == Header(
        deployment=terms.agreement.deployment,
        agreement=terms.agreement.id,
        agreement_digest=terms.digest,
        person=PersonId("dora@nordwind"),
        issued_at=BEGIN,
        nonce="0" * 32,
    )


def test_members_of_a_header_are_those_that_every_statement_has() -> None:
    assert set(HeaderMembers.__required_keys__) == {field.name for field in fields(Header)}
