"""What leaves with a stage: its own files and shares, and nothing of the stages that wait."""

from tallystick.domain.claim.disclosure import contributions_to, disclosed
from tallystick.domain.ids import ComponentId
from tallystick.domain.statements.deposits import Deposit
from tallystick.domain.statements.header import Contribution
from tests.support.stories.stories import play
from tests.support.worlds.agreements import CRITICAL, DOCS, KIM, LICENCE_KEYS, PROVISIONAL, TOM
from tests.support.worlds.groundwork import some_digest
from tests.support.worlds.world import World

OF_DOCS, GATES = some_digest(801), some_digest(400)


def share(component: ComponentId, number: int) -> Contribution:
    return Contribution(component=component, leaf="kim", sealed_digest=some_digest(number))


def approved_with_shares() -> World:
    """One approval of two stages, with a share for each; a second one is missing."""
    world = play("bea files\nana accepts")
    world.approves(
        KIM,
        stages=[PROVISIONAL, CRITICAL],
        contributions=(share(DOCS, 801), share(LICENCE_KEYS, 802)),
    )
    return world


def deposit_of(world: World) -> Deposit:
    deposit = world.deposit.body
    assert isinstance(deposit, Deposit)
    return deposit


def test_nothing_is_disclosed_before_a_stage_is_decided() -> None:
    world = approved_with_shares()
    assert contributions_to(world.agreement, world.claim, PROVISIONAL) == ()
    assert disclosed(world.agreement, world.claim, deposit_of(world).components) == frozenset()


def test_a_decided_stage_discloses_its_custodians_shares_then_the_gates() -> None:
    world = approved_with_shares()
    world.approves(TOM, stages=[PROVISIONAL])
    world.settles()
    shares = contributions_to(world.agreement, world.claim, PROVISIONAL)
    assert [(one.leaf, one.sealed_digest) for one in shares] == [("kim", OF_DOCS), ("gate", GATES)]


def test_a_share_for_a_waiting_stage_is_not_disclosed_though_its_approval_is_for_both() -> None:
    world = approved_with_shares()
    world.approves(TOM, stages=[PROVISIONAL])
    world.settles()
    deposit = deposit_of(world)
    (file,) = (one.sealed_digest for one in deposit.components if one.component == DOCS)
    assert contributions_to(world.agreement, world.claim, CRITICAL) == ()
    assert disclosed(world.agreement, world.claim, deposit.components) == {file, OF_DOCS, GATES}


def test_a_refusal_of_the_gate_discloses_nothing() -> None:
    world = approved_with_shares()
    world.decides(PROVISIONAL)
    assert contributions_to(world.agreement, world.claim, PROVISIONAL) == ()
