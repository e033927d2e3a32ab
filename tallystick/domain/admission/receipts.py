"""Receipts and returns: the beneficiary's word on what it received, activated, undid or gave back."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Final

from tallystick.domain.admission.acts import Rule
from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.authorship.authors import check_claimant, check_stages
from tallystick.domain.claim.claim import Claim
from tallystick.domain.claim.returns import return_is_due
from tallystick.domain.claim.stages import decided_components, to_roll_back
from tallystick.domain.claim.state import ClaimState, EventType, StageState
from tallystick.domain.ids import PersonId
from tallystick.domain.kinds import ReceiptOutcome
from tallystick.domain.refusals import MisdirectedError, NothingDueError
from tallystick.domain.statements.receipts import Receipt, Return
from tallystick.domain.statements.signed import Body

_EVENTS: Final = MappingProxyType(
    {
        ReceiptOutcome.ACTIVATED: EventType.STAGE_ACTIVATED,
        ReceiptOutcome.FAILED: EventType.STAGE_FAILED,
        ReceiptOutcome.ROLLED_BACK: EventType.STAGE_ROLLED_BACK,
    }
)


def receipt(
    agreement: Agreement, claim: Claim, body: Receipt, _: frozenset[PersonId], __: datetime
) -> EventType:
    """Admit the receiver's report on one stage.

    Raises:
        TallystickError: Not a claimant's, not a stage of this claim, or not the stage's components.
    """
    check_claimant(agreement, claim, body.person, "sign receipts")
    check_stages(claim, (body.stage,))
    if body.outcome is ReceiptOutcome.ROLLED_BACK:
        _check_undoing(agreement, claim, body)
    reported = sorted(received.component for received in body.components)
    expected = sorted(agreement.stage(body.stage).components)
    if body.outcome is ReceiptOutcome.ACTIVATED and reported != expected:
        raise MisdirectedError(
            "not the components of this stage", expected=list(expected), given=list(reported)
        )
    return _EVENTS[body.outcome]


def giving_back(
    agreement: Agreement, claim: Claim, body: Return, _: frozenset[PersonId], __: datetime
) -> EventType:
    """Admit the certificate that what was released is returned or destroyed.

    Raises:
        TallystickError: Not a claimant's, nothing is due, or not of all that is.
    """
    check_claimant(agreement, claim, body.person, "certify a return")
    if not return_is_due(agreement, claim):
        raise NothingDueError("nothing is due for return", state=claim.state.value)
    expected, given = sorted(decided_components(agreement, claim)), sorted(body.components)
    if given != expected:
        raise MisdirectedError("not the components that are due", expected=list(expected), given=list(given))
    return EventType.RETURN_MADE


def _check_undoing(agreement: Agreement, claim: Claim, body: Receipt) -> None:
    """Let stages be undone last first, and what is on its way only after it was reported as failed."""
    undone_first = to_roll_back(agreement, claim)[:1]
    if claim.state is ClaimState.ROLLING_BACK and undone_first != (body.stage,):
        raise MisdirectedError("stages are undone last first", expected=list(undone_first), given=body.stage)
    if claim.state is ClaimState.PROVISIONING and claim.progress(body.stage).state is StageState.DECIDED:
        raise MisdirectedError("report it as failed first", expected=[], given=body.stage)


RULES: Final[Mapping[type[Body], Rule]] = MappingProxyType({Receipt: receipt, Return: giving_back})
