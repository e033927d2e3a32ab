"""Claims that the escrow agent files for a beneficiary, on a real Temporal server with the real gate."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from temporalio.testing import WorkflowEnvironment

from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.errors import TallystickError
from tallystick.domain.ids import Digest, PartyId, StageId
from tallystick.domain.kinds import Happening
from tallystick.domain.statements.acts import Confirmation, Intake
from tallystick.domain.statements.engine import DecisionStatement, Event
from tests.support.sites.temporal import SECOND, Story, new_story
from tests.support.worlds.agreements import (
    ABE,
    ANA,
    BEA,
    BEN,
    KIM,
    TOM,
    receivers,
)
from tests.support.worlds.gate_worlds import World
from tests.support.worlds.groundwork import FILED_FOR
from tests.support.worlds.story_worlds import SOME_DAY, deposited_world

TERMS: Agreement = replace(
    SOME_DAY,
    authorities=FILED_FOR.authorities,
    windows=replace(SOME_DAY.windows, confirmation=FILED_FOR.windows.confirmation),
)


@pytest.fixture
async def story(environment: WorkflowEnvironment, tmp_path: Path) -> Story:
    return new_story(environment, tmp_path / "site", await asyncio.to_thread(_made, tmp_path))


def _made(folder: Path) -> tuple[World, Digest]:
    made = folder / "made"
    made.mkdir()
    return deposited_world(made, TERMS)


async def filed_for_halden(story: Story) -> None:
    await story.files(person=ANA, for_=PartyId("halden"), receivers=(), declaration=None)


async def test_agent_files_the_bank_confirms_and_it_is_released_to_whom_the_bank_names(story: Story) -> None:
    async with story.carried():
        await filed_for_halden(story)
        with pytest.raises(TallystickError) as refused:
            await story.says(Intake, ABE, accepted=True)
        assert refused.value.code == "confirmation-awaited"
        named = receivers(BEN, BEA)
        await story.says(Confirmation, BEA, declaration="Support has ceased.", receivers=named)
        await story.says(Intake, ABE, accepted=True)
        await story.comes_to(lambda claim: bool(claim.notices))
        await story.acknowledges()
        claim = await story.comes_to_be("WINDOW")
        assert claim.window_until is not None
        await story.until(claim.window_until + 2 * SECOND)
        for person in (ABE, KIM, TOM):
            await story.approves(person)
        claim = await story.comes_to_be("PROVISIONING")
        (decision,) = (body for _, body in claim.entries_of(DecisionStatement))
        found = {verdict.premise: verdict.found for verdict in decision.premises}
        assert found["claim-confirmed"] == "confirmed by bea@halden for halden"
        assert found["receivers-named"] == "sealed to ben@halden, bea@halden"
        assert claim.progress(StageId("critical")).decision is not None


async def test_what_nobody_confirms_lapses_by_itself_once_its_time_is_over(story: Story) -> None:
    async with story.carried():
        await filed_for_halden(story)
        await story.passes(timedelta(days=9))
        claim = await story.comes_to_be("LAPSED")
        (event,) = (body for _, body in claim.entries_of(Event) if body.happening is Happening.LAPSED)
        assert event.because[0] == "halden has not confirmed what was filed for it"
