"""Claims that run now go on under the code of now: stored histories replay."""

import pytest
from temporalio.client import WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Replayer

from tests.support.histories import HISTORIES, STORIES
from workflows import sandbox
from workflows.worker import WORKFLOWS


@pytest.mark.parametrize("name", STORIES)
async def test_stored_history_replays(name: str) -> None:
    history = WorkflowHistory.from_json(f"stored-{name}", (HISTORIES / f"{name}.json").read_text())
    replayer = Replayer(
        workflows=WORKFLOWS, workflow_runner=sandbox.runner(), data_converter=pydantic_data_converter
    )
    await replayer.replay_workflow(history)


def test_every_story_is_stored() -> None:
    assert {path.stem for path in HISTORIES.glob("*.json")} == set(STORIES)
