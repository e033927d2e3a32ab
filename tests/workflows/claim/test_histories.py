"""Running claims continue under the present code: stored histories replay."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

import pytest
from temporalio import workflow
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner, WorkflowRunner
from temporalio.workflow import NondeterminismError

from tallystick.converter import MESSAGE_CONVERTER
from tallystick.messages import ClaimStart
from tests.support.sites import sandbox
from tests.support.stories.histories import HISTORIES, STORIES
from workflows.claim.release import ReleaseWorkflow
from workflows.worker.carrier import WORKFLOWS


async def replay(name: str, workflows: Sequence[type], runner: WorkflowRunner) -> None:
    history = WorkflowHistory.from_json(f"stored-{name}", (HISTORIES / f"{name}.json").read_text())
    replayer = Replayer(workflows=workflows, workflow_runner=runner, data_converter=MESSAGE_CONVERTER)
    await replayer.replay_workflow(history)


@pytest.mark.parametrize("name", STORIES)
async def test_stored_history_replays(name: str) -> None:
    await replay(name, WORKFLOWS, sandbox.runner())


def test_every_story_is_stored() -> None:
    assert {path.stem for path in HISTORIES.glob("*.json")} == set(STORIES)


@workflow.defn(name="ReleaseWorkflow")
class OneStepMore(ReleaseWorkflow):
    """The workflow, changed without a patch."""

    @workflow.init
    def __init__(self, start: ClaimStart) -> None:
        super().__init__(start)

    @workflow.run
    async def run(self, start: ClaimStart) -> str:
        await asyncio.sleep(1)
        return await super().run(start)


@workflow.defn(name="ReleaseWorkflow")
class OneStepLess(ReleaseWorkflow):
    """The same, without its notices."""

    @workflow.init
    def __init__(self, start: ClaimStart) -> None:
        super().__init__(start)

    @workflow.run
    async def run(self, start: ClaimStart) -> str:
        return await super().run(start)

    async def _give_the_depositor_notice(self) -> None:
        return


@workflow.defn(name="ReleaseWorkflow")
class OtherRequest(ReleaseWorkflow):
    """The same steps, the first of them with another activity's name."""

    @workflow.init
    def __init__(self, start: ClaimStart) -> None:
        super().__init__(start)

    @workflow.run
    async def run(self, start: ClaimStart) -> str:
        await workflow.execute_activity("file_claims", start, start_to_close_timeout=timedelta(hours=1))
        return await super().run(start)


CHANGED: Final = (OneStepMore, OneStepLess, OtherRequest)


@pytest.mark.parametrize("changed", CHANGED)
@pytest.mark.parametrize("name", STORIES)
async def test_change_that_runs_on_running_claims_is_noticed(name: str, changed: type) -> None:
    with pytest.raises(NondeterminismError):
        await replay(name, [changed], UnsandboxedWorkflowRunner())
