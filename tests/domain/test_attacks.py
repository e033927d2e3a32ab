"""What an adversary tried, in vain: attacks on a claim through acts that are permitted."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tallystick.crypto.keys import SigningKey
from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.agreement.deployment import Deployment
from tallystick.domain.claim.state import ClaimState
from tallystick.domain.errors import TallystickError
from tallystick.domain.ids import (
    DeploymentId,
    PersonId,
)
from tallystick.domain.kinds import Outcome
from tallystick.domain.record.filing import check_filing
from tallystick.domain.soundness.registering import check_registration
from tallystick.domain.statements.filing import ClaimFiling
from tallystick.domain.statements.signed import expect
from tallystick.limits.claims import ACTS_PER_PERSON_MAX, CLAIMS_PER_PARTY_MAX, CLAIMS_PER_PERSON_MAX
from tests.support.worlds.agreements import AGREEMENT, ANA, DORA, KIM, PEOPLE, agreement
from tests.support.worlds.world import World


def accepted() -> World:
    world = World(gate_runs=False)
    world.files()
    world.accepts()
    return world


def test_endless_holds_use_up_only_their_authors_quota() -> None:
    world = accepted()
    for _ in range(ACTS_PER_PERSON_MAX // 2):  # each of which pays for its lift too
        world.holds("kim@kestrel")
        world.lifts("abe@harbour", "tom@marlowe")
    for _ in range((ACTS_PER_PERSON_MAX - 1) // 2):  # the intake was Ana's first
        world.holds("ana@harbour")
    while world.claim.open_holds:
        world.lifts("kim@kestrel", "tom@marlowe")  # also by someone whose own room is used up
    world.approves("tom@marlowe")
    world.denies("abe@harbour")
    assert world.refolded() == world.claim


def test_objections_to_new_combinations_of_old_stages_are_not_new_disputes() -> None:
    world = accepted()
    for stages in (["critical"], ["source"], ["provisional"]):
        world.objects(to=stages)
        world.rules(outcome=Outcome.RELEASE)
    mixtures: list[list[str] | None] = [["critical", "source"], ["provisional", "critical", "source"], None]
    for mixture in mixtures:
        with pytest.raises(TallystickError) as refusal:
            world.objects("dirk@nordwind", to=mixture)
        assert refusal.value.code == "dispute-settled"
    assert world.claim.state is ClaimState.ACCEPTED


def test_objection_to_a_decided_stage_and_one_ruled_on_is_not_a_new_dispute() -> None:
    world = accepted()
    world.gate_runs = True
    for person in ("ana@harbour", "kim@kestrel"):
        world.approves(person, stages=["provisional"])
    world.objects(to=["critical", "source"])
    world.rules(outcome=Outcome.RELEASE)
    assert world.states()["provisional"] == "DECIDED"
    with pytest.raises(TallystickError) as refusal:
        world.objects("dirk@nordwind", to=["provisional", "critical"])
    assert refusal.value.code == "dispute-settled"


def test_objection_to_a_stage_that_nobody_ruled_on_is_still_heard() -> None:
    world = accepted()
    world.objects(to=["critical"])
    world.rules(outcome=Outcome.RELEASE)
    world.objects("dirk@nordwind", to=["critical", "source"])
    assert world.claim.objections_to(AGREEMENT.stages[-1].id)


def refusal_of_filing(world: World, *later: Agreement) -> str | None:
    signed, deposit = expect(world.entries[0].signed, ClaimFiling), world.deposit.body
    try:
        check_filing(world.terms, signed, at=world.now, deposit=deposit, later=later)
    except TallystickError as refusal:
        return refusal.code
    return None


def test_claimant_does_not_pick_an_older_version_of_the_agreement() -> None:
    world = World()
    world.files()
    newer = agreement(version=2, supersedes=world.terms.digest)
    assert refusal_of_filing(world, newer) == "agreement-superseded"
    assert refusal_of_filing(world, replace(newer, effective_from=world.now)) == "agreement-superseded"
    in_a_second = replace(newer, effective_from=world.now + timedelta(seconds=1))
    assert refusal_of_filing(world, in_a_second) is None


def test_claims_filed_without_end_by_one_person_are_refused_and_another_may_file() -> None:
    world = World()
    world.files()
    world.withdraws()
    before = [world.claim] * CLAIMS_PER_PERSON_MAX
    world.files(others=before[1:])
    with pytest.raises(TallystickError) as refusal:
        world.files(others=before)
    assert refusal.value.code == "quota-exceeded"
    world.files("ben@halden", others=before)


def test_claims_of_one_party_are_bounded_whatever_key_filed_each() -> None:
    world = World()
    world.files()
    world.withdraws()
    keys = [SigningKey(number.to_bytes(32)).public_key for number in range(1, CLAIMS_PER_PARTY_MAX + 1)]
    filings = [replace(world.claim.filing, person=PersonId(f"b{place}@halden")) for place in range(len(keys))]
    before = [replace(world.claim, filing=filing) for filing in filings]
    world.files(others=before[1:])
    with pytest.raises(TallystickError) as refusal:
        world.files("ben@halden", others=before)
    assert (refusal.value.code, refusal.value.facts["limit"]) == ("quota-exceeded", CLAIMS_PER_PARTY_MAX)
    another = replace(world.claim.filing, person=DORA)
    world.files(others=[replace(one, filing=another) for one in before])


def test_a_new_version_does_not_bring_a_revoked_key_back() -> None:
    here = Deployment(
        id=DeploymentId("test"),
        engine=AGREEMENT.engine,
        root_keys=(PEOPLE[ANA].signing_key.public_key,),
    )
    stolen = PEOPLE[KIM].signing_key.public_key
    signers = [PEOPLE[p.id].signing_key.public_key for p in AGREEMENT.persons if p.id != KIM]
    with pytest.raises(TallystickError) as refusal:
        check_registration(here, AGREEMENT, signers, previous=None, revoked=[stolen])
    assert (refusal.value.code, refusal.value.facts["key"]) == ("key-revoked", stolen)
    check_registration(
        here,
        AGREEMENT,
        [*signers, stolen],
        previous=None,
        revoked=[SigningKey(32 * b"x").public_key],
    )
