"""The stage plan: in which order stages open, when, and in which order they are rolled back."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from tallystick.domain.agreement.agreement import Agreement, depositor
from tallystick.domain.agreement.deadlines import Deadline, deadline
from tallystick.domain.agreement.plan import OnFailure, Opens, Stage
from tallystick.domain.claim.claim import Claim
from tallystick.domain.claim.orders import return_is_ordered, standing_release_order
from tallystick.domain.claim.receivers import naming
from tallystick.domain.claim.state import (
    UNDECIDED,
    ClaimState,
    StageProgress,
    StageState,
)
from tallystick.domain.ids import ComponentId, StageId
from tallystick.domain.kinds import Happening
from tallystick.domain.statements.acts import Intake
from tallystick.domain.statements.engine import Event
from tallystick.domain.statements.signed import Entry


def accepted_at(claim: Claim) -> datetime | None:
    """Return when the escrow agent accepted the claim's form, or it was taken in unchecked; else None."""
    accepted = (entry for entry, body in claim.entries_of(Intake) if body.accepted)
    taken_in = next(accepted, None) or taken_in_unchecked(claim)
    return None if taken_in is None else taken_in.accepted_at


def taken_in_unchecked(claim: Claim) -> Entry | None:
    """Return the event by which the claim was taken in because nobody checked its form in time, or None."""
    events = claim.entries_of(Event)
    return next((entry for entry, body in events if body.happening is Happening.TAKEN_IN_UNCHECKED), None)


def unchecked_after(claim: Claim) -> datetime | None:
    """Return until when a claim that was taken in unchecked could be checked, or None if it was not."""
    events = claim.entries_of(Event)
    return next((body.until for _, body in events if body.happening is Happening.TAKEN_IN_UNCHECKED), None)


def ended_by_time(claim: Claim) -> Iterator[datetime]:
    """Yield the last moments of the waits whose end the record has, and a release asks for again."""
    asked = {Happening.TAKEN_IN_UNCHECKED, Happening.HOLD_ENDED}
    for _, body in claim.entries_of(Event):
        if body.happening in asked and body.until is not None:
            yield body.until


def opens_from(claim: Claim, stage: Stage) -> datetime | None:
    """Return the moment from which the delay of `stage` runs, or None if it has not come yet."""
    match stage.opens.when:
        case Opens.ON_ACCEPTANCE:
            return accepted_at(claim)
        case Opens.AFTER_WINDOW:
            return _window_over_at(claim)
        case Opens.AFTER_STAGE:
            assert stage.opens.stage is not None
            return _activated_at(claim, stage.opens.stage)


def opens_at(agreement: Agreement, claim: Claim, stage: StageId) -> Deadline | None:
    """Return when `stage` opens and why, or None if what it waits for has not happened yet."""
    planned = agreement.stage(stage)
    start = opens_from(claim, planned)
    if start is None:
        return None
    if planned.opens.delay is None:
        return Deadline(at=start, explanation=(f"opens {planned.opens.when.replace('_', ' ')}",))
    return deadline(start, planned.opens.delay, recipient=depositor(agreement), agreement=agreement)


def lapses_at(agreement: Agreement, claim: Claim, stage: StageId) -> Deadline | None:
    """Return until when the quorum for `stage` may be reached, or None while the stage is not open.

    For provisional access the time counts from the end of the window: nothing lapses
    before the window allows the other stages.
    """
    opened = opens_at(agreement, claim, stage)
    after = _window_over_at(claim)
    if opened is None or after is None:
        return None
    # Nothing could be decided before the last dispute or hold was over, nor for receivers who were not named.
    start = max(opened.at, after, claim.resumed_at or after, _asked_at(claim, stage))
    return deadline(start, agreement.windows.approval, recipient=depositor(agreement), agreement=agreement)


def _asked_at(claim: Claim, stage: StageId) -> datetime:
    """Return since when an approval can name what now stands: the confirmation, and these receivers."""
    named, _ = naming(claim, stage)
    return max(named.accepted_at, claim.confirmation[0].accepted_at if claim.confirmation else claim.filed_at)


def report_due(agreement: Agreement, claim: Claim, progress: StageProgress) -> Deadline:
    """Return until when the receiver must report on a decided stage."""
    assert progress.since is not None
    recipient = agreement.party(claim.claimant_party)
    return deadline(progress.since, agreement.windows.provisioning, recipient=recipient, agreement=agreement)


def is_provisional(agreement: Agreement, stage: StageId) -> bool:
    """Return whether `stage` is provisional access, open while the window still runs."""
    return agreement.stage(stage).opens.when is Opens.ON_ACCEPTANCE


def to_roll_back(agreement: Agreement, claim: Claim) -> tuple[StageId, ...]:
    """Return the stages that the receiver must undo, the last one first.

    A failed stage is always undone. Its `on_failure` says whether the stages before it
    are kept or undone.
    """
    undone: list[StageId] = []
    undo_earlier = False
    for progress in reversed(claim.stages):
        failed = progress.state is StageState.FAILED
        if failed or (undo_earlier and progress.state is StageState.ACTIVATED):
            undone.append(progress.stage)
        # A failed stage that is already undone still decides about those before it.
        if failed or progress.state is StageState.ROLLED_BACK:
            undo_earlier |= agreement.stage(progress.stage).on_failure is OnFailure.ROLLBACK
    return tuple(undone)


def to_give_back(agreement: Agreement, claim: Claim) -> tuple[StageId, ...]:
    """Return the stages that must be returned after a claim ended without release, the last one first.

    The beneficiary keeps what was disclosed after the window, and returns provisional access.
    After a cure, or an order to return, it returns everything.
    """
    released = claim.decided_stages
    nothing_stays = claim.state is ClaimState.CURED or return_is_ordered(claim)
    if not nothing_stays and any(not is_provisional(agreement, stage) for stage in released):
        return ()
    return tuple(reversed(released))


def components_of(agreement: Agreement, stages: Iterable[StageId]) -> tuple[ComponentId, ...]:
    """Return the components of all these stages."""
    return tuple(component for stage in stages for component in agreement.stage(stage).components)


def still_waiting(claim: Claim) -> StageProgress | None:
    """Return the next stage if it only waits for its quorum or its opening, or None."""
    following = claim.next_stage
    if claim.state not in UNDECIDED or following is None or following.state is not StageState.WAITING:
        return None
    return following


def awaits_notice(claim: Claim) -> bool:
    """Return whether no proof of notice has opened a window yet, or none that stands, and one is needed."""
    if claim.window_opened_at is not None:
        return False
    if claim.state is ClaimState.APPROVAL:
        return claim.next_stage is not None and standing_release_order(claim) is None
    return claim.state in {ClaimState.ACCEPTED, ClaimState.WINDOW, ClaimState.CONTESTED}


def _window_over_at(claim: Claim) -> datetime | None:
    """Return when the window ended or was skipped, or None if it is not over."""
    order = standing_release_order(claim)
    return claim.window_ended_at or (None if order is None else order.accepted_at)


def _activated_at(claim: Claim, stage: StageId) -> datetime | None:
    earlier = next((p for p in claim.stages if p.stage == stage), None)
    return earlier.since if earlier is not None and earlier.state is StageState.ACTIVATED else None
