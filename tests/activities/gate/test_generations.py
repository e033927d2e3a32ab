"""A newer generation of rules, with the real gate: claims filed earlier keep their own."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Final

import pytest

from tallystick.domain.ids import PublicKey
from tallystick.domain.kinds import ReceiptOutcome
from tallystick.domain.record.generations import UnknownGenerationError
from tallystick.domain.refusals import MisdirectedError
from tallystick.domain.statements.engine import DecisionStatement
from tallystick.domain.statements.receipts import Receipt
from tallystick.proof.evidence.verify import verify
from tallystick.store.cases.evidence import export
from tallystick.store.database.session import transaction
from tests.support.worlds.agreements import ANA, BEA, CRITICAL, KIM, LOG_KEY, PEOPLE, TOM
from tests.support.worlds.gate_worlds import READY, ROOT_KEYS, World
from tests.support.worlds.generations import CHANGED_PREMISE, next_version
from tests.support.worlds.prepared_worlds import accepted, prepared_world

HOUR: Final = timedelta(hours=1)
TWO_ROOTS: Final = ROOT_KEYS | {PEOPLE[KIM].signing_key.public_key}


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> World:
    return prepared_world(tmp_path_factory.mktemp("prepared"))


def in_approval(world: World) -> World:
    world = accepted(world)
    world.settle(READY - HOUR)
    return world


def in_provisioning(world: World) -> World:
    world = in_approval(world)
    goes_on(world)
    return world


def goes_on(world: World, **members: object) -> None:
    """Three persons approve; the window is over, and the gate is asked."""
    for person in (ANA, KIM, TOM):
        world.approve(person, READY - HOUR, **members)
    world.settle(READY - HOUR)
    world.sign_checkpoint()
    world.decide()


def is_activated(world: World) -> None:
    components = world.received()
    outcome = ReceiptOutcome.ACTIVATED
    world.say(
        Receipt, BEA, READY + HOUR, stage=CRITICAL, outcome=outcome, components=components, detail="It runs."
    )
    world.settle(READY + HOUR)


def exported(world: World, root_keys: frozenset[PublicKey] = ROOT_KEYS) -> bytes:
    world.sign_checkpoint()
    with transaction(world.database) as session:
        return export(session, world.claim, LOG_KEY, root_keys=root_keys, at=READY + HOUR)


STANDS: Final[Mapping[str, Callable[[World], World]]] = {
    "WINDOW": accepted,
    "APPROVAL": in_approval,
    "PROVISIONING": in_provisioning,
}


@pytest.mark.parametrize("state", STANDS)
def test_claim_of_generation_1_continues_is_decided_and_verifies_as_before(
    prepared: World, tmp_path: Path, state: str
) -> None:
    world = STANDS[state](prepared.copied_to(tmp_path / "world"))
    with next_version():
        assert world.case().claim.state == state
        if state != "PROVISIONING":
            goes_on(world)
        assert world.case().claim.state == "PROVISIONING"
        is_activated(world)
        file = exported(world)
        newer = verify(file, trust=world.digest)
    assert newer.holds
    assert (newer.state, newer.released) == ("RELEASED", (CRITICAL,))
    assert newer == verify(file, trust=world.digest)
    (folded,) = (step.found for step in newer.steps if step.premise == "record-folds")
    assert folded.endswith("by generation 1 of the rules")


def unmet(world: World) -> set[str]:
    decision = world.case().claim.entries_of(DecisionStatement)[-1][1]
    return {verdict.premise for verdict in decision.premises if not verdict.holds}


def test_claim_of_generation_2_is_held_to_its_rule_and_its_premise(prepared: World, tmp_path: Path) -> None:
    world, later = prepared.copied_to(tmp_path / "world"), READY + timedelta(hours=8)
    with next_version():
        world = in_approval(world)
        assert world.case().claim.filing.generation == 2
        with pytest.raises(MisdirectedError):
            world.approve(ANA, READY - HOUR)
        goes_on(world, ledger_seen=world.seen())
        assert unmet(world) == {CHANGED_PREMISE}
        world.settle(later)
        world.decide(world.gate(at=later, root_keys=TWO_ROOTS))
        assert (world.case().claim.state, unmet(world)) == ("PROVISIONING", set())
        file = exported(world, TWO_ROOTS)
        assert verify(file, trust=world.digest).holds
        broken = verify(exported(world), trust=world.digest).broken
    assert broken is not None
    assert (broken.premise, CHANGED_PREMISE in broken.found) == ("decisions-hold", True)


def test_evidence_of_a_newer_version_is_neither_proven_nor_broken(prepared: World, tmp_path: Path) -> None:
    with next_version():
        world = accepted(prepared.copied_to(tmp_path / "world"))
        file = exported(world)
    with pytest.raises(UnknownGenerationError) as refusal:
        verify(file, trust=world.digest)
    assert refusal.value.facts == {"given": 2, "known": [1]}
    assert "newer version" in refusal.value.advice
