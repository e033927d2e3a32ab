"""Starting again what is on record but not running: claims, verdicts on deposits, custody epochs.

Temporal's state may be lost, the ledger's never. Each pass asks Temporal about what is in
the ledger, and starts what was never started, or was ended by force. What ran to its end
is never started again. A running claim gets a nudge when its record has grown: it may not
know what it recorded last, if its worker was lost before Temporal knew. An agreement, claim or
deposit whose record is damaged, or a workflow that Temporal does not accept, is logged and holds up no
other.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy import Engine
from sqlmodel import Session
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from tallystick import telemetry
from tallystick.crypto.envelope import envelope_bytes
from tallystick.domain.ids import AgreementId, Digest
from tallystick.faults import says_no_such_workflow
from tallystick.lasting import Lasting
from tallystick.limits.processes import WORKFLOW_TASK_MAX
from tallystick.messages import (
    CLAIMS_QUEUE,
    ClaimLook,
    ClaimStart,
    DealCustody,
    VerifyDeposit,
    claim_workflow_id,
    custody_workflow_id,
    deposit_workflow_id,
)
from tallystick.store.damage import unless_damaged
from tallystick.store.database.session import reading
from tallystick.store.ledger import ledger
from tallystick.store.registers import agreements, claims, deposits
from tallystick.store.registers.custody import missing_epochs
from tallystick.store.registers.verdicts import verdicts
from workflows.claim.release import ReleaseWorkflow
from workflows.custody import CustodyWorkflow
from workflows.deposit import DepositWorkflow

_log = telemetry.logger(__name__)
_Request = ClaimStart | VerifyDeposit | DealCustody
_WORKFLOWS: Final = {
    ClaimStart: ReleaseWorkflow.run,
    VerifyDeposit: DepositWorkflow.run,
    DealCustody: CustodyWorkflow.run,
}
_NOT_OF_ONE_WORKFLOW: Final = frozenset(
    {
        RPCStatusCode.UNAVAILABLE,
        RPCStatusCode.UNIMPLEMENTED,  # by a proxy that speaks no gRPC
        RPCStatusCode.PERMISSION_DENIED,
        RPCStatusCode.UNAUTHENTICATED,
        RPCStatusCode.NOT_FOUND,  # of the namespace
    }
)
_AT_REST: Final = frozenset({WorkflowExecutionStatus.RUNNING, WorkflowExecutionStatus.COMPLETED})


@dataclass(frozen=True, slots=True, kw_only=True)
class OwedWorkflow:
    """A workflow that must be running, or have run to its end.

    Attributes:
        head: The index of the latest entry about a claim; -1 for anything else.
    """

    id: str
    request: _Request
    head: int = -1


class Reconciler:
    """Starts what must run, by the ledger; each worker has one, and several do no harm."""

    def __init__(self, *, client: Client, database: Engine) -> None:
        self._client = client
        self._database = database
        self._completed: set[str] = set()
        self._nudged: dict[str, int] = {}  # the latest entry for which each claim's run got a nudge

    async def keep_reconciling(self, every: timedelta) -> None:
        """Make a pass at once and then every so often, until cancelled; what fails is tried again."""
        passes = Lasting("could not look for what is not running", RPCError, RuntimeError)
        while True:
            with passes.attempt():
                for workflow_id in await self.one_pass():
                    _log.info("started what was on record but not running", workflow=workflow_id)
            await asyncio.sleep(passes.pause(every).total_seconds())

    async def one_pass(self) -> Sequence[str]:
        """Start what is on record but not running; return the ids of what was started.

        Raises:
            DatabaseUnavailableError: The database is out of reach.
            RPCError: Temporal is.
        """
        owed = [one for one in await asyncio.to_thread(self._owed) if one.id not in self._completed]
        return [one.id for one in owed if await self._see_to_if_possible(one)]

    def _owed(self) -> Sequence[OwedWorkflow]:
        with reading(self._database) as session:
            owed, heads = list[OwedWorkflow](), ledger.heads(session)
            for agreement_id in agreements.agreement_ids(session):
                with unless_damaged("an agreement's record is damaged", agreement=agreement_id):
                    owed += _claims(session, agreement_id, heads)
                    owed += _deposits(session, agreement_id)
                    owed += _epochs(session, agreement_id)
            return owed

    async def _see_to_if_possible(self, owed: OwedWorkflow) -> bool:
        try:
            return await self._see_to(owed)
        except RPCError as error:
            if error.status in _NOT_OF_ONE_WORKFLOW:  # so would every other be answered
                raise
            _log.error("a workflow could not be seen to", workflow=owed.id, why=str(error))
            return False

    async def _see_to(self, owed: OwedWorkflow) -> bool:
        """Start a workflow that does not run, and return whether it was started; nudge one that runs."""
        status = await self._status(owed.id)
        if status is WorkflowExecutionStatus.RUNNING and owed.head > self._nudged.get(owed.id, -1):
            await self._have_it_look(owed)
        if status is WorkflowExecutionStatus.COMPLETED and isinstance(owed.request, ClaimStart):
            self._completed.add(owed.id)
        if status in _AT_REST:
            return False
        try:
            await self._client.start_workflow(
                _WORKFLOWS[type(owed.request)],  # type: ignore[arg-type] # each is paired with its request
                owed.request,
                id=owed.id,
                task_queue=CLAIMS_QUEUE,
                task_timeout=WORKFLOW_TASK_MAX,
                id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY,
            )
        except WorkflowAlreadyStartedError:
            return False
        return True

    async def _have_it_look(self, owed: OwedWorkflow) -> None:
        try:
            handle = self._client.get_workflow_handle_for(ReleaseWorkflow.run, owed.id)
            await handle.signal(ReleaseWorkflow.look, ClaimLook(reason="the record has grown"))
        except RPCError as error:
            if not says_no_such_workflow(error):  # it has just ended
                raise
        self._nudged[owed.id] = owed.head

    async def _status(self, workflow_id: str) -> WorkflowExecutionStatus | None:
        try:
            description = await self._client.get_workflow_handle(workflow_id).describe()
        except RPCError as error:
            if says_no_such_workflow(error):
                return None
            raise
        return description.status


def _claims(
    session: Session, agreement_id: AgreementId, heads: Mapping[Digest, int]
) -> Sequence[OwedWorkflow]:
    owed = list[OwedWorkflow]()
    for claim in claims.of_agreements(session, [agreement_id]):
        with unless_damaged("a filing is unreadable", agreement=agreement_id, claim=claim.digest):
            text = envelope_bytes(claim.entry.statement()).decode()
            start = ClaimStart(claim=claim.digest, agreement=agreement_id, envelope=text)
            head = heads.get(claim.digest, claim.entry.index)
            owed.append(OwedWorkflow(id=claim_workflow_id(claim.digest), request=start, head=head))
    return owed


def _deposits(session: Session, agreement_id: AgreementId) -> Sequence[OwedWorkflow]:
    judged = verdicts(session, agreement_id)
    return [
        OwedWorkflow(
            id=deposit_workflow_id(deposit.digest),
            request=VerifyDeposit(agreement=agreement_id, deposit=deposit.digest),
        )
        for deposit in deposits.readable(session, agreement_id)
        if deposit.digest not in judged
    ]


def _epochs(session: Session, agreement_id: AgreementId) -> Sequence[OwedWorkflow]:
    latest = agreements.latest(session, agreement_id)
    assert latest is not None, "an agreement that has an id has a version"
    agreement = latest.signed().agreement
    return [
        OwedWorkflow(
            id=custody_workflow_id(agreement_id, component, epoch),
            request=DealCustody(agreement=agreement_id, component=component, epoch=epoch),
        )
        for component, epoch in missing_epochs(session, agreement_id, agreement)
    ]
