"""A custody epoch of a component: dealt by the gate, once."""

from temporalio import workflow

from activities.gate.decide import GateActivities
from tallystick.messages import DealCustody
from workflows import steps


@workflow.defn
class CustodyWorkflow:
    """One epoch; its id is `custody_workflow_id(agreement, component, epoch)`."""

    @workflow.run
    async def run(self, request: DealCustody) -> str:
        """Have the gate deal the epoch, and return the digest of the custody statement on record."""
        return await workflow.execute_activity_method(GateActivities.deal, request, **steps.WITNESS)
