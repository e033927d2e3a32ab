"""Which revocations count for a claim: those by its own version's rules, or by a later version's."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cache
from itertools import pairwise
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallystick.crypto.envelope import Envelope, body_of, sign
from tallystick.domain.agreement.agreement import Agreement, NotInAgreementError
from tallystick.domain.agreement.terms import Terms
from tallystick.domain.claim.claim import Claim
from tallystick.domain.codec import decode, encode_object
from tallystick.domain.errors import TallystickError
from tallystick.domain.ids import Digest, PersonId
from tallystick.domain.kinds import Kind, WithdrawalReason
from tallystick.domain.record.fold import fold
from tallystick.domain.statements.keys import KeyRevocation
from tallystick.domain.statements.signed import Entry
from tallystick.proof.case import folded
from tallystick.proof.entries import RecordedStatement, filing_first, verified, with_successors
from tallystick.proof.reading import read_agreement
from tests.support.worlds.agreements import (
    AGREEMENT,
    ANA,
    BEA,
    DORA,
    KIM,
    PEOPLE,
    TOM,
    Actor,
    agreement,
    quorum,
)
from tests.support.worlds.groundwork import BEGIN, key_of, signed_by_all
from tests.support.worlds.world import World

SIGNERS: Final = (DORA, BEA, ANA, KIM, TOM)
NEW: Final = Actor(id=PersonId("nils@nordwind"), name="Nils Newman")


def statement(version: Agreement, signers: Iterable[PersonId] = SIGNERS) -> Envelope:
    return sign(Kind.AGREEMENT, encode_object(version), [actor(one).signing_key for one in signers])


def actor(person: PersonId) -> Actor:
    return NEW if person == NEW.id else PEOPLE[person]


FIRST: Final = read_agreement(statement(AGREEMENT)).terms


def second(**changes: object) -> Agreement:
    """Version 2: Ana and Nils, who is new, together revoke keys."""
    persons = (*AGREEMENT.persons, NEW.person)
    powers = replace(AGREEMENT.authorities, revocation=quorum({"all": [ANA, NEW.id]}))
    given = {"persons": persons, "authorities": powers, "version": 2, "supersedes": FIRST.digest, **changes}
    return agreement(**given)


def revocation(owner: PersonId, *by: PersonId, under: Digest) -> Envelope:
    body = KeyRevocation(
        deployment=AGREEMENT.deployment,
        agreement=AGREEMENT.id,
        agreement_digest=under,
        person=by[0],
        issued_at=BEGIN,
        nonce=32 * "0",
        key=actor(owner).signing_key.public_key,
        reason="stolen",
    )
    return sign(Kind.KEY_REVOCATION, encode_object(body), [actor(one).signing_key for one in by])


def counted(terms: Terms, *envelopes: Envelope) -> tuple[Terms, Sequence[Entry]]:
    raw = [
        RecordedStatement(index=1 + at, accepted_at=BEGIN, envelope=one) for at, one in enumerate(envelopes)
    ]
    known = with_successors(terms, raw)
    return known, verified(raw, known)


def revoked(terms: Terms, *envelopes: Envelope) -> list[str]:
    """The persons whose keys are revoked for claims under `terms` once these are on record."""
    bodies = [entry.signed.body for entry in counted(terms, *envelopes)[1]]
    return [body.key for body in bodies if isinstance(body, KeyRevocation)]


SECOND: Final = statement(second())
UNDER_SECOND: Final = read_agreement(SECOND).terms.digest
BY_SECOND: Final = revocation(TOM, ANA, NEW.id, under=UNDER_SECOND)
OF_TOM: Final = [key_of(TOM)]


def test_a_key_that_a_later_versions_quorum_revoked_stops_counting_for_running_claims() -> None:
    assert revoked(FIRST, SECOND, BY_SECOND) == OF_TOM
    world = World()
    world.files()
    known, entries = counted(world.terms, *(_following(world.terms.digest)))
    claim = fold(known, [*world.claim.entries, *entries])
    assert claim.revoked_at(key_of(TOM)) == BEGIN
    with pytest.raises(NotInAgreementError):
        fold(world.terms, [*world.claim.entries, *entries])


def _following(first: Digest) -> tuple[Envelope, Envelope]:
    version = statement(second(supersedes=first))
    return version, revocation(TOM, ANA, NEW.id, under=read_agreement(version).terms.digest)


def test_a_revocation_under_a_version_that_is_not_known_revokes_nothing() -> None:
    assert revoked(FIRST, BY_SECOND) == []


@pytest.mark.parametrize(
    "usurped",
    [
        statement(second(supersedes=UNDER_SECOND)),
        statement(second(version=3)),
        # Another key for Dora and none for Dirk: Nordwind, as it was, has not signed.
        statement(
            second(
                persons=tuple(
                    replace(one, id=DORA) if one.id == NEW.id else one
                    for one in (*AGREEMENT.persons, NEW.person)
                    if one.party != "nordwind" or one.id == NEW.id
                ),
                authorities=replace(AGREEMENT.authorities, revocation=quorum({"all": [ANA, DORA]})),
            ),
            (NEW.id, BEA, ANA, KIM, TOM),
        ),
    ],
)
def test_a_version_that_does_not_follow_revokes_nothing(usurped: Envelope) -> None:
    under = read_agreement(usurped).terms.digest
    assert revoked(FIRST, usurped, revocation(TOM, ANA, NEW.id, under=under)) == []


def test_the_quorum_of_the_version_that_a_claim_was_filed_under_still_counts() -> None:
    assert revoked(FIRST, SECOND, revocation(TOM, KIM, ANA, under=FIRST.digest)) == OF_TOM


def test_the_rules_of_an_earlier_version_revoke_nothing_under_a_later_one() -> None:
    later = read_agreement(SECOND).terms
    assert revoked(later, revocation(TOM, KIM, ANA, under=FIRST.digest)) == []
    assert revoked(later, BY_SECOND) == OF_TOM


def test_a_person_renamed_in_a_later_version_revokes_their_own_key_for_all_claims() -> None:
    renamed = tuple(
        replace(one, id=PersonId("thomas@marlowe")) if one.id == TOM else one for one in AGREEMENT.persons
    )
    version = agreement(version=2, supersedes=FIRST.digest, persons=renamed)
    envelope = statement(version)
    body = replace(
        decode(KeyRevocation, body_of(revocation(TOM, TOM, under=read_agreement(envelope).terms.digest))),
        person=PersonId("thomas@marlowe"),
    )
    own = sign(Kind.KEY_REVOCATION, encode_object(body), [PEOPLE[TOM].signing_key])
    assert revoked(FIRST, envelope, own) == OF_TOM


def test_a_key_that_only_a_later_version_lists_is_nothing_to_a_running_claim() -> None:
    assert revoked(FIRST, SECOND, revocation(NEW.id, NEW.id, under=UNDER_SECOND)) == []


def test_later_versions_are_known_across_pages() -> None:
    third = second(version=3, supersedes=UNDER_SECOND)
    pages = [
        [RecordedStatement(index=at, accepted_at=BEGIN, envelope=statement(one))]
        for at, one in enumerate((AGREEMENT, second(), third))
    ]
    known = FIRST
    for page in pages:
        known = with_successors(known, page)
    assert [one.version for one in known.later.values()] == [2, 3]


def test_a_revocation_from_before_the_version_that_it_names_revokes_nothing() -> None:
    assert revoked(FIRST, BY_SECOND, SECOND) == []
    assert revoked(FIRST, BY_SECOND, SECOND, revocation(KIM, ANA, NEW.id, under=UNDER_SECOND)) == [
        key_of(KIM)
    ]


def _acts_on(world: World) -> Sequence[Envelope]:
    """What may come in any order: acts, versions that follow or do not, and revocations under each."""
    third = second(
        version=3,
        supersedes=UNDER_SECOND,
        authorities=replace(AGREEMENT.authorities, revocation=quorum(NEW.id)),
    )
    usurper = statement(second(version=3))
    everybody = (*SIGNERS, NEW.id)
    under_third = read_agreement(statement(third, everybody)).terms.digest
    claim = world.claim.digest
    said = (
        (ANA, Kind.INTAKE, {"accepted": True}),
        (KIM, Kind.HOLD, {"reason": "an injunction", "stages": None}),
        (DORA, Kind.OBJECTION, {"ground": "not-insolvent", "explanation": "it goes on", "stages": None}),
        (BEA, Kind.WITHDRAWAL, {"reason": WithdrawalReason.OTHER, "explanation": "it is over"}),
    )
    acts = [
        sign(kind, encode_object(world.body(kind, one, claim=claim, **members)), [PEOPLE[one].signing_key])
        for one, kind, members in said
    ]
    return (
        *acts,
        statement(second()),
        statement(third, everybody),
        usurper,
        revocation(TOM, TOM, under=FIRST.digest),
        revocation(ANA, KIM, ANA, under=FIRST.digest),
        revocation(TOM, ANA, NEW.id, under=FIRST.digest),
        revocation(TOM, ANA, NEW.id, under=UNDER_SECOND),
        revocation(KIM, ANA, NEW.id, under=UNDER_SECOND),
        revocation(NEW.id, NEW.id, under=UNDER_SECOND),
        revocation(DORA, NEW.id, under=under_third),
        revocation(KIM, NEW.id, under=under_third),
        revocation(TOM, NEW.id, under=read_agreement(usurper).terms.digest),
    )


@cache
def _filed() -> tuple[World, Sequence[Envelope]]:
    world = World(engine_runs=False)
    world.files()
    return world, _acts_on(world)


@given(st.data())
@settings(deadline=None)
def test_reading_on_comes_to_the_same_as_reading_it_all_anew(data: st.DataObject) -> None:
    world, sayings = _filed()
    order = data.draw(st.lists(st.integers(0, len(sayings) - 1), unique=True))
    cuts = data.draw(st.lists(st.integers(0, len(order)), max_size=4).map(sorted))
    raw = [
        RecordedStatement(index=1 + at, accepted_at=BEGIN, envelope=sayings[one])
        for at, one in enumerate(order)
    ]

    assert _read_on(world, raw, cuts) == _read_anew(world, raw)


def recorded(world: World) -> list[RecordedStatement]:
    return [
        RecordedStatement(index=entry.index, accepted_at=entry.accepted_at, envelope=envelope)
        for envelope, entry in world.record
    ]


def _read_anew(world: World, raw: Sequence[RecordedStatement]) -> tuple[Terms, Claim] | None:
    with suppress(TallystickError):
        anew = folded(signed_by_all(world.agreement), [*recorded(world), *raw])
        return anew.terms, anew.claim
    return None  # the record does not fold


def _read_on(
    world: World, raw: Sequence[RecordedStatement], cuts: Sequence[int]
) -> tuple[Terms, Claim] | None:
    with suppress(TallystickError):
        case = folded(signed_by_all(world.agreement), recorded(world))
        for begin, end in pairwise((0, *cuts, len(raw))):
            case = case.grown(raw[begin:end])
        return case.terms, case.claim
    return None


def test_a_record_begins_with_its_filing_also_after_an_earlier_revocation() -> None:
    by_index = [(Kind.KEY_REVOCATION, 2), (Kind.CLAIM, 5), (Kind.KEY_REVOCATION, 6), (Kind.INTAKE, 7)]
    record = sorted(by_index, key=lambda entry: filing_first(*entry))
    assert [index for _, index in record] == [5, 2, 6, 7]
