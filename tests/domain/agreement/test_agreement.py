"""The agreement as data: one canonical form, and lookups that refuse what is not there."""

from collections.abc import Callable
from dataclasses import fields
from types import MappingProxyType

import pytest

from tallystick.crypto.json.canonical import canonical_bytes, parse_canonical
from tallystick.domain.agreement.agreement import Agreement, NotInAgreementError
from tallystick.domain.agreement.parties import Role
from tallystick.domain.codec import MalformedDocumentError, decode, encode, encode_object
from tallystick.domain.ids import ComponentId, PartyId, PersonId, StageId
from tallystick.limits.documents import AGREEMENT_SIZE_BYTES_MAX
from tests.support.worlds.agreements import (
    AGREEMENT,
    ANA,
    CRITICAL,
    LICENCE_KEYS,
    LOG_KEY,
    PEOPLE,
    SOURCE,
    agreement,
)


def test_agreement_is_read_back_from_its_canonical_bytes() -> None:
    data = canonical_bytes(encode(AGREEMENT))
    assert decode(Agreement, parse_canonical(data, size_bytes_max=AGREEMENT_SIZE_BYTES_MAX)) == AGREEMENT


def test_each_member_of_the_top_level_is_part_of_the_bytes() -> None:
    written = set(encode_object(AGREEMENT))
    assert written == {field.name for field in fields(Agreement)} - {"supersedes"}


@pytest.mark.parametrize("member", sorted(set(encode_object(AGREEMENT)) - {"waits"}))
def test_agreement_without_a_member_is_refused(member: str) -> None:
    document = {name: value for name, value in encode_object(AGREEMENT).items() if name != member}
    with pytest.raises(MalformedDocumentError):
        decode(Agreement, document)


def test_any_mapping_is_read() -> None:
    assert decode(Agreement, MappingProxyType(dict(encode_object(AGREEMENT)))) == AGREEMENT


def test_things_are_found_by_their_names() -> None:
    assert AGREEMENT.party(PartyId("harbour")).role is Role.ESCROW_AGENT
    assert AGREEMENT.person(ANA) == PEOPLE[ANA].person
    assert AGREEMENT.person(ANA).party == "harbour"
    assert AGREEMENT.person_with(PEOPLE[ANA].signing_key.public_key).id == ANA
    assert ANA in {person.id for person in AGREEMENT.acting_for(PartyId("harbour"))}
    assert {person.party for person in AGREEMENT.acting_for(PartyId("harbour"))} == {"harbour"}
    assert AGREEMENT.stage(CRITICAL).components == (LICENCE_KEYS, "activation-rules")
    assert AGREEMENT.component(SOURCE).id == SOURCE
    assert AGREEMENT.stage_of(SOURCE).id == "source"
    assert AGREEMENT.condition("insolvency").stressed
    assert AGREEMENT.evidence_item("outage-record").issuer == "third-party monitor"
    assert AGREEMENT.calendar("nl").id == "nl"
    assert [party.id for party in AGREEMENT.parties_in(Role.WITNESS)] == ["marlowe"]
    assert AGREEMENT.parties_in(Role.VERIFIER) == ()


LOOKUPS: list[Callable[[Agreement], object]] = [
    lambda version: version.party(PartyId("none")),
    lambda version: version.person(PersonId("ana@none")),
    lambda version: version.person_with(LOG_KEY.public_key),
    lambda version: version.stage(StageId("none")),
    lambda version: version.component(ComponentId("none")),
    lambda version: version.stage_of(ComponentId("none")),
    lambda version: version.condition("none"),
    lambda version: version.evidence_item("none"),
    lambda version: version.calendar("none"),
]


@pytest.mark.parametrize("lookup", LOOKUPS)
def test_what_is_not_there_is_refused(lookup: Callable[[Agreement], object]) -> None:
    with pytest.raises(NotInAgreementError):
        lookup(AGREEMENT)


def test_builder_changes_what_it_is_asked_to() -> None:
    assert agreement(version=2).version == 2
    assert agreement() == AGREEMENT
