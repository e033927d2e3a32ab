"""What is claimed past its time is told, with the clause, and refuses no claim."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from tallystick.domain.claim.state import ClaimState
from tallystick.domain.deposit.age import ended_licences, old_content
from tallystick.domain.shown.claims import claim_lines
from tests.support.worlds.agreements import AGREEMENT
from tests.support.worlds.world import World


def claimed(ends_on: date) -> World:
    """A claim for all components, of which one has a licence that ends then."""
    components = tuple(
        replace(one, licence=replace(one.licence, ends_on=ends_on)) if one.id == "licence-keys" else one
        for one in AGREEMENT.components
    )
    world = World(agreement=replace(AGREEMENT, components=components))
    world.files()
    return world


@pytest.mark.parametrize(("days", "told"), [(-1, True), (0, False), (1, False)])
def test_a_licence_that_has_ended_is_told_to_every_signer_and_refuses_no_claim(
    days: int, *, told: bool
) -> None:
    on = (World().now + timedelta(days=days)).date()
    world = claimed(on)
    assert world.claim.state is ClaimState.FILED
    lines = list(ended_licences(world.agreement, world.claim.filing))
    assert [f"the licence of licence-keys ended on {on}" in line for line in lines] == (
        [True] if told else []
    )
    shown = claim_lines(world.agreement, world.claim.digest, world.claim.filing)
    assert any(line.startswith("note: the licence of licence-keys ended") for line in shown) is told


def test_content_older_than_was_agreed_is_told_for_each_component() -> None:
    world = claimed(date(2028, 6, 30))
    filing, deposit = world.claim.filing, world.deposit.body
    assert list(old_content(world.agreement, filing, deposit, deposit.watermark)) == []
    after = deposit.watermark + timedelta(days=15)
    told = [line.partition(" ")[0] for line in old_content(world.agreement, filing, deposit, after)]
    assert told == ["licence-keys", "activation-rules"], "P14D of theirs is over, P45D and P120D are not"
