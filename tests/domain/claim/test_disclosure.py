"""What leaves with a stage: its files and the gate's shares, and nothing that a vote names."""

from dataclasses import replace

from tallystick.domain.claim.claim import Claim
from tallystick.domain.claim.disclosure import contributions_to, disclosed
from tallystick.domain.ids import Digest
from tallystick.domain.statements.acts import Approval
from tallystick.domain.statements.deposits import Deposit
from tallystick.domain.statements.header import Contribution
from tests.support.stories.stories import play
from tests.support.worlds.agreements import CRITICAL, DOCS, KIM, PROVISIONAL, TOM
from tests.support.worlds.groundwork import some_digest
from tests.support.worlds.world import World

GATES = some_digest(400)
RUBBISH = Contribution(component=DOCS, leaf="kim", sealed_digest=some_digest(801))


def approved() -> World:
    """Kim has approved two stages; Tom's approval is missing."""
    world = play("bea files\nana accepts")
    world.approves(KIM, stages=[PROVISIONAL, CRITICAL])
    return world


def decided() -> World:
    world = approved()
    world.approves(TOM, stages=[PROVISIONAL])
    world.settles()
    return world


def deposit_of(world: World) -> Deposit:
    deposit = world.deposit.body
    assert isinstance(deposit, Deposit)
    return deposit


def files_of_docs(world: World) -> set[Digest]:
    return {one.sealed_digest for one in deposit_of(world).components if one.component == DOCS}


def with_rubbish_in_every_vote(claim: Claim) -> Claim:
    """As if votes had been recorded that name a share which does not exist: no door lets them in."""
    entries = tuple(
        replace(entry, signed=replace(entry.signed, body=replace(body, contributions=(RUBBISH,))))
        if isinstance(body := entry.signed.body, Approval)
        else entry
        for entry in claim.entries
    )
    return replace(claim, entries=entries)


def test_nothing_is_disclosed_before_a_stage_is_decided() -> None:
    world = approved()
    assert contributions_to(world.agreement, world.claim, PROVISIONAL) == ()
    assert (
        disclosed(world.agreement, world.claim, deposit_of(world).components, world.claim.decided_stages)
        == frozenset()
    )


def test_a_decided_stage_discloses_what_its_decision_names() -> None:
    world = decided()
    shares = contributions_to(world.agreement, world.claim, PROVISIONAL)
    assert [(one.leaf, one.sealed_digest) for one in shares] == [("gate", GATES)]
    assert contributions_to(world.agreement, world.claim, CRITICAL) == ()
    opened = disclosed(world.agreement, world.claim, deposit_of(world).components, world.claim.decided_stages)
    assert opened == files_of_docs(world) | {GATES}


def test_what_a_vote_names_reaches_nobody_and_opens_no_blob() -> None:
    world = decided()
    spoilt = with_rubbish_in_every_vote(world.claim)
    shares = contributions_to(world.agreement, spoilt, PROVISIONAL)
    assert [one.sealed_digest for one in shares] == [GATES]
    assert RUBBISH.sealed_digest not in disclosed(
        world.agreement, spoilt, deposit_of(world).components, spoilt.decided_stages
    )


def test_a_refusal_of_the_gate_discloses_nothing() -> None:
    world = approved()
    world.decides(PROVISIONAL)
    assert contributions_to(world.agreement, world.claim, PROVISIONAL) == ()
