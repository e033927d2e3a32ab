"""Registering a version: each rule refuses alone, and the sound version passes."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Final

import pytest

from tallystick.crypto.keys import SigningKey
from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.agreement.deployment import Deployment
from tallystick.domain.errors import TallystickError
from tallystick.domain.ids import DeploymentId, Digest, PersonId, PublicKey
from tallystick.domain.soundness.registering import check_registration, check_soundness
from tests.support.worlds.agreements import (
    ABE,
    AGREEMENT,
    ANA,
    BEA,
    DORA,
    KIM,
    PEOPLE,
    TOM,
    agreement,
    quorum,
)

STRANGER: Final = SigningKey(b"nobody's key, in any agreement..").public_key
SIGNERS: Final = (DORA, BEA, ANA, KIM, TOM)


def key(person: PersonId) -> PublicKey:
    return PEOPLE[person].signing_key.public_key


DEPLOYMENT: Final = Deployment(id=AGREEMENT.deployment, engine=AGREEMENT.engine, root_keys=(key(ANA),))
SECOND: Final = agreement(version=2, supersedes=Digest("sha256:" + 64 * "1"))


def keys(*persons: PersonId) -> frozenset[PublicKey]:
    return frozenset(map(key, persons))


SIGNED: Final = keys(*SIGNERS)


def refusal(
    *,
    deployment: Deployment = DEPLOYMENT,
    version: Agreement = AGREEMENT,
    signers: frozenset[PublicKey] = SIGNED,
    previous: Agreement | None = None,
    revoked: frozenset[PublicKey] = frozenset(),
) -> TallystickError:
    def ask() -> None:
        check_registration(deployment, version, signers, previous=previous, revoked=revoked)
        check_soundness(version, at=AGREEMENT.effective_from, previous=previous)

    with pytest.raises(TallystickError) as refused:
        ask()
    return refused.value


def test_a_first_version_that_every_party_and_a_root_key_signed_may_be_registered() -> None:
    check_registration(DEPLOYMENT, AGREEMENT, SIGNED, previous=None)


def test_a_version_that_only_lengthens_calendars_is_not_refused_for_what_the_one_before_had() -> None:
    dead = replace(AGREEMENT.authorities, hold_lift=quorum({"all": [ANA, DORA]}))
    ended = tuple(replace(one, covers_until=date(2027, 12, 31)) for one in AGREEMENT.calendars)
    previous = agreement(authorities=dead, calendars=ended)
    at = AGREEMENT.effective_from
    longer = replace(SECOND, authorities=dead)
    check_soundness(longer, at=at, previous=previous)
    other = replace(longer, title="Another title")
    assert refusal(version=other, previous=previous).code == "unsound-agreement"
    assert refusal(version=replace(previous, version=1)).code == "unsound-agreement"


def test_a_next_version_needs_every_party_of_the_one_before() -> None:
    check_registration(DEPLOYMENT, SECOND, SIGNED, previous=AGREEMENT)
    refused = refusal(version=SECOND, previous=AGREEMENT, signers=keys(BEA, ANA, KIM, TOM))
    assert (refused.code, refused.facts["missing"]) == ("not-authorised-to-state", ["nordwind"])


def test_an_agreement_for_another_deployment_is_refused() -> None:
    refused = refusal(deployment=replace(DEPLOYMENT, id=DeploymentId("other")))
    assert (refused.code, refused.facts) == ("misdirected", {"expected": "other", "given": "test"})


@pytest.mark.parametrize("member", ["log_key", "decision_key", "gate_recipient"])
def test_an_agreement_that_pins_another_key_of_the_engine_is_refused(member: str) -> None:
    engine = replace(AGREEMENT.engine, **{member: STRANGER})
    refused = refusal(deployment=replace(DEPLOYMENT, engine=engine))
    assert (refused.code, refused.facts) == ("other-engine", {"expected_log_key": engine.log_key})


@pytest.mark.parametrize("person", [KIM, ABE])
def test_no_revoked_key_signs_a_version_or_stands_in_it(person: PersonId) -> None:
    refused = refusal(revoked=keys(person))
    assert (refused.code, refused.facts["key"]) == ("key-revoked", key(person))
    assert refused.message.startswith("the agreement is" if person in SIGNERS else "the agreement lists")


def test_a_revoked_key_that_a_version_dropped_may_not_sign_it() -> None:
    assert refusal(signers=SIGNED | {STRANGER}, revoked=frozenset({STRANGER})).code == "key-revoked"


@pytest.mark.parametrize("roots", [(), (STRANGER,), (key(ABE),)])
def test_a_version_that_no_root_key_signed_is_refused(roots: Sequence[PublicKey]) -> None:
    assert refusal(deployment=replace(DEPLOYMENT, root_keys=tuple(roots))).code == "not-authorised-to-state"


def test_an_agreement_under_which_nothing_could_be_released_is_refused() -> None:
    assert refusal(version=replace(AGREEMENT, conditions=())).code == "unsound-agreement"
