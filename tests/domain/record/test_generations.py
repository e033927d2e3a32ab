"""A claim is folded by the rules it was filed under, and a new claim can name only the newest."""

from dataclasses import replace

import pytest

from tallystick.domain.claim.claim import Claim
from tallystick.domain.claim.state import ClaimState, EventType
from tallystick.domain.errors import TallystickError
from tallystick.domain.kinds import Kind
from tallystick.domain.record.generations import (
    GENERATION_1,
    OldGenerationError,
    UnknownGenerationError,
    newest_generation,
    rehearsed,
    rules_of,
)
from tallystick.domain.refusals import MisdirectedError
from tallystick.domain.statements.header import LedgerSeen
from tallystick.domain.statements.signed import Body, Entry
from tests.support.worlds.generations import GENERATION_2, next_version
from tests.support.worlds.groundwork import some_digest
from tests.support.worlds.world import World

SEEN = LedgerSeen(size=1, root=some_digest(1))


def test_there_is_one_generation_and_a_claim_under_it_carries_its_rules() -> None:
    world = World()
    world.files()
    assert newest_generation() == 1
    assert world.claim.rules is world.refolded().rules is GENERATION_1


@pytest.mark.parametrize("generation", [0, -1, 2])
def test_generation_that_is_not_known_cannot_be_filed(generation: int) -> None:
    with pytest.raises(UnknownGenerationError) as refusal:
        World().files(generation=generation)
    assert refusal.value.facts == {"given": generation, "known": [1]}
    assert "newer version" in refusal.value.advice


def test_only_the_newest_generation_can_be_filed() -> None:
    with next_version():
        with pytest.raises(OldGenerationError) as refusal:
            World().files(generation=1)
        assert refusal.value.facts == {"given": 1, "expected": 2}
        world = World()
        world.files(generation=2)
        assert world.claim.rules is GENERATION_2


def test_claim_keeps_the_rule_that_it_was_filed_under() -> None:
    old, new = World(), World()
    old.files()
    old.accepts()
    with next_version():
        old.approves("kim@kestrel")
        new.files()
        new.accepts()
        with pytest.raises(MisdirectedError):
            new.approves("kim@kestrel")
        new.approves("kim@kestrel", ledger_seen=SEEN)
        assert [old.refolded(), new.refolded()] == [old.claim, new.claim]


def test_claim_of_a_newer_version_does_not_fold() -> None:
    world = World()
    with next_version():
        world.files()
    with pytest.raises(UnknownGenerationError):
        world.refolded()


def test_the_table_and_its_effects_are_of_the_generation_too() -> None:
    table = {**GENERATION_1.transitions, (ClaimState.FILED, EventType.INTAKE_ACCEPTED): ClaimState.LAPSED}
    with rehearsed(replace(GENERATION_1, generation=2, transitions=table)):
        world = World(engine_runs=False)
        world.files()
        world.accepts()
        assert world.claim.state is ClaimState.LAPSED
    held: list[str] = []

    def told(claim: Claim, entry: Entry, _: Body) -> Claim:
        held.append(entry.signed.kind)
        return claim

    effects = {**GENERATION_1.effects, EventType.HOLD_PLACED: told}
    with rehearsed(replace(GENERATION_1, generation=2, effects=effects)):
        world = World(engine_runs=False)
        world.files()
        world.says(Kind.HOLD, "ana@harbour", reason="a court asks for it")
    assert held == [Kind.HOLD]


def test_a_rehearsed_generation_is_the_next_and_is_gone_afterwards() -> None:
    with pytest.raises(AssertionError), rehearsed(GENERATION_1):
        pass
    with next_version():
        assert newest_generation() == 2
        assert rules_of(1) is GENERATION_1
    with pytest.raises(TallystickError):
        rules_of(2)
    assert newest_generation() == 1


def test_claims_are_compared_without_their_rules() -> None:
    world = World()
    world.files()
    assert hash(world.claim) == hash(world.refolded())
    assert "rules" not in repr(world.claim)
