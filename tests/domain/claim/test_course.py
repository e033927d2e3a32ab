"""What a running claim waits for, in each chapter of its story."""

from datetime import timedelta
from typing import Final

import pytest

from tallystick.domain.claim.course import (
    is_carried,
    is_over,
    return_orders_end,
    stage_for_the_gate,
    stage_in_delivery,
)
from tests.support.stories.stories import play
from tests.support.worlds.agreements import AGREEMENT
from tests.support.worlds.world import World

OPEN: Final = "bea files\nana accepts\ndora acknowledges"
DECIDED: Final = "bea files\nana accepts\nkim approves provisional\ntom approves provisional"
DELIVERED: Final = f"{DECIDED}\nbea reports provisional activated\ndora acknowledges\nthe window ends"
QUORATE: Final = (
    f"{DELIVERED}\nthe gate is down\nana approves critical\nkim approves critical\ntom approves critical"
)
RELEASED: Final = f"""
    {DELIVERED}
    ana approves critical, source
    kim approves critical, source
    tom approves critical, source
    bea reports critical activated
    3 days pass
    bea reports source activated
    = RELEASED
"""
RETURN_ORDERED: Final = f"{RELEASED}\ndora and bea instruct to return\n= RETURN_DUE"
SECOND: Final = timedelta(seconds=1)


def over(world: World, *, later: timedelta = timedelta()) -> bool:
    return is_over(AGREEMENT, world.claim, at=world.now + later)


def test_the_gate_is_asked_for_the_stage_that_has_its_quorum() -> None:
    assert stage_for_the_gate(play(QUORATE).claim) == "critical"


@pytest.mark.parametrize("story", ["bea files", OPEN, DECIDED, DELIVERED, RELEASED])
def test_the_gate_is_not_asked_before_there_is_a_quorum_nor_after_the_decision(story: str) -> None:
    assert stage_for_the_gate(play(story).claim) is None


def test_the_stage_that_was_decided_is_in_delivery_until_it_is_reported() -> None:
    assert stage_in_delivery(play(OPEN).claim) is None
    assert stage_in_delivery(play(DECIDED).claim) == "provisional"
    assert stage_in_delivery(play(f"{DECIDED}\nbea reports provisional activated").claim) is None


def test_only_a_released_claim_may_be_ordered_back_and_for_a_bounded_time() -> None:
    for story in (OPEN, DELIVERED, RETURN_ORDERED):
        assert return_orders_end(AGREEMENT, play(story).claim) is None, story
    released = play(RELEASED)
    end = return_orders_end(AGREEMENT, released.claim)
    assert end is not None
    assert end.at > released.claim.since


def test_a_released_claim_is_over_only_after_the_last_moment_of_a_return_order() -> None:
    released = play(RELEASED)
    end = return_orders_end(AGREEMENT, released.claim)
    assert end is not None
    assert not is_over(AGREEMENT, released.claim, at=end.at)
    assert is_over(AGREEMENT, released.claim, at=end.at + SECOND)


@pytest.mark.parametrize(
    ("story", "carried", "ended"),
    [
        ("bea files", True, False),
        (OPEN, True, False),
        (DECIDED, True, False),
        (f"{OPEN}\nbea withdraws", False, True),
        ("bea files\nana rejects", False, True),
        (RELEASED, False, False),
        (RETURN_ORDERED, False, False),
    ],
)
def test_which_claims_are_carried_and_which_are_over(story: str, *, carried: bool, ended: bool) -> None:
    world = play(story)
    assert (is_carried(world.claim), over(world)) == (carried, ended)
