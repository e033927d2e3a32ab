"""What Temporal has lost is restarted from the ledger, once; what ended is not."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import event
from structlog.testing import capture_logs
from temporalio.api.enums.v1 import EventType
from temporalio.client import (
    Client,
    DescribeWorkflowInput,
    Interceptor,
    OutboundInterceptor,
    WorkflowExecutionDescription,
    WorkflowExecutionStatus,
)
from temporalio.service import RPCError, RPCStatusCode

from tallystick.domain.claim.state import ClaimState
from tallystick.domain.ids import AgreementId, Digest
from tallystick.domain.statements.acts import Withdrawal
from tallystick.messages import claim_workflow_id, custody_workflow_id, deposit_workflow_id
from tallystick.store.database.session import open_database, reading, transaction
from tallystick.store.ledger import ledger
from tallystick.store.registers import agreements, deposits
from tallystick.store.registers.custody import live_custody, missing_epochs
from tallystick.store.registers.verdicts import RecordedVerdict, verdict_on
from tests.support.sites.temporal import Story, real_time
from tests.support.waits import until
from tests.support.worlds.agreements import BEA
from tests.support.worlds.gate_worlds import World
from tests.support.worlds.story_worlds import BEGIN, SOME_DAY, undeposited
from workflows.worker.reconciler import Reconciler


def reconciler(story: Story) -> Reconciler:
    return Reconciler(client=story.client, database=story.world.database)


async def results(story: Story, workflow_ids: Sequence[str]) -> None:
    for workflow_id in workflow_ids:
        await story.client.get_workflow_handle(workflow_id).result()


def second_deposit(story: Story) -> Digest:
    """Record another deposit that has no verdict yet."""
    envelope = undeposited(story.world, BEGIN, number=2, previous=story.deposit)
    with transaction(story.world.database) as session:
        return deposits.record(session, envelope, BEGIN).digest


def verdict(story: Story, deposit: Digest) -> RecordedVerdict | None:
    with reading(story.world.database) as session:
        return verdict_on(session, story.world.agreement.id, deposit)


async def test_nothing_is_started_where_nothing_is_owed(story: Story) -> None:
    assert await reconciler(story).one_pass() == []


async def test_claim_whose_run_was_ended_by_force_continues(story: Story) -> None:
    async with story.carried():
        await story.files()
        await story.handle.terminate("by force")
        assert await reconciler(story).one_pass() == [claim_workflow_id(story.claim)]
        assert (await story.accepts()).state == ClaimState.ACCEPTED


async def test_claim_that_temporal_knows_nothing_of_is_started_once(story: Story) -> None:
    world = story.world.file(story.deposit, BEGIN)
    owed = claim_workflow_id(world.claim)
    both = reconciler(story), reconciler(story)
    assert await both[0].one_pass() == [owed]
    assert await both[0].one_pass() == []
    assert await both[1].one_pass() == []
    described = await story.client.get_workflow_handle(owed).describe()
    assert described.status is WorkflowExecutionStatus.RUNNING


async def test_claim_that_ran_to_its_end_is_never_started_again(story: Story) -> None:
    async with story.carried():
        await story.files()
        await story.accepts()
        await story.says(Withdrawal, BEA, reason="other", explanation="It is over.")
        assert await story.handle.result() == "WITHDRAWN"
        ended = await story.handle.describe()
        for one in (reconciler(story), reconciler(story)):
            assert await one.one_pass() == []
            assert await one.one_pass() == []
        assert (await story.handle.describe()).run_id == ended.run_id


async def test_deposit_without_a_verdict_gets_one(story: Story) -> None:
    deposit = second_deposit(story)
    async with story.carried(gate=False):
        started = await reconciler(story).one_pass()
        assert started == [deposit_workflow_id(deposit)]
        await results(story, started)
        assert await reconciler(story).one_pass() == []
    judged = verdict(story, deposit)
    assert judged is not None
    assert judged.verified
    assert judged.at >= BEGIN


async def test_deposit_whose_files_are_gone_fails_and_its_verdict_says_why(story: Story) -> None:
    deposit = second_deposit(story)
    gone, *_ = (c.sealed_digest for c in story.deposited(deposit).components)
    for path in story.world.sealed_files(gone):
        path.unlink()
    async with story.carried(gate=False):
        await results(story, await reconciler(story).one_pass())
    judged = verdict(story, deposit)
    assert judged is not None
    assert not judged.verified
    assert any("missing" in line for line in judged.because)


async def test_agreement_without_custody_has_every_component_dealt_once(story: Story, tmp_path: Path) -> None:
    folder = tmp_path / "undealt"
    folder.mkdir()
    story.world = World(folder=folder, agreement=SOME_DAY)
    with transaction(story.world.database) as session:
        agreements.register(session, story.world.agreement_statement(), BEGIN)
    components = [component.id for component in SOME_DAY.components]
    async with story.carried():
        started = await reconciler(story).one_pass()
        assert started == [custody_workflow_id(SOME_DAY.id, component, 1) for component in components]
        await results(story, started)
        assert await reconciler(story).one_pass() == []
    with reading(story.world.database) as session:
        assert sorted(live_custody(session, SOME_DAY.id)) == sorted(components)
        assert missing_epochs(session, SOME_DAY.id, SOME_DAY) == []


async def test_passes_over_a_database_out_of_reach_are_reported_once_and_go_on(
    story: Story, tmp_path: Path
) -> None:
    nowhere = open_database(f"sqlite:///{tmp_path}/no-folder/store.db")
    one = Reconciler(client=story.client, database=nowhere)
    asked = 0

    def count(*_: object) -> None:
        nonlocal asked
        asked += 1

    event.listen(nowhere, "do_connect", count)
    with capture_logs() as logs:
        passing = asyncio.create_task(one.keep_reconciling(timedelta(milliseconds=1)))
        await until(lambda: asked > 2 or passing.done())
        assert not passing.done()
        passing.cancel()
    assert [log["code"] for log in logs] == ["database-unavailable"]


async def test_reconciler_nudges_a_run_that_lost_what_it_had_recorded(story: Story) -> None:
    async with story.carried():
        await story.files()
        # As if the worker had died between the commit and its answer: the run knows nothing of it.
        intake = await story.said_intake()
        with transaction(story.world.database) as session:
            ledger.append(session, story.world.agreement.id, intake, await story.now(), claim=story.claim)
        assert await reconciler(story).one_pass() == []
        claim = await story.comes_to(lambda claim: bool(claim.notices))
        assert claim.state == ClaimState.ACCEPTED


async def test_reconciler_nudges_a_run_once_for_what_is_new(story: Story) -> None:
    async with story.carried():
        await story.files()
        one = reconciler(story)
        await one.one_pass()
        looked = await signals(story)
        await one.one_pass()
        assert await signals(story) == looked


@dataclass
class Refusing(OutboundInterceptor, Interceptor):
    """A Temporal that will not describe one workflow."""

    workflow_id: str
    status: RPCStatusCode
    next: OutboundInterceptor = field(init=False)

    def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:  # noqa: A002 - its name there
        self.next = next
        return self

    async def describe_workflow(self, input: DescribeWorkflowInput) -> WorkflowExecutionDescription:  # noqa: A002 - as above
        if input.id == self.workflow_id:
            raise RPCError("refused", self.status, b"")
        return await self.next.describe_workflow(input)

    def before(self, story: Story) -> Reconciler:
        near = story.client
        client = Client(
            near.service_client,
            namespace=near.namespace,
            data_converter=near.data_converter,
            interceptors=[self],
        )
        return Reconciler(client=client, database=story.world.database)


async def test_workflow_that_temporal_refuses_keeps_no_other_from_its_start(story: Story) -> None:
    refused = claim_workflow_id(story.world.file(story.deposit, BEGIN).claim)
    other = deposit_workflow_id(second_deposit(story))
    temporal = Refusing(refused, RPCStatusCode.DEADLINE_EXCEEDED)
    with capture_logs() as logs:
        assert await temporal.before(story).one_pass() == [other]
    assert [(log["log_level"], log["workflow"]) for log in logs] == [("error", refused)]


@pytest.mark.parametrize("status", ["UNAVAILABLE", "UNIMPLEMENTED", "PERMISSION_DENIED", "UNAUTHENTICATED"])
async def test_temporal_out_of_reach_ends_the_pass(story: Story, status: str) -> None:
    claim = claim_workflow_id(story.world.file(story.deposit, BEGIN).claim)
    second_deposit(story)
    with pytest.raises(RPCError):
        await Refusing(claim, RPCStatusCode[status]).before(story).one_pass()


async def test_a_namespace_that_is_gone_ends_the_pass_and_is_not_told_for_each_workflow(
    story: Story, temporal_cli: Path
) -> None:
    story.world.file(story.deposit, BEGIN)
    second_deposit(story)
    async with real_time(temporal_cli) as environment:
        gone = Client(environment.client.service_client, namespace="nowhere")
        with pytest.raises(RPCError), capture_logs() as logs:
            await Reconciler(client=gone, database=story.world.database).one_pass()
    assert logs == []


@pytest.mark.parametrize("kind", ["agreement", "claim"])
async def test_damaged_agreement_keeps_no_other_from_its_start(story: Story, kind: str) -> None:
    damaged = World(folder=story.world.folder, agreement=replace(SOME_DAY, id=AgreementId("a-damaged-one")))
    with transaction(story.world.database) as session:
        agreements.register(session, damaged.agreement_statement(), BEGIN)
    damaged.file(story.deposit, BEGIN)
    story.world.execute(
        "UPDATE ledger_entries SET envelope = ? WHERE agreement_id = ? AND kind = ?",
        b"\xff",
        damaged.agreement.id,
        kind,
    )
    owed = claim_workflow_id(story.world.file(story.deposit, BEGIN).claim)
    with capture_logs() as logs:
        assert owed in await reconciler(story).one_pass()
    (told,) = (log for log in logs if log["log_level"] == "error")
    assert told["agreement"] == damaged.agreement.id
    assert told["broken_by"]


async def test_damaged_filing_or_verdict_keeps_nothing_beside_it_from_its_start(story: Story) -> None:
    damaged, sound = (story.world.file(story.deposit, BEGIN).claim for _ in range(2))
    judged, unjudged = verdict(story, story.deposit), second_deposit(story)
    assert judged is not None
    for statement in (damaged, judged.statement):
        story.world.execute("UPDATE ledger_entries SET envelope = ? WHERE statement_id = ?", b"{}", statement)
    started = await reconciler(story).one_pass()
    assert {claim_workflow_id(sound), deposit_workflow_id(unjudged)} <= set(started)
    assert claim_workflow_id(damaged) not in started


async def test_claim_that_no_entry_names_any_more_ends_no_pass(story: Story) -> None:
    owed = claim_workflow_id(story.world.file(story.deposit, BEGIN).claim)
    story.world.execute("UPDATE ledger_entries SET claim = NULL WHERE kind = 'claim'")
    assert await reconciler(story).one_pass() == [owed]


async def signals(story: Story) -> int:
    history = [event.event_type async for event in story.handle.fetch_history_events()]
    return history.count(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED)
