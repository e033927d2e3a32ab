"""A deployment whose every clock is the time-skipping server's: weeks pass in milliseconds.

Everything is real but the clocks: a Temporal server, an SQLite file with the ledger,
two blob stores, the worker's and the gate's activities. The story begins on a Monday
in 2040, so that no test depends on the day on which it runs.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from temporalio.client import (
    Client,
    WithStartWorkflowOperation,
    WorkflowExecutionStatus,
    WorkflowHandle,
    WorkflowUpdateFailedError,
)
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.service import RPCError, RPCStatusCode
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from activities.deposits import BlobActivities
from activities.evidence import EvidenceActivities
from activities.gate.decide import GateActivities
from activities.ledger import LedgerActivities
from activities.notices.claim import NoticeActivities
from activities.notices.post import Post
from activities.rounds.log_signing import LogSigning
from tallystick.converter import MESSAGE_CONVERTER
from tallystick.crypto.envelope import Envelope, envelope_bytes, statement_id
from tallystick.domain.claim.claim import Claim
from tallystick.domain.ids import DeploymentId, Digest, PersonId, StageId
from tallystick.domain.kinds import Purpose, ReceiptOutcome
from tallystick.domain.notice.sighting import to_be_sighted
from tallystick.domain.record.generations import newest_generation
from tallystick.domain.statements.acts import Approval, HoldLift, Intake, NoticeAcknowledgement, Objection
from tallystick.domain.statements.deposits import Deposit
from tallystick.domain.statements.filing import ClaimFiling
from tallystick.domain.statements.receipts import Receipt, ReceivedComponent
from tallystick.domain.statements.signed import Body, Signed, expect
from tallystick.faults import from_failure
from tallystick.messages import (
    BLOBS_QUEUE,
    CLAIMS_QUEUE,
    WORK_QUEUE,
    Acknowledged,
    ClaimStart,
    Submission,
    claim_workflow_id,
)
from tallystick.proof.reading import read_signed
from tallystick.store.database.session import reading
from tallystick.store.ledger import ledger
from tallystick.store.registers import deposits
from tests.support.sites import sandbox
from tests.support.sites.server_clock import ServerClock
from tests.support.worlds.agreements import ANA, BEA, DORA, LETTER_KEY, LOG_KEY, PEOPLE, receivers
from tests.support.worlds.gate_worlds import ROOT_KEYS, World
from tests.support.worlds.groundwork import as_shown
from tests.support.worlds.story_worlds import BEGIN, deposited_world
from workflows.claim.release import ReleaseWorkflow
from workflows.worker.carrier import WORKFLOWS, WorkerActivities
from workflows.worker.gate import carrying

ROUND: Final = timedelta(milliseconds=20)
PATIENCE: Final = timedelta(seconds=30)
"""As long as a busy machine may need; nothing that goes well waits for it."""
SECOND: Final = timedelta(seconds=1)


@dataclass(kw_only=True)
class Story:
    """A claim that is carried, and those who act on it.

    Attributes:
        claim: The digest of the claim that `files` filed.
    """

    environment: WorkflowEnvironment
    client: Client
    world: World
    clock: ServerClock
    deposit: Digest
    claim: Digest = field(default=Digest("sha256:" + 64 * "0"))
    filing: Envelope | None = None
    gate_up: bool = False

    async def now(self) -> datetime:
        return (await self.environment.get_current_time()).replace(microsecond=0)

    async def passes(self, span: timedelta) -> None:
        await self.gate_has_seen()
        await self.environment.sleep(span)

    async def until(self, moment: datetime) -> None:
        await self.gate_has_seen()
        left = moment - await self.environment.get_current_time()
        if left > timedelta(0):
            await self.environment.sleep(left)

    async def gate_has_seen(self) -> None:
        """Wait until a gate that runs has seen the notice; if time jumped first, it would be late."""
        if self.gate_up and self.filing is not None:
            await self.comes_to(lambda claim: to_be_sighted(self.world.agreement, claim) is None)

    @property
    def handle(self) -> WorkflowHandle[ReleaseWorkflow, str]:
        return self.client.get_workflow_handle_for(ReleaseWorkflow.run, claim_workflow_id(self.claim))

    # ------------------------------------------------------------------ acts

    async def files(
        self, *, stages: Sequence[str] = ("critical",), person: PersonId = BEA, **members: object
    ) -> Acknowledged:
        await self.writes_claim(stages=stages, person=person, **members)
        return await self.asks(self.filed)

    async def writes_claim(
        self, *, stages: Sequence[str] = ("critical",), person: PersonId = BEA, **members: object
    ) -> Envelope:
        at = await self.now()
        said: dict[str, object] = {
            "generation": newest_generation(),
            "condition": "insolvency",
            "deposit": self.deposit,
            "stages": tuple(StageId(stage) for stage in stages),
            "evidence": self.world.documents(at, sender=person),
            "receivers": receivers(BEA),
            "purpose": Purpose.RELEASE,
            "declaration": "Support has ceased.",
            **members,
        }
        body = self.world.body(ClaimFiling, person, at, **said)
        self.filing = filing = self.world.signed(body, PEOPLE[person].signing_key)
        self.claim = statement_id(filing)
        self.world = replace(self.world, claim=self.claim)
        return filing

    async def filed(self) -> Acknowledged:
        """Start the workflow and file the claim in one call, as the API does."""
        operation = WithStartWorkflowOperation(
            ReleaseWorkflow.run,
            self.start,
            id=claim_workflow_id(self.claim),
            task_queue=CLAIMS_QUEUE,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        )
        return await self.client.execute_update_with_start_workflow(
            ReleaseWorkflow.file, start_workflow_operation=operation
        )

    @property
    def start(self) -> ClaimStart:
        assert self.filing is not None
        return ClaimStart(
            claim=self.claim, agreement=self.world.agreement.id, envelope=self.text(self.filing)
        )

    async def starts(self) -> None:
        """Start the workflow as the reconciler does: nobody waits for it."""
        await self.client.start_workflow(
            ReleaseWorkflow.run,
            self.start,
            id=claim_workflow_id(self.claim),
            task_queue=CLAIMS_QUEUE,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY,
        )

    async def sends(self, envelope: Envelope, *, update: str | None = None) -> Acknowledged:
        """Send a statement as the API does: the same update id again while the server is busy."""
        submission = Submission(envelope=self.text(envelope))
        return await self.asks(
            lambda: self.handle.execute_update(
                ReleaseWorkflow.submit, submission, id=update or statement_id(envelope)
            )
        )

    async def asks(self, asked: Callable[[], Awaitable[Acknowledged]]) -> Acknowledged:
        """Ask, and again while the server is busy; a refusal comes as what it was."""
        for _ in range(int(PATIENCE / ROUND)):
            try:
                return await asked()
            except WorkflowUpdateFailedError as failure:
                raise from_failure(failure.cause) or failure from failure
            except RPCError as error:
                if error.status is not RPCStatusCode.RESOURCE_EXHAUSTED:
                    raise
            await asyncio.sleep(ROUND.total_seconds())
        raise AssertionError("the server stays busy")

    async def said(self, kind: type[Body], person: PersonId, **members: object) -> Envelope:
        body = self.world.body(kind, person, await self.now(), claim=self.claim, **members)
        return self.world.signed(body, PEOPLE[person].signing_key)

    async def says(self, kind: type[Body], person: PersonId, **members: object) -> Acknowledged:
        return await self.sends(await self.said(kind, person, **members))

    async def accepts(self) -> Acknowledged:
        return await self.says(Intake, ANA, accepted=True)

    async def said_intake(self) -> Envelope:
        return await self.said(Intake, ANA, accepted=True)

    async def lifts(self, hold: Digest, *persons: PersonId) -> Acknowledged:
        body = self.world.body(
            HoldLift, persons[0], await self.now(), claim=self.claim, hold=hold, reason="Lifted."
        )
        return await self.sends(self.world.signed(body, *(PEOPLE[p].signing_key for p in persons)))

    async def acknowledges(self) -> Acknowledged:
        return await self.says(NoticeAcknowledgement, DORA)

    async def approval(
        self, person: PersonId, *stages: str, reason: str = "The papers are in order."
    ) -> Envelope:
        return await self.said(
            Approval,
            person,
            stages=tuple(StageId(stage) for stage in stages or ("critical",)),
            purpose=Purpose.RELEASE,
            expires_at=await self.now() + timedelta(days=25),
            reason=reason,
            **as_shown(self.on_record()),
        )

    async def approves(self, person: PersonId, *stages: str) -> Acknowledged:
        return await self.sends(await self.approval(person, *stages))

    async def objects(self, person: PersonId = DORA) -> Acknowledged:
        return await self.says(Objection, person, ground="not-insolvent", explanation="It was dismissed.")

    async def reports(self, stage: str, outcome: ReceiptOutcome = ReceiptOutcome.ACTIVATED) -> Acknowledged:
        sealed = self.deposited(self.deposit)
        received = tuple(
            ReceivedComponent(
                component=c.component, sealed_digest=c.sealed_digest, manifest_digest=c.manifest_digest
            )
            for c in sealed.components
            if c.component in self.world.agreement.stage(StageId(stage)).components
        )
        return await self.says(
            Receipt, BEA, stage=StageId(stage), outcome=outcome, components=received, detail="as told"
        )

    def read(self, envelope: Envelope) -> Signed[Body]:
        return read_signed(envelope, self.world.agreement)

    def text(self, envelope: Envelope) -> str:
        return envelope_bytes(envelope).decode()

    # ------------------------------------------------------------------ what happened

    def on_record(self) -> Claim:
        return self.world.case().claim

    async def comes_to(self, wanted: Callable[[Claim], bool]) -> Claim:
        """Wait until the record meets `check`; it is read again only when it has grown."""
        seen = -1
        for _ in range(int(PATIENCE / ROUND)):
            if (size := await asyncio.to_thread(self._ledger_size)) != seen:
                claim = await asyncio.to_thread(self.on_record)
                if wanted(claim):
                    return claim
                seen = size
            await asyncio.sleep(ROUND.total_seconds())
        claim = await asyncio.to_thread(self.on_record)
        told = [type(entry.signed.body).__name__ for entry in claim.entries]
        raise AssertionError(f"it never came to that: {claim.state}, {told}")

    def _ledger_size(self) -> int:
        with reading(self.world.database) as session:
            return ledger.frontier_of(session, self.world.agreement.id).size

    async def ends(self) -> str:
        """Let the time pass in which a return may still be ordered, and return the state at the end."""
        await self.passes(timedelta(days=60))
        return await asyncio.wait_for(self.handle.result(), PATIENCE.total_seconds())

    async def stopped_as(self) -> WorkflowExecutionStatus | None:
        """Wait until the run has stopped; no time is skipped, as it would be while waiting for a result."""
        for _ in range(int(PATIENCE / ROUND)):
            status = (await self.handle.describe()).status
            if status is not WorkflowExecutionStatus.RUNNING:
                return status
            await asyncio.sleep(ROUND.total_seconds())
        raise AssertionError("it runs on")

    async def comes_to_be(self, state: str) -> Claim:
        return await self.comes_to(lambda claim: claim.state.value == state)

    def deposited(self, digest: Digest) -> Deposit:
        with reading(self.world.database) as session:
            stored = deposits.by_digest(session, self.world.agreement.id, digest)
            assert stored is not None
            return expect(read_signed(stored.entry.statement(), self.world.agreement), Deposit).body

    # ------------------------------------------------------------------ the processes

    def activities(self, post: Post | None = None) -> WorkerActivities:
        database, blobs, world = self.world.database, self.world.blobs, self.world
        outbox = Post(domain="test.invalid", outbox_dir=world.folder / "outbox", letter_key=LETTER_KEY)
        signing = LogSigning(database=database, log_key=LOG_KEY, deployment=DeploymentId("test"))
        return WorkerActivities(
            signing=signing,
            ledger=LedgerActivities(database=database, blobs=blobs, log_key=LOG_KEY, grown=signing.sign),
            notices=NoticeActivities(database=database, log_key=LOG_KEY, post=post or outbox),
            blobs=BlobActivities(database=database, blobs=blobs),
            evidence=EvidenceActivities(
                database=database, blobs=blobs, log_key=LOG_KEY, root_keys=ROOT_KEYS, signing=signing
            ),
        )

    def gate(self) -> GateActivities:
        return replace(self.world.gate(), clock=self.clock.read, database_clock=self.clock.of_database)

    @asynccontextmanager
    async def carried(
        self, *, gate: bool = True, post: Post | None = None, cached: int = 100
    ) -> AsyncGenerator["Story"]:
        """Run the worker, and the gate unless it is away."""
        async with AsyncExitStack() as running:
            threads = running.enter_context(ThreadPoolExecutor(16))
            work = self.activities(post)
            await running.enter_async_context(_claims(self.client, work, threads, cached))
            for queue, activities in ((WORK_QUEUE, work.waiting()), (BLOBS_QUEUE, work.reading())):
                await running.enter_async_context(
                    Worker(self.client, task_queue=queue, activities=activities, activity_executor=threads)
                )
            if gate:
                await running.enter_async_context(self.gate_runs())
            yield self

    @asynccontextmanager
    async def gate_runs(self) -> AsyncGenerator[None]:
        """Run the gate."""
        async with carrying(self.client, self.gate()):
            self.gate_up = True
            yield
            self.gate_up = False


def _claims(client: Client, work: WorkerActivities, threads: ThreadPoolExecutor, cached: int) -> Worker:
    return Worker(
        client,
        task_queue=CLAIMS_QUEUE,
        workflows=WORKFLOWS,
        workflow_runner=sandbox.runner(),
        activities=work.on_ledger(),
        activity_executor=threads,
        max_cached_workflows=cached,
        sticky_queue_schedule_to_start_timeout=SECOND,
        # A defect in a workflow fails its test instead of hanging it.
        workflow_failure_exception_types=[Exception],
    )


@asynccontextmanager
async def time_skipping(server: Path) -> AsyncGenerator[WorkflowEnvironment]:
    """A time-skipping Temporal server whose clock is at the beginning of the story."""
    async with await WorkflowEnvironment.start_time_skipping(
        test_server_existing_path=str(server), data_converter=MESSAGE_CONVERTER
    ) as environment:
        await environment.sleep(BEGIN - await environment.get_current_time())
        yield environment


@asynccontextmanager
async def real_time(server: Path) -> AsyncGenerator[WorkflowEnvironment]:
    """The Temporal server that sites run, on the machine's own clock."""
    async with await WorkflowEnvironment.start_local(
        dev_server_existing_path=str(server), data_converter=MESSAGE_CONVERTER
    ) as environment:
        yield environment


def new_story(
    environment: WorkflowEnvironment, folder: Path, prepared: tuple[World, Digest] | None = None
) -> Story:
    """A world with a verified deposit, and nobody who carries claims yet.

    `prepared` is what `deposited_world` returned elsewhere, to be copied: that is faster.
    """
    if prepared is None:
        world, deposit = deposited_world(folder)
    else:
        world, deposit = prepared[0].copied_to(folder), prepared[1]
    clock = ServerClock(environment=environment, loop=asyncio.get_running_loop())
    clock.drive(world)
    return Story(
        environment=environment, client=environment.client, world=world, clock=clock, deposit=deposit
    )
