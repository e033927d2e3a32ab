"""Each template on the time-skipping server: a claim that is released, and one that is denied."""

from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Final

import pytest
from temporalio.testing import WorkflowEnvironment

from tallystick.desk.templates.filling import TemplateName
from tallystick.domain.claim.stages import opens_at
from tallystick.domain.claim.state import StageState
from tallystick.domain.ids import PersonId, StageId
from tallystick.domain.statements.acts import Denial
from tests.support.sites.temporal import SECOND, Story, new_story
from tests.support.stories.template_agreements import from_template
from tests.support.worlds.agreements import ABE, ANA, DORA, KIM
from tests.support.worlds.story_worlds import BEGIN, deposited_world

APPROVERS: Final[Mapping[TemplateName, tuple[PersonId, ...]]] = {
    TemplateName.THREE_PARTY: (ANA, ABE),
    TemplateName.FOUR_PARTY: (ANA, KIM),
    TemplateName.MULTI_BENEFICIARY: (ANA, KIM),
    TemplateName.SOURCE_ONLY: (ANA, KIM),
}
DENIERS: Final = {**APPROVERS, TemplateName.THREE_PARTY: (ANA, DORA)}


@pytest.fixture
async def story_of(template: TemplateName, environment: WorkflowEnvironment, tmp_path: Path) -> Story:
    agreement = from_template(template, begins=date(BEGIN.year - 1, 12, 1))
    (tmp_path / "copy").mkdir()
    (tmp_path / "world").mkdir()
    return new_story(environment, tmp_path / "copy", deposited_world(tmp_path / "world", agreement))


async def _opening(story: Story, stage: StageId) -> datetime:
    """When a stage opens, once that is known."""
    claim = await story.comes_to(lambda claim: opens_at(story.world.agreement, claim, stage) is not None)
    opening = opens_at(story.world.agreement, claim, stage)
    assert opening is not None
    return opening.at


@pytest.mark.parametrize("template", TemplateName)
async def test_a_claim_under_a_template_is_released_stage_by_stage(
    template: TemplateName, story_of: Story
) -> None:
    stages = [stage.id for stage in story_of.world.agreement.stages]
    async with story_of.carried():
        await story_of.files(stages=stages)
        await story_of.accepts()
        for person in APPROVERS[template]:
            await story_of.approves(person, *stages)
        if "provisional" in stages:
            await story_of.comes_to(lambda claim: claim.stages[0].state is StageState.DECIDED)
            await story_of.reports("provisional")
        await story_of.comes_to(lambda claim: bool(claim.notices))
        await story_of.acknowledges()
        claim = await story_of.comes_to(lambda claim: claim.window_until is not None)
        assert claim.window_until is not None
        await story_of.until(claim.window_until + 2 * SECOND)
        for stage in stages:
            if stage != "provisional":
                await story_of.until(await _opening(story_of, stage) + 2 * SECOND)
                await story_of.comes_to_be("PROVISIONING")
                await story_of.reports(stage)
        await story_of.comes_to_be("RELEASED")


@pytest.mark.parametrize("template", TemplateName)
async def test_a_claim_under_a_template_is_denied_by_those_who_may(
    template: TemplateName, story_of: Story
) -> None:
    async with story_of.carried():
        await story_of.files(stages=[stage.id for stage in story_of.world.agreement.stages])
        await story_of.accepts()
        for person in DENIERS[template]:
            await story_of.says(Denial, person, reason="The petition was dismissed.")
        await story_of.comes_to_be("DENIED")
