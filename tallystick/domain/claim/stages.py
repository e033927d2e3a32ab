"""The stage plan: in which order stages open, when, and in which order they are rolled back."""

from collections.abc import Iterable
from datetime import datetime

from tallystick.domain.agreement.agreement import Agreement, depositor
from tallystick.domain.agreement.deadlines import Deadline, deadline
from tallystick.domain.agreement.plan import OnFailure, Opens, Stage
from tallystick.domain.claim.claim import Claim, StageProgress
from tallystick.domain.claim.orders import return_is_ordered
from tallystick.domain.claim.state import UNDECIDED, ClaimState, StageState
from tallystick.domain.ids import ComponentId, StageId
from tallystick.domain.statements.acts import Intake


def accepted_at(claim: Claim) -> datetime | None:
    """Return when the escrow agent accepted the claim's form, or None."""
    return next((entry.accepted_at for entry, body in claim.entries_of(Intake) if body.accepted), None)


def opens_from(claim: Claim, stage: Stage) -> datetime | None:
    """Return the moment from which the delay of `stage` runs, or None while it has not come."""
    match stage.opens.when:
        case Opens.ON_ACCEPTANCE:
            return accepted_at(claim)
        case Opens.AFTER_WINDOW:
            return claim.window_ended_at or claim.bypassed_at
        case Opens.AFTER_STAGE:
            assert stage.opens.stage is not None
            return _activated_at(claim, stage.opens.stage)


def opens_at(agreement: Agreement, claim: Claim, stage: StageId) -> Deadline | None:
    """Return from when `stage` may be decided and why, or None while what it waits for has not come."""
    planned = agreement.stage(stage)
    start = opens_from(claim, planned)
    if start is None:
        return None
    if planned.opens.delay is None:
        return Deadline(at=start, explanation=(f"opens {planned.opens.when.replace('_', ' ')}",))
    return deadline(start, planned.opens.delay, recipient=depositor(agreement), agreement=agreement)


def lapses_at(agreement: Agreement, claim: Claim, stage: StageId) -> Deadline | None:
    """Return until when the quorum for `stage` may be reached, or None while the stage is not open.

    For provisional access the time runs from the end of the window: nothing lapses
    while the window does not yet allow the rest.
    """
    opened = opens_at(agreement, claim, stage)
    after = claim.window_ended_at or claim.bypassed_at
    if opened is None or after is None:
        return None
    # Nobody could decide before the last dispute or hold was over.
    start = max(opened.at, after, claim.resumed_at or after)
    return deadline(start, agreement.windows.approval, recipient=depositor(agreement), agreement=agreement)


def report_due(agreement: Agreement, claim: Claim, progress: StageProgress) -> Deadline:
    """Return until when the receiver has to report on a decided stage."""
    assert progress.since is not None
    recipient = agreement.party(claim.claimant_party)
    return deadline(progress.since, agreement.windows.provisioning, recipient=recipient, agreement=agreement)


def is_provisional(agreement: Agreement, stage: StageId) -> bool:
    """Return whether `stage` is provisional access, open while the window still runs."""
    return agreement.stage(stage).opens.when is Opens.ON_ACCEPTANCE


def to_roll_back(agreement: Agreement, claim: Claim) -> tuple[StageId, ...]:
    """Return which stages the receiver has to undo, the last one first.

    A failed stage is always undone. The ones before it are kept or undone as the
    failed stage's `on_failure` says.
    """
    undone: list[StageId] = []
    undo_earlier = False
    for progress in reversed(claim.stages):
        failed = progress.state is StageState.FAILED
        if failed or (undo_earlier and progress.state is StageState.ACTIVATED):
            undone.append(progress.stage)
        # One that failed and is undone already still decides about those before it.
        if failed or progress.state is StageState.ROLLED_BACK:
            undo_earlier |= agreement.stage(progress.stage).on_failure is OnFailure.ROLLBACK
    return tuple(undone)


def to_give_back(agreement: Agreement, claim: Claim) -> tuple[StageId, ...]:
    """Return which stages fall due for return once a claim ended without release, the last one first.

    What was disclosed after the window, by quorum, stays; what was only lent does not.
    After a cure, or an order to return, nothing stays.
    """
    released = claim.decided_stages
    nothing_stays = claim.state is ClaimState.CURED or return_is_ordered(claim)
    if not nothing_stays and any(not is_provisional(agreement, stage) for stage in released):
        return ()
    return tuple(reversed(released))


def components_of(agreement: Agreement, stages: Iterable[StageId]) -> tuple[ComponentId, ...]:
    """Return the components of all these stages; of the decided ones, what may have been disclosed."""
    return tuple(component for stage in stages for component in agreement.stage(stage).components)


def still_waiting(claim: Claim) -> StageProgress | None:
    """Return the next stage while nobody but its quorum or its date is waited for, or None."""
    following = claim.next_stage
    if claim.state not in UNDECIDED or following is None or following.state is not StageState.WAITING:
        return None
    return following


def _activated_at(claim: Claim, stage: StageId) -> datetime | None:
    earlier = next((p for p in claim.stages if p.stage == stage), None)
    return earlier.since if earlier is not None and earlier.state is StageState.ACTIVATED else None
