"""A deposit, from its statement on record to the verdict on its sealed files."""

from temporalio import workflow

from activities.deposits import BlobActivities
from activities.ledger import LedgerActivities
from tallystick.messages import DepositVerdict, RecordVerdict, VerifyDeposit
from workflows import steps


@workflow.defn
class DepositWorkflow:
    """One deposit; its id is `deposit_workflow_id(digest)`."""

    @workflow.run
    async def run(self, request: VerifyDeposit) -> DepositVerdict:
        """Have every replica compared with what the depositor signed, and put the verdict on record."""
        verdict = await workflow.execute_activity_method(
            BlobActivities.verify_deposit, request, **steps.BLOBS
        )
        await steps.on_ledger(
            LedgerActivities.record_deposit_verdict,
            RecordVerdict(
                agreement=request.agreement, deposit=request.deposit, verdict=verdict, at=steps.now()
            ),
        )
        return verdict
