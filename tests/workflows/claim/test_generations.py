"""A newer generation of rules, with the real workflow and gate: each claim is carried under its own."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

import pytest

from tallystick.domain.claim.claim import Claim
from tallystick.domain.claim.state import ClaimState
from tallystick.domain.statements.acts import Approval
from tests.support.sites.temporal import SECOND, Story
from tests.support.worlds.agreements import ANA, KIM, TOM
from tests.support.worlds.generations import next_version
from tests.workflows.claim.test_release import after_window, in_window, refusal_of


async def in_provisioning(story: Story) -> Claim:
    """Bring a claim from where it stands to a decided stage that waits for its receipt."""
    claim = story.on_record()
    if claim.state is not ClaimState.PROVISIONING:
        for person in (ANA, KIM, TOM):
            await story.approves(person)
    assert claim.window_until is not None
    await story.until(claim.window_until + 2 * SECOND)
    return await story.comes_to_be("PROVISIONING")


async def decided(story: Story) -> Claim:
    await after_window(story)
    return await in_provisioning(story)


STANDS: Final[Mapping[ClaimState, Callable[[Story], Awaitable[Claim]]]] = {
    ClaimState.WINDOW: in_window,
    ClaimState.APPROVAL: after_window,
    ClaimState.PROVISIONING: decided,
}


@pytest.mark.parametrize("state", STANDS)
async def test_claim_is_carried_on_under_the_rules_it_was_filed_under(
    state: ClaimState, story: Story
) -> None:
    async with story.carried():
        assert (await STANDS[state](story)).state is state
        with next_version():
            await in_provisioning(story)
            await story.reports("critical")
            released = await story.comes_to_be("RELEASED")
            assert released.filing.generation == 1
            assert await story.ends() == "RELEASED"


async def test_new_claim_names_the_newest_generation_and_is_held_to_it(story: Story) -> None:
    async with story.carried():
        with next_version():
            assert await refusal_of(story.files(generation=1)) == "generation-replaced"
            await story.files()
            await story.accepts()
            assert await refusal_of(story.approves(ANA)) == "misdirected"
            assert await approves_having_seen(story) == "ACCEPTED"
            assert story.on_record().filing.generation == 2


async def approves_having_seen(story: Story) -> str:
    approval = story.read(await story.approval(ANA)).body
    assert isinstance(approval, Approval)
    members = {name: getattr(approval, name) for name in ("stages", "purpose", "expires_at", "reason")}
    return (await story.says(Approval, ANA, ledger_seen=story.world.seen(), **members)).state
