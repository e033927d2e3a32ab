"""A claim outlives its runs: a fresh run follows one that has grown long, and nothing is lost."""

from temporalio.client import WorkflowExecutionStatus

from tallystick.domain.claim.claim import Claim
from tallystick.domain.claim.state import ClaimState
from tallystick.messages import ClaimLook, claim_workflow_id
from tests.support.sites.temporal import Story
from workflows.claim.release import ReleaseWorkflow

_NUDGE = ClaimLook(reason=500_000 * "x")
_NUDGES = 9
"""More than the 4 MiB after which servers suggest a fresh run."""


async def lengthens_history(story: Story) -> None:
    for _ in range(_NUDGES):
        await story.handle.signal(ReleaseWorkflow.look, _NUDGE)


async def comes_to_window(story: Story) -> Claim:
    await story.comes_to(lambda claim: bool(claim.notices))
    await story.acknowledges()
    return await story.comes_to_be("WINDOW")


async def test_claim_continues_in_a_fresh_run_once_its_history_is_long(story: Story) -> None:
    async with story.carried():
        await story.files()
        old = (await story.handle.describe()).run_id
        await lengthens_history(story)
        intake = await story.said_intake()
        answer = await story.sends(intake)
        assert answer.state == ClaimState.ACCEPTED
        claim = await comes_to_window(story)
        assert await story.sends(intake, update="again") == answer
        ended = await story.client.get_workflow_handle(claim_workflow_id(claim.digest), run_id=old).describe()
        assert ended.status is WorkflowExecutionStatus.CONTINUED_AS_NEW
        assert (await story.handle.describe()).status is WorkflowExecutionStatus.RUNNING


async def test_what_a_run_begins_with_ends_none(story: Story) -> None:
    filing = await story.writes_claim()
    await story.starts()
    first = (await story.handle.describe()).run_id
    await lengthens_history(story)
    async with story.carried():
        await story.sends(filing)
        await story.accepts()
        await comes_to_window(story)
        assert (await story.handle.describe()).run_id == first
