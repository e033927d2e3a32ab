"""Writes the histories that are replayed: `python -m tests.support.stories.histories`.

A workflow whose commands change under a claim that runs must be patched instead; the
stored histories are the claims that run.
"""

import asyncio
import re
import sys
import tempfile
from pathlib import Path
from typing import Final

from tests.support.sites.temporal import SECOND, Story, new_story, time_skipping
from tests.support.worlds.agreements import ANA, KIM, TOM

HISTORIES: Final = Path(__file__).parents[2] / "workflows" / "histories"


async def released(story: Story) -> None:
    """A claim from filing to release, over its objection window."""
    await story.files()
    await story.accepts()
    await story.comes_to(lambda claim: bool(claim.notices))
    await story.acknowledges()
    opened = await story.comes_to_be("WINDOW")
    for person in (ANA, KIM, TOM):
        await story.approves(person)
    assert opened.window_until is not None
    await story.until(opened.window_until + 2 * SECOND)
    await story.comes_to_be("PROVISIONING")
    await story.reports("critical")
    await story.comes_to_be("RELEASED")
    assert await story.ends() == "RELEASED"


async def contested(story: Story) -> None:
    """A claim in the middle of a dispute."""
    await story.files()
    await story.accepts()
    await story.comes_to(lambda claim: bool(claim.notices))
    await story.objects()
    await story.acknowledges()
    await story.comes_to(lambda claim: claim.window_opened_at is not None)


STORIES: Final = {"released": released, "contested": contested}


async def write_histories(server: Path) -> None:
    """Play every story, and keep its workflow's history."""
    HISTORIES.mkdir(exist_ok=True)
    for name, play in STORIES.items():
        with tempfile.TemporaryDirectory() as folder:
            async with time_skipping(server) as environment:
                story = new_story(environment, Path(folder))
                async with story.carried():
                    await play(story)
                    history = await story.handle.fetch_history()
        # The names of the process and machine that ran it mean nothing to a replay.
        told = re.sub(r'("identity": )"[^"]*"', r'\1"worker"', history.to_json())
        (HISTORIES / f"{name}.json").write_text(told + "\n")


if __name__ == "__main__":
    asyncio.run(write_histories(Path(sys.executable).with_name("temporal-test-server")))
