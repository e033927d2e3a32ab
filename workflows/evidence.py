"""An evidence file, made on request by the process that holds the log key."""

from temporalio import workflow
from temporalio.exceptions import ActivityError

from activities.evidence import EvidenceActivities
from tallystick.faults import to_failure
from tallystick.messages import EvidenceRequest, StoredEvidence
from workflows import steps


@workflow.defn
class EvidenceWorkflow:
    """One export, for a request that waits for it."""

    @workflow.run
    async def run(self, request: EvidenceRequest) -> StoredEvidence:
        """Have the claim's evidence exported and stored, and return its digest and size.

        Raises:
            ApplicationError: The refusal that ended it.
        """
        try:
            return await workflow.execute_activity_method(
                EvidenceActivities.export_evidence, request, **steps.EVIDENCE
            )
        except ActivityError as failure:
            raise to_failure(steps.refusal_in(failure)) from None
