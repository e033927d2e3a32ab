"""What the gate does in an instant waits for nothing that it reads for hours."""

import asyncio
import threading
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from temporalio import activity, workflow
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from tallystick.domain.ids import AgreementId, ComponentId, Digest, StageId
from tallystick.limits.processes import GATE_STEPS_AT_ONCE_MAX
from tallystick.messages import DealCustody, DecideStage, GateAnswer, GateOutcome, SightNotice
from tests.support.waits import until
from workflows import steps
from workflows.custody import CustodyWorkflow
from workflows.worker.gate import carrying

CLAIM = Digest("sha256:" + 64 * "1")


@dataclass(kw_only=True)
class BusyGate:
    """A gate that reads large stages until it is told to stop."""

    stopped: threading.Event = field(default_factory=threading.Event)
    begun: list[str] = field(default_factory=list[str])

    @activity.defn
    def decide_stage(self, ask: DecideStage) -> GateAnswer:
        self.begun.append(ask.claim)
        while not self.stopped.wait(1):
            activity.heartbeat("reading")
        return GateAnswer(outcome=GateOutcome.MOVED_ON)

    @activity.defn
    def sight_notice(self, ask: SightNotice) -> str:
        return ask.claim

    @activity.defn
    def deal(self, ask: DealCustody) -> str:
        return ask.component


@workflow.defn
class ReadingWorkflow:
    """A claim of which the gate reads a large stage."""

    @workflow.run
    async def run(self, ask: DecideStage) -> GateAnswer:
        answer: GateAnswer = await workflow.execute_activity(
            "decide_stage", ask, result_type=GateAnswer, **steps.GATE
        )
        return answer


async def test_what_takes_an_instant_is_done_while_every_thread_reads(
    environment: WorkflowEnvironment,
) -> None:
    gate: Any = BusyGate()
    client, queue = environment.client, f"claims-{uuid4()}"
    workflows = [CustodyWorkflow, ReadingWorkflow]
    ask = DecideStage(claim=CLAIM, stage=StageId("source"))
    deal = DealCustody(agreement=AgreementId("a"), component=ComponentId("keys"), epoch=1)
    async with (
        Worker(client, task_queue=queue, workflows=workflows, workflow_runner=UnsandboxedWorkflowRunner()),
        carrying(client, gate),
    ):
        reading = [
            await client.start_workflow(ReadingWorkflow.run, ask, id=str(uuid4()), task_queue=queue)
            for _ in range(GATE_STEPS_AT_ONCE_MAX)
        ]
        await until(lambda: len(gate.begun) == GATE_STEPS_AT_ONCE_MAX)
        with environment.auto_time_skipping_disabled():  # the gate reads by the clock on the wall
            async with asyncio.timeout(60):
                dealt = await client.execute_workflow(
                    CustodyWorkflow.run, deal, id=str(uuid4()), task_queue=queue
                )
            gate.stopped.set()
            await asyncio.gather(*(one.result() for one in reading))
    assert dealt == "keys"
