"""A claim whose calendar ends on the way: notice is given, and longer calendars carry it on."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from temporalio.testing import WorkflowEnvironment

from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.claim.state import ClaimState
from tallystick.domain.ids import Digest
from tallystick.domain.inbox.waiting import Awaited, waiting
from tallystick.messages import ClaimLook
from tests.support.sites.temporal import new_story
from tests.support.worlds.gate_worlds import World
from tests.support.worlds.story_worlds import BEGIN, SOME_DAY, deposited_world
from workflows.claim.release import ReleaseWorkflow

ENDS = timedelta(days=60)
LATE = timedelta(days=50)  # ten business days later the calendar is over


async def test_a_claim_continues_when_longer_calendars_are_registered(
    environment: WorkflowEnvironment, tmp_path: Path
) -> None:
    end = (BEGIN + ENDS).date()
    short = replace(
        SOME_DAY,
        notice=replace(SOME_DAY.notice, deemed_after=None),
        calendars=tuple(replace(one, covers_until=end, holidays=()) for one in SOME_DAY.calendars),
    )
    story = new_story(environment, tmp_path / "site", await asyncio.to_thread(_made, tmp_path, short))
    async with story.carried():
        await story.files()
        await story.accepts()
        await story.comes_to(lambda claim: bool(claim.notices))
        await story.passes(LATE)
        assert (await story.acknowledges()).state is ClaimState.ACCEPTED
        case = story.world.case()
        (told,) = (
            one
            for one in waiting(case.agreement, case.claim, await story.now())
            if one.what is Awaited.CALENDAR
        )
        assert end.isoformat() in told.why
        longer = replace(short, version=2, supersedes=story.world.digest, calendars=SOME_DAY.calendars)
        await asyncio.to_thread(replace(story.world, agreement=longer).register)
        await story.handle.signal(ReleaseWorkflow.look, ClaimLook(reason="a version was registered"))
        claim = await story.comes_to_be("WINDOW")
        assert claim.window_until is not None
        assert claim.window_until.date() > end


def _made(folder: Path, agreement: Agreement) -> tuple[World, Digest]:
    made = folder / "made"
    made.mkdir()
    return deposited_world(made, agreement)
