"""The engine over Temporal: starts and updates by name; refusals come back as the errors that they were."""

import asyncio
from collections.abc import Awaitable, Generator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Final, TypeVar

from temporalio.client import (
    Client,
    RPCTimeoutOrCancelledError,
    WithStartWorkflowOperation,
    WorkflowFailureError,
    WorkflowUpdateFailedError,
)
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from api.backend.backend import ClaimNotCarriedError, EngineUnreachableError
from tallystick.converter import MESSAGE_CONVERTER
from tallystick.crypto.envelope import new_nonce
from tallystick.domain.ids import Digest, digest, digits_of
from tallystick.faults import from_failure, says_no_such_workflow
from tallystick.limits.api import ENGINE_NUDGE_MAX, EVIDENCE_WAIT_MAX, UPDATE_WAIT_MAX
from tallystick.limits.processes import WORKFLOW_TASK_MAX
from tallystick.messages import (
    CLAIMS_QUEUE,
    Acknowledged,
    ClaimLook,
    ClaimStart,
    DealCustody,
    EvidenceRequest,
    StoredEvidence,
    Submission,
    VerifyDeposit,
    act_update_id,
    claim_workflow_id,
    custody_workflow_id,
    deposit_workflow_id,
)
from tallystick.settings import Settings
from tallystick.telemetry import logger
from workflows.worker.connection import described_namespace, said_by

T = TypeVar("T")

_log = logger(__name__)
_HEALTH_WAIT: Final = timedelta(seconds=2)


class TemporalEngine:
    """The `EnginePort` of a deployment; it connects when it is first used."""

    def __init__(self, settings: Settings) -> None:
        """Remember where Temporal is."""
        self._settings = settings
        self._client: Client | None = None
        self._connecting = asyncio.Lock()

    async def file_claim(self, start: ClaimStart) -> Acknowledged:
        """Return once the claim is on record, and its workflow carries it: started and asked in one call.

        Raises:
            TallystickError: The engine's own check refused it.
            EngineUnreachableError: It is not known whether it is on record.
            ClaimNotCarriedError: Its workflow has run to its end, and never runs again.
        """
        with _in_doubt():
            client = await self._connected()
            operation = WithStartWorkflowOperation[Any, Any](
                "ReleaseWorkflow",
                start,
                id=claim_workflow_id(start.claim),
                task_queue=CLAIMS_QUEUE,
                task_timeout=WORKFLOW_TASK_MAX,
                id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY,
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            )
            # No id for the update: Temporal would remember what it answered, and a refusal is not for ever.
            filing = client.execute_update_with_start_workflow(
                "file", start_workflow_operation=operation, result_type=Acknowledged
            )
            started = asyncio.create_task(operation.workflow_handle())
            try:
                return _of(start.claim, await _within(filing, UPDATE_WAIT_MAX))
            finally:
                started.cancel()  # it fails as the filing does, and asyncio logs what nobody asks for

    async def submit(
        self, claim: Digest, statement: Digest, submission: Submission, *, known: int
    ) -> Acknowledged:
        """Return once the statement is on record.

        Args:
            known: The index in the ledger of the claim's latest entry, on which the statement is admissible.

        Raises:
            TallystickError: The engine's own check refused it.
            EngineUnreachableError: It is not known whether it is on record.
            ClaimNotCarriedError: No workflow of this claim runs.
        """
        with _in_doubt():
            client = await self._connected()
            handle = client.get_workflow_handle(claim_workflow_id(claim))
            update = handle.execute_update(
                "submit", submission, id=act_update_id(statement, known), result_type=Acknowledged
            )
            return _of(statement, await _within(update, UPDATE_WAIT_MAX))

    async def verify_deposit(self, asked: VerifyDeposit) -> None:
        """Ask for a deposit's verdict; if this fails, the worker finds the deposit by itself."""
        await self._nudge("DepositWorkflow", asked, deposit_workflow_id(asked.deposit))

    async def deal_custody(self, asked: DealCustody) -> None:
        """Ask for a custody epoch; if this fails, the worker notices by itself."""
        workflow_id = custody_workflow_id(asked.agreement, asked.component, asked.epoch)
        await self._nudge("CustodyWorkflow", asked, workflow_id)

    async def look(self, claim: Digest, reason: str) -> None:
        """Nudge a claim's workflow; if this fails, it looks at its next timer."""
        try:
            with _in_doubt():
                client = await self._connected()
                handle = client.get_workflow_handle(claim_workflow_id(claim))
                await _within(handle.signal("look", ClaimLook(reason=reason)), ENGINE_NUDGE_MAX)
        except (EngineUnreachableError, ClaimNotCarriedError) as error:
            _log.warning("a claim was not nudged", claim=claim, code=error.code)

    async def evidence(self, asked: EvidenceRequest) -> Digest:
        """Return the digest of the blob that holds the claim's evidence file.

        Raises:
            TallystickError: The record cannot be exported.
            EngineUnreachableError: The worker did not answer.
        """
        with _in_doubt():
            client = await self._connected()
            made = client.execute_workflow(
                "EvidenceWorkflow",
                asked,
                id=f"evidence-{digits_of(asked.claim)}-{new_nonce()}",
                task_queue=CLAIMS_QUEUE,
                result_type=StoredEvidence,
                execution_timeout=EVIDENCE_WAIT_MAX,
            )
            return digest((await _within(made, EVIDENCE_WAIT_MAX)).digest)

    async def reachable(self) -> bool:
        """Return whether Temporal answers, and has the deployment's namespace."""
        try:
            await described_namespace(await self._connected(), within=_HEALTH_WAIT)
        except (RPCError, RuntimeError):  # what the connection raises while nobody answers
            return False
        return True

    async def _nudge(self, workflow: str, asked: object, workflow_id: str) -> None:
        try:
            with _in_doubt():
                await self._start(workflow, asked, workflow_id, ENGINE_NUDGE_MAX)
        except (EngineUnreachableError, ClaimNotCarriedError) as error:
            _log.warning("a workflow was not started", workflow=workflow_id, code=error.code)

    async def _start(self, workflow: str, asked: object, workflow_id: str, wait: timedelta) -> None:
        client = await self._connected()
        started = client.start_workflow(
            workflow,
            asked,
            id=workflow_id,
            task_queue=CLAIMS_QUEUE,
            task_timeout=WORKFLOW_TASK_MAX,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY,
            id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
        )
        try:
            await _within(started, wait)
        except WorkflowAlreadyStartedError:
            return  # it was started before, and what ran to its end never runs again

    async def _connected(self) -> Client:
        async with self._connecting:
            if self._client is None:
                self._client = await Client.connect(
                    self._settings.temporal_address,
                    namespace=self._settings.temporal_namespace,
                    data_converter=MESSAGE_CONVERTER,
                    lazy=True,
                )
            return self._client


async def _within(call: Awaitable[T], limit: timedelta) -> T:
    return await asyncio.wait_for(call, limit.total_seconds())


def _of(statement: Digest, told: Acknowledged) -> Acknowledged:
    """Return the acknowledgement, which must name `statement`.

    Raises:
        EngineUnreachableError: It names another: somebody who reaches Temporal has forged a workflow or
            an update.
    """
    if told.statement != statement:
        raise EngineUnreachableError("the engine acknowledged another statement", told=told.statement)
    return told


@contextmanager
def _in_doubt() -> Generator[None]:
    """Raise a typed refusal as it was; whatever leaves the outcome open says 'repeat it'."""
    try:
        yield
    except (WorkflowUpdateFailedError, WorkflowFailureError) as failure:
        raise from_failure(failure.cause) or EngineUnreachableError(
            "the engine failed", reason=_name(failure)
        ) from failure
    except WorkflowAlreadyStartedError as error:
        raise ClaimNotCarriedError("no such workflow runs") from error
    except RPCError as error:
        if says_no_such_workflow(error) or error.status is RPCStatusCode.ALREADY_EXISTS:
            raise ClaimNotCarriedError("no such workflow runs") from error
        _log.warning("Temporal did not take a request", said=said_by(error))
        raise EngineUnreachableError("Temporal did not take the request", reason=error.status.name) from error
    except RuntimeError as error:  # what the connection raises
        _log.warning("Temporal did not take a request", said=said_by(error))
        raise EngineUnreachableError("Temporal is not there", reason=_name(error)) from error
    except (RPCTimeoutOrCancelledError, TimeoutError) as error:
        raise EngineUnreachableError("the engine did not answer in time", reason=_name(error)) from error


def _name(error: Any) -> str:  # noqa: ANN401 - any exception has a class
    return type(error).__name__
