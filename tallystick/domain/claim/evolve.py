"""How a claim changes: each entry is one event, and makes one new claim."""

import dataclasses
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from tallystick.domain.claim.claim import (
    Claim,
    WrongClaimStateError,
)
from tallystick.domain.claim.state import (
    UNDECIDED,
    ClaimState,
    EventType,
    StageProgress,
    StageState,
    Step,
)
from tallystick.domain.statements.acts import ProofOfService
from tallystick.domain.statements.engine import DecisionStatement, Event
from tallystick.domain.statements.keys import KeyRevocation
from tallystick.domain.statements.orders import Ruling
from tallystick.domain.statements.receipts import Receipt
from tallystick.domain.statements.signed import BY_ENGINE, Body, Entry


def check_transition(claim: Claim, event: EventType) -> ClaimState:
    """Return the state to which `event` leads.

    Raises:
        WrongClaimStateError: The table has no such step from this state.
    """
    table = claim.rules.transitions
    target = table.get((claim.state, event))
    if target is None:
        raise WrongClaimStateError(
            f"{claim.id} is {claim.state}",
            current=claim.state.value,
            step=event.value,
            expected=sorted(state.value for state, allowed in table if allowed is event),
        )
    return target


def check_step(claim: Claim, body: Body, event: EventType) -> None:
    """Refuse an event that `evolve` would refuse: by the claim's state, or by its stage's.

    Raises:
        WrongClaimStateError: The state of the claim, or of the stage, does not allow this step.
    """
    check_transition(claim, event)
    if _moves_stage(claim, event):
        _stage_target(claim, body, event)


def check_undecided(claim: Claim) -> None:
    """Refuse what comes too late once every stage is decided: nothing is withdrawn or refused then.

    Raises:
        WrongClaimStateError: Every stage is decided.
    """
    if claim.next_stage is None:
        raise WrongClaimStateError(
            "every stage is decided",
            current=claim.state.value,
            expected=sorted(state.value for state in UNDECIDED),
        )


def evolve(claim: Claim, entry: Entry, event: EventType) -> Claim:
    """Return the claim as `entry`, which is an `event`, leaves it.

    Raises:
        WrongClaimStateError: The state of the claim, or of the stage, does not allow this step.
    """
    target = check_transition(claim, event)
    moved = _apply(claim, entry, event)
    since = claim.since if target is claim.state else entry.accepted_at
    steps = (*claim.steps, Step(event=event, state=target))
    grown = dataclasses.replace(
        moved, state=target, since=since, entries=(*claim.entries, entry), steps=steps
    )
    return _handed_on(claim, entry, grown)


def _handed_on(claim: Claim, entry: Entry, grown: Claim) -> Claim:
    """Give the grown claim what was looked up in it before, where a cached property is looked up first."""
    vars(grown)["lookups"] = claim.lookups.plus(entry)
    if entry.signed.kind in BY_ENGINE:
        vars(grown)["answers"] = claim.answers
    return grown


def _apply(claim: Claim, entry: Entry, event: EventType) -> Claim:
    body = entry.signed.body
    if _moves_stage(claim, event):
        return _with_stage(claim, entry, event)
    effect = claim.rules.effects.get(event)
    return claim if effect is None else effect(claim, entry, body)


def _moves_stage(claim: Claim, event: EventType) -> bool:
    return any(event is one for _, one in claim.rules.stage_transitions)


def _with_stage(claim: Claim, entry: Entry, event: EventType) -> Claim:
    before, target = _stage_target(claim, entry.signed.body, event)
    after = dataclasses.replace(before, state=target, since=entry.accepted_at)
    if event is EventType.STAGE_DECIDED:
        after = dataclasses.replace(after, decision=entry.signed.id)
    if event is EventType.STAGE_REFUSED:
        after = dataclasses.replace(after, refusals=before.refusals + 1, refused_at=entry.accepted_at)
    return dataclasses.replace(claim, stages=tuple(after if p is before else p for p in claim.stages))


def _stage_target(claim: Claim, body: Body, event: EventType) -> tuple[StageProgress, StageState]:
    assert isinstance(body, Event | Receipt | DecisionStatement)
    assert body.stage is not None
    before = claim.progress(body.stage)
    table = claim.rules.stage_transitions
    target = table.get((before.state, event))
    if target is None:
        raise WrongClaimStateError(
            f"stage {body.stage} is {before.state}",
            current=before.state.value,
            step=event.value,
            expected=sorted(state.value for state, allowed in table if allowed is event),
        )
    return before, target


def _window_opened(claim: Claim, entry: Entry, body: Body) -> Claim:
    assert isinstance(body, Event)
    assert body.until is not None
    return dataclasses.replace(
        claim, window_opened_at=entry.accepted_at, window_opened_by=body.cause, window_until=body.until
    )


def _window_ended(claim: Claim, entry: Entry, _: Body) -> Claim:
    return dataclasses.replace(claim, window_ended_at=entry.accepted_at)


def _window_falls(claim: Claim, entry: Entry, body: Body) -> Claim:
    """Undo a window that the word of others opened, if a key that signed this word is revoked.

    It would otherwise count from a proof that counts for nothing. The next proof that stands opens it anew.
    """
    assert isinstance(body, KeyRevocation)
    opened_by = None if claim.window_opened_by is None else claim.entry_of(claim.window_opened_by)
    if opened_by is None or not isinstance(opened_by.signed.body, ProofOfService | Ruling):
        return claim
    return _without_window(claim, entry) if body.key in opened_by.signed.signers else claim


def _without_window(claim: Claim, entry: Entry) -> Claim:
    closed = dataclasses.replace(claim, window_opened_at=None, window_opened_by=None, window_until=None)
    return dataclasses.replace(closed, window_ended_at=None, resumed_at=entry.accepted_at)


def _asked_again(claim: Claim, _: Entry, __: Body) -> Claim:
    return _ask_gate_again(claim)


def _ask_gate_again(claim: Claim) -> Claim:
    """Take back the quorum that the gate has yet to decide on: the situation has changed."""
    stages = tuple(
        dataclasses.replace(p, state=StageState.WAITING) if p.state is StageState.QUORATE else p
        for p in claim.stages
    )
    return dataclasses.replace(claim, stages=stages)


def _late(claim: Claim, entry: Entry, _: Body) -> Claim:
    return dataclasses.replace(claim, late=claim.late | {entry.signed.id})


def _release_ordered(claim: Claim, _: Entry, __: Body) -> Claim:
    return _ask_gate_again(claim) if claim.state in {ClaimState.ACCEPTED, ClaimState.WINDOW} else claim


def _resumed(claim: Claim, entry: Entry, _: Body) -> Claim:
    return dataclasses.replace(claim, resumed_at=entry.accepted_at)


def _hold_ended(claim: Claim, entry: Entry, body: Body) -> Claim:
    assert isinstance(body, Event)
    assert body.cause is not None
    ended = dataclasses.replace(claim, ended_holds=claim.ended_holds | {body.cause})
    return _resumed(ended, entry, body)


EFFECTS: Final[Mapping[EventType, Callable[[Claim, Entry, Body], Claim]]] = MappingProxyType(
    {
        EventType.WINDOW_OPENED: _window_opened,
        EventType.WINDOW_ENDED: _window_ended,
        EventType.KEY_REVOKED: _window_falls,
        EventType.OBJECTION_MADE: _asked_again,
        EventType.CLAIM_CONFIRMED: _asked_again,
        EventType.RECEIVERS_NAMED: _asked_again,
        EventType.LATE_OBJECTION_MADE: _late,
        EventType.RELEASE_ORDERED: _release_ordered,
        EventType.HOLD_LIFTED: _resumed,
        EventType.HOLD_ENDED: _hold_ended,
        EventType.SETTLED_AFTER_WINDOW: _resumed,
    }
)
