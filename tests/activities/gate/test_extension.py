"""Whose approval counts at the gate depends on the log that they had verified: this one must extend it."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest

from tallystick.crypto.log.merkle import EMPTY_ROOT
from tallystick.domain.ids import Digest
from tallystick.domain.statements.acts import Denial, NoticeAcknowledgement
from tallystick.domain.statements.header import LedgerSeen
from tests.activities.gate.test_decide import last_decision, refuses
from tests.support.worlds.agreements import ABE, ANA, DORA, KIM, TOM
from tests.support.worlds.gate_worlds import ACKNOWLEDGED, READY, World
from tests.support.worlds.prepared_worlds import accepted, prepared_world, ready_world

EMPTY: Final = Digest(f"sha256:{EMPTY_ROOT.hex()}")


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> World:
    return prepared_world(tmp_path_factory.mktemp("prepared"))


@pytest.fixture
def open_claim(prepared: World, tmp_path: Path) -> World:
    """A claim whose window is over, and which nobody has approved."""
    world = accepted(prepared.copied_to(tmp_path / "open"))
    world.settle(READY)
    return world


def approved(world: World, seen: Callable[[World], LedgerSeen | None]) -> World:
    """Tom is the third of three who approve; the gate is then asked."""
    for person in (ANA, KIM):
        world.approve(person, READY, ledger_seen=world.seen())
    world.approve(TOM, READY, ledger_seen=seen(world))
    world.settle(READY)
    world.sign_checkpoint()
    return world


def test_those_who_had_verified_this_very_log_are_counted(open_claim: World) -> None:
    approved(open_claim, lambda world: world.seen())
    assert open_claim.decide().outcome == "released"


def of_another_root(world: World) -> LedgerSeen:
    return replace(world.seen(), root=Digest("sha256:" + 64 * "0"))


def longer_than_the_log(world: World) -> LedgerSeen:
    return replace(world.seen(), size=world.seen().size + 1)


def with_the_root_of_another_size(world: World) -> LedgerSeen:
    return replace(world.seen(3), size=4)


@pytest.mark.parametrize("seen", [of_another_root, longer_than_the_log, with_the_root_of_another_size])
def test_an_approval_whose_author_had_verified_another_log_is_not_counted(
    open_claim: World, seen: Callable[[World], LedgerSeen]
) -> None:
    approved(open_claim, seen)
    assert refuses(open_claim) == {"ledger-extends-seen"}
    (verdict,) = (v for v in last_decision(open_claim.case().claim).premises if not v.holds)
    (of,) = (e.signed.id for e, body in open_claim.case().claim.approvals if body.person == TOM)
    assert of in verdict.found


def test_an_acknowledgement_on_another_log_opens_no_window_that_ends(prepared: World, tmp_path: Path) -> None:
    world = accepted(prepared.copied_to(tmp_path / "world"))
    another = LedgerSeen(size=2, root=Digest("sha256:" + 64 * "0"))
    world.say(NoticeAcknowledgement, DORA, ACKNOWLEDGED, ledger_seen=another)
    world.settle(READY)
    approved(world, lambda _: None)

    assert refuses(world) == {"ledger-extends-seen"}


@pytest.mark.parametrize(("size", "refused"), [(3, True), (None, False)])
def test_a_deposit_whose_depositor_had_verified_another_log_is_not_released(
    tmp_path: Path, size: int | None, refused: bool
) -> None:
    seen = LedgerSeen(size=0, root=EMPTY) if size is None else LedgerSeen(size=size, root=EMPTY)
    world = accepted(prepared_world(tmp_path / "world", seen=seen))
    world.settle(READY)
    approved(world, lambda _: None)

    assert (world.decide().outcome == "released") is not refused
    (verdict,) = (v for v in last_decision(world.case().claim).premises if v.premise == "ledger-extends-seen")
    assert (f"deposit {world.case().claim.filing.deposit}" in verdict.found) is refused


def test_a_denial_counts_whatever_log_its_author_had_verified(tmp_path: Path) -> None:
    world = ready_world(tmp_path)
    world.approve(DORA, READY)
    another = LedgerSeen(size=10_000, root=Digest("sha256:" + 64 * "0"))
    for person in (ABE, KIM):
        world.say(Denial, person, READY, reason="the evidence is disputed", ledger_seen=another)

    assert refuses(world) == {"no-denial-quorum"}
