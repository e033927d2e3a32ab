"""A claim on which nobody acts ends by itself on a real workflow, at the moment that the parties chose."""

from datetime import timedelta

from tallystick.domain.claim.state import EventType
from tallystick.domain.statements.acts import Hold
from tests.support.sites.temporal import Story
from tests.support.worlds.agreements import KIM

DAY = timedelta(days=1)


def last_event(story: Story) -> EventType:
    return story.on_record().steps[-1].event


async def test_a_claim_that_nobody_takes_in_lapses(story: Story) -> None:
    async with story.carried():
        await story.files()
        await story.passes(10 * DAY)
        await story.comes_to_be("LAPSED")
        assert await story.ends() == "LAPSED"
    assert last_event(story) is EventType.INTAKE_LAPSED


async def test_a_dispute_that_nobody_settles_ends_the_claim(story: Story) -> None:
    async with story.carried():
        await story.files()
        await story.accepts()
        await story.objects()
        await story.passes(179 * DAY)
        assert story.on_record().state.value == "CONTESTED"
        await story.passes(2 * DAY)
        await story.comes_to_be("LAPSED")
        assert await story.ends() == "LAPSED"
    assert last_event(story) is EventType.DISPUTE_LAPSED


async def test_a_hold_that_nobody_lifts_ends_the_claim(story: Story) -> None:
    async with story.carried():
        await story.files()
        await story.accepts()
        await story.says(Hold, KIM, reason="an injunction")
        await story.passes(121 * DAY)
        await story.comes_to_be("LAPSED")
        assert await story.ends() == "LAPSED"
    assert last_event(story) is EventType.HOLD_LAPSED
