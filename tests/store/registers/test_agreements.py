"""An agreement has one history of versions; keys see what lists them."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import Engine

from tallystick.crypto.envelope import envelope_bytes, statement_id
from tallystick.crypto.keys import key_id
from tallystick.domain.agreement.parties import Person
from tallystick.domain.errors import MalformedError
from tallystick.domain.ids import AgreementId, Digest, PublicKey
from tallystick.limits.documents import SIGNATURES_PER_ENVELOPE_MAX
from tallystick.limits.logs import (
    EVIDENCE_KEYS_MAX,
    EVIDENCE_SIGNATURES_AGAIN_MAX,
    EVIDENCE_VERSIONS_BYTES_MAX,
    EVIDENCE_VERSIONS_MAX,
)
from tallystick.store.database.session import reading, transaction
from tallystick.store.ledger.checkpoints import verify_log
from tallystick.store.ledger.ledger import append, entries
from tallystick.store.registers.agreements import (
    VersionOutOfOrderError,
    VersionsExhaustedError,
    agreement_ids,
    by_digest,
    latest,
    person_keys,
    register,
    versions,
)
from tests.support.worlds.agreements import AGREEMENT, ANA, BEA, signing_key
from tests.support.worlds.ledgers import AT, LOG, NO_DIGEST, OTHER_LOG, said, signed_agreement

FIRST = signed_agreement()
FIRST_DIGEST = statement_id(FIRST)


def fingerprint(holder: str) -> Digest:
    return key_id(signing_key(holder).public_key)


def test_a_registered_version_is_found_by_id_and_digest_with_its_ledger_entry(database: Engine) -> None:
    with transaction(database) as session:
        registered = register(session, FIRST, AT)
    assert registered.envelope == envelope_bytes(FIRST)
    assert (registered.version, registered.registered_at, registered.index) == (1, AT, 0)
    with reading(database) as session:
        assert latest(session, LOG) == by_digest(session, FIRST_DIGEST) == registered
        assert [entry.statement_id for entry in entries(session, LOG)] == [FIRST_DIGEST]
        assert latest(session, OTHER_LOG) is None
        assert by_digest(session, NO_DIGEST) is None
        verify_log(session, LOG)


def test_registering_the_same_again_is_harmless(database: Engine) -> None:
    with transaction(database) as session:
        first = register(session, FIRST, AT)
        assert register(session, FIRST, AT + timedelta(days=1)) == first
        assert versions(session, LOG) == [first]


def test_the_next_version_names_the_one_before(database: Engine) -> None:
    second = signed_agreement(version=2, supersedes=FIRST_DIGEST)
    with transaction(database) as session:
        register(session, FIRST, AT)
        register(session, second, AT)
        assert [each.version for each in versions(session, LOG)] == [1, 2]
        newest = latest(session, LOG)
        assert newest is not None
        assert newest.digest == statement_id(second)
        assert register(session, FIRST, AT).version == 1, "an old version sent again is not news"


@pytest.mark.parametrize(
    "changes",
    [
        {"version": 1, "title": "another first version"},
        {"version": 2, "supersedes": None},
        {"version": 2, "supersedes": NO_DIGEST},
        {"version": 3, "supersedes": FIRST_DIGEST},
    ],
)
def test_a_version_that_does_not_follow_is_refused(database: Engine, changes: dict[str, object]) -> None:
    with transaction(database) as session:
        register(session, FIRST, AT)
        with pytest.raises(VersionOutOfOrderError):
            register(session, signed_agreement(**changes), AT)
        assert len(entries(session, LOG)) == 1


def test_an_agreement_has_as_many_versions_as_an_evidence_file_holds_and_no_more(database: Engine) -> None:
    few = AGREEMENT.persons[:3]  # so that their bytes are no limit
    envelope = signed_agreement(persons=few)
    digest = statement_id(envelope)
    with transaction(database) as session:
        register(session, envelope, AT)
        for version in range(2, EVIDENCE_VERSIONS_MAX + 1):
            envelope = signed_agreement(version=version, supersedes=digest, persons=few)
            digest = register(session, envelope, AT).digest
        another = signed_agreement(version=EVIDENCE_VERSIONS_MAX + 1, supersedes=digest, persons=few)
        with pytest.raises(VersionsExhaustedError) as refused:
            register(session, another, AT)
        assert refused.value.facts["versions"] == EVIDENCE_VERSIONS_MAX + 1
        assert register(session, envelope, AT).version == EVIDENCE_VERSIONS_MAX, "sent again, it is there"


def keyed(first: int, count: int) -> tuple[Person, ...]:
    """Persons, each with a key of their own."""
    one = AGREEMENT.persons[0]
    numbers = range(first, first + count)
    return tuple(replace(one, signing_key=PublicKey(f"ed25519:{number:064x}")) for number in numbers)


def test_versions_list_as_many_keys_as_an_evidence_file_can_revoke_and_no_more(database: Engine) -> None:
    with transaction(database) as session:
        digest, version, persons = None, 0, keyed(0, 0)
        for version in range(1, EVIDENCE_KEYS_MAX // 64 + 1):
            persons = keyed(64 * version, 64)
            envelope = signed_agreement(version=version, supersedes=digest, persons=persons)
            digest = register(session, envelope, AT).digest
        same = signed_agreement(version=version + 1, supersedes=digest, persons=persons)
        digest = register(session, same, AT).digest
        with pytest.raises(VersionsExhaustedError, match="more keys"):
            register(
                session, signed_agreement(version=version + 2, supersedes=digest, persons=keyed(1, 1)), AT
            )


def test_no_version_makes_too_many_revocations_be_verified_again(database: Engine) -> None:
    keys = [signing_key(f"key {number}") for number in range(SIGNATURES_PER_ENVELOPE_MAX)]
    few = AGREEMENT.persons[:3]
    each = EVIDENCE_SIGNATURES_AGAIN_MAX // 2 // len(keys)
    with transaction(database) as session:
        digest = register(session, signed_agreement(persons=few), AT).digest
        for number in range(each):
            append(session, LOG, said("key-revocation", number, keys), AT, claim=None)
        for version in (2, 3):
            digest = register(
                session, signed_agreement(version=version, supersedes=digest, persons=few), AT
            ).digest
        with pytest.raises(VersionsExhaustedError, match="verified again"):
            register(session, signed_agreement(version=4, supersedes=digest, persons=few), AT)


def test_versions_have_as_many_bytes_as_an_evidence_file_holds_and_no_more(database: Engine) -> None:
    days = tuple(date(2026, 1, 1) + timedelta(days=day) for day in range(1000))
    calendars = tuple(
        replace(AGREEMENT.calendars[0], id=f"c{number}", holidays=days, covers_until=date(2030, 1, 1))
        for number in range(15)
    )
    envelope, sizes = signed_agreement(calendars=calendars), list[int]()
    with transaction(database) as session:
        while sum(sizes) + envelope.size_bytes <= EVIDENCE_VERSIONS_BYTES_MAX:
            sizes.append(envelope.size_bytes)
            digest = register(session, envelope, AT).digest
            envelope = signed_agreement(version=len(sizes) + 1, supersedes=digest, calendars=calendars)
        with pytest.raises(VersionsExhaustedError):
            register(session, envelope, AT)
    assert 4 < len(sizes) < EVIDENCE_VERSIONS_MAX - 1


def test_a_first_version_supersedes_nothing(database: Engine) -> None:
    with transaction(database) as session, pytest.raises(VersionOutOfOrderError):
        register(session, signed_agreement(supersedes=NO_DIGEST), AT)


def test_only_an_agreement_is_registered(database: Engine) -> None:
    with transaction(database) as session, pytest.raises(AssertionError, match="only an agreement"):
        register(session, said("deposit", 1), AT)
    with transaction(database) as session, pytest.raises(MalformedError):
        register(session, said("agreement", 1), AT)


def test_a_key_is_found_in_the_agreements_that_list_it_and_no_others(database: Engine) -> None:
    without_ana = tuple(person for person in AGREEMENT.persons if person.id != ANA)
    other = AgreementId("without-ana")
    with transaction(database) as session:
        register(session, FIRST, AT)
        register(session, signed_agreement(id=other, persons=without_ana), AT)
    with reading(database) as session:
        assert {key.agreement_id for key in person_keys(session, fingerprint(ANA))} == {LOG}
        assert {key.agreement_id for key in person_keys(session, fingerprint(BEA))} == {LOG, other}
        assert person_keys(session, fingerprint("stranger")) == []
        assert agreement_ids(session) == [LOG, other]


def test_a_person_who_left_with_a_new_version_still_sees_what_claims_may_run_on(database: Engine) -> None:
    without_ana = tuple(person for person in AGREEMENT.persons if person.id != ANA)
    with transaction(database) as session:
        register(session, FIRST, AT)
        register(session, signed_agreement(version=2, supersedes=FIRST_DIGEST, persons=without_ana), AT)
        assert [(key.version, key.person) for key in person_keys(session, fingerprint(ANA))] == [(1, ANA)]
        assert [key.version for key in person_keys(session, fingerprint(BEA))] == [2, 1]
        (key,) = person_keys(session, fingerprint(ANA))
    assert key.public_key == signing_key(ANA).public_key
    assert (key.agreement_id, key.agreement_digest) == (LOG, FIRST_DIGEST)


# Deposits.
