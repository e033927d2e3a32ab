"""Receipt: the receiver's word on one stage: activated, failed, or rolled back."""

from collections.abc import Iterator
from datetime import datetime
from types import MappingProxyType
from typing import Final

from tallystick.domain.acts.act import Act, never
from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.authorship.authors import check_one_of, check_stages, reporters_of
from tallystick.domain.claim.claim import Claim
from tallystick.domain.claim.stages import to_roll_back
from tallystick.domain.claim.state import ClaimState, EventType, StageState
from tallystick.domain.drafts.choices import Choices, DraftIncompleteError
from tallystick.domain.drafts.heading import Heading
from tallystick.domain.ids import PersonId
from tallystick.domain.kinds import ReceiptOutcome
from tallystick.domain.quoting import quoted
from tallystick.domain.refusals import MisdirectedError
from tallystick.domain.statements.receipts import Receipt, ReceivedComponent

_EVENTS: Final = MappingProxyType(
    {
        ReceiptOutcome.ACTIVATED: EventType.STAGE_ACTIVATED,
        ReceiptOutcome.FAILED: EventType.STAGE_FAILED,
        ReceiptOutcome.ROLLED_BACK: EventType.STAGE_ROLLED_BACK,
    }
)


def _rule(
    agreement: Agreement, claim: Claim, body: Receipt, _: frozenset[PersonId], __: datetime
) -> EventType:
    """Admit the receiver's report on one stage.

    Raises:
        TallystickError: Neither a claimant's nor a receiver's, not a stage of this claim, or not its
            components. Whether what is active is what was deposited is asked where the deposit is at
            hand (`deposit.received`).
    """
    check_stages(claim, (body.stage,))
    reporters = reporters_of(agreement, claim, body.stage)
    check_one_of(body.person, reporters, "sign receipts")
    if body.outcome is ReceiptOutcome.ROLLED_BACK:
        _check_undoing(agreement, claim, body)
    reported = sorted(received.component for received in body.components)
    expected = sorted(agreement.stage(body.stage).components)
    if body.outcome is ReceiptOutcome.ACTIVATED and reported != expected:
        raise MisdirectedError(
            "name exactly the components of this stage", expected=list(expected), given=list(reported)
        )
    if not set(reported) <= set(expected) or len(set(reported)) != len(reported):
        raise MisdirectedError(
            "name components of this stage, each once", expected=list(expected), given=list(reported)
        )
    return _EVENTS[body.outcome]


def _check_undoing(agreement: Agreement, claim: Claim, body: Receipt) -> None:
    """Let stages be undone in reverse order, and a stage in delivery only once it was reported as failed."""
    undone_first = to_roll_back(agreement, claim)[:1]
    if claim.state is ClaimState.ROLLING_BACK and undone_first != (body.stage,):
        raise MisdirectedError(
            "stages are undone in reverse order", expected=list(undone_first), given=body.stage
        )
    if claim.state is ClaimState.PROVISIONING and claim.progress(body.stage).state is StageState.DECIDED:
        raise MisdirectedError("report the stage as failed first", expected=[], given=body.stage)


def _draft(heading: Heading, choices: Choices) -> Receipt:
    stages = choices.stages or ()
    if len(stages) != 1:
        raise DraftIncompleteError("a receipt is for one stage", missing="stage")
    return Receipt(
        **heading.members,
        stage=stages[0],
        outcome=choices.word("outcome", ReceiptOutcome),
        components=choices.several("received", ReceivedComponent),
        detail=choices.text("explanation"),
    )


def _does(body: Receipt) -> str:
    return f"reports stage {body.stage}: {body.outcome.replace('_', ' ')}"


def _particulars(body: Receipt, _: Agreement) -> Iterator[str]:
    for received in body.components:
        manifest = f", manifest {received.manifest_digest}" if received.manifest_digest else ""
        yield f"received {received.component} {received.sealed_digest}{manifest}"
    yield f"what happened: {quoted(body.detail)}"


ACT: Final = Act(
    body=Receipt,
    noun="receipts",
    rule=_rule,
    helps=never,
    draft=_draft,
    does=_does,
    particulars=_particulars,
)
