"""Every event in every state: the claim moves as docs/claim-states.md says, or the event is refused."""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from typing import Final

import pytest

from tallystick.domain.bodies import BODIES
from tallystick.domain.claim.claim import (
    Claim,
    WrongClaimStateError,
)
from tallystick.domain.claim.evolve import evolve
from tallystick.domain.claim.state import (
    ENDED,
    OPEN,
    STAGE_TRANSITIONS,
    TRANSITIONS,
    UNDECIDED,
    ClaimState,
    EventType,
    StageProgress,
    StageState,
)
from tallystick.domain.ids import StageId
from tallystick.domain.kinds import (
    Authority,
    Happening,
    Kind,
    Outcome,
    Purpose,
    ReceiptOutcome,
    ServiceMethod,
    WithdrawalReason,
)
from tallystick.domain.statements.signed import Body, Entry, Signed
from tests.support.docs import ROOT
from tests.support.worlds.agreements import BEA, receivers
from tests.support.worlds.groundwork import NO_DIGEST, key_of
from tests.support.worlds.world import World

E, S, T = EventType, ClaimState, StageState
DOCS: Final = (ROOT / "docs/claim-states.md").read_text(encoding="utf-8")
FIRST: Final = StageId("provisional")
STAGE_STEPS: Final = frozenset(event for _, event in STAGE_TRANSITIONS)


def documented() -> Mapping[tuple[ClaimState, EventType], ClaimState]:
    """The table as the document tells it to people."""
    diagram = DOCS[DOCS.index("## The claim") : DOCS.index("## A stage")]
    table: dict[tuple[ClaimState, EventType], ClaimState] = {}
    for source, target, events in re.findall(r"^    (\w+) --> (\w+): (.+)$", diagram, re.MULTILINE):
        table |= {(S(source), E(event)): S(target) for event in events.split(", ")}
    facts = DOCS[DOCS.index("| Event |") :]
    for event, states in re.findall(r"^\| ([a-z-]+) \| (.+) \|$", facts, re.MULTILINE):
        named = list(S) if states == "all" else [S(state) for state in states.split(", ")]
        table |= {(state, E(event)): state for state in named}
    return table


def documented_stages() -> Mapping[tuple[StageState, EventType], StageState]:
    diagram = DOCS[DOCS.index("## A stage") : DOCS.index("## Events that add")]
    arrows = re.findall(r"^    (\w+) --> (\w+): (.+)$", diagram, re.MULTILINE)
    return {(T(a), E(event)): T(b) for a, b, events in arrows for event in events.split(", ")}


CLAIM_TABLE: Final = documented()
STAGE_TABLE: Final = documented_stages()


@cache
def base() -> Claim:
    world = World(engine_runs=False)
    world.files()
    return world.claim


def body_for(event: EventType) -> Body:  # noqa: PLR0911 - a line a kind
    """A statement of the kind that is this event."""
    world = World(told=base())
    stage = {"stage": FIRST}
    if event in {E.OBJECTION_MADE, E.PARTIAL_OBJECTION_MADE, E.LATE_OBJECTION_MADE}:
        return world.body(Kind.OBJECTION, "dora@nordwind", ground="cured", explanation="it is")
    if event in {E.OBJECTION_RETRACTED, E.VOTE_RETRACTED}:
        return world.body(Kind.RETRACTION, "dora@nordwind", of=NO_DIGEST, reason="an error")
    if event in {
        E.NOTICE_RULED_GIVEN,
        E.ARBITRATED_FOR_RELEASE,
        E.REFUSAL_ORDERED,
        E.RELEASE_ORDERED,
        E.RETURN_ORDERED,
    }:
        members: dict[str, object] = {"authority": Authority.ARBITRATION, "outcome": Outcome.RELEASE}
        return world.body(Kind.RULING, "kim@kestrel", documents=(), reason="so it is", **members)
    if event in {E.STAGE_ACTIVATED, E.STAGE_FAILED, E.STAGE_ROLLED_BACK}:
        reported: dict[str, object] = {"outcome": ReceiptOutcome.FAILED, "components": (), **stage}
        return world.body(Kind.RECEIPT, "bea@halden", detail="", **reported)
    if event in {E.STAGE_DECIDED, E.STAGE_REFUSED}:
        decided: dict[str, object] = {"released": False, "premises": (), "record": NO_DIGEST, **stage}
        return world.body(Kind.DECISION, "gate@test", decided_at=world.now, **decided)
    if event.value in set(Happening):
        happened: dict[str, object] = {
            "happening": Happening(event.value),
            "until": world.now,
            "cause": NO_DIGEST,
            **stage,
        }
        return world.body(Kind.EVENT, "engine@test", **happened)
    return _ACTS[event](world)


_ACTS: Final[Mapping[EventType, Callable[[World], Body]]] = {
    E.INTAKE_ACCEPTED: lambda w: w.body(Kind.INTAKE, "ana@harbour", accepted=True),
    E.INTAKE_REFUSED: lambda w: w.body(Kind.INTAKE, "ana@harbour", accepted=False),
    E.NOTICE_ACKNOWLEDGED: lambda w: w.body(Kind.NOTICE_ACKNOWLEDGEMENT, "dora@nordwind"),
    E.NOTICE_SENT: lambda w: w.body(
        Kind.NOTICE, "engine@test", party="nordwind", attempt=1, text_digest=NO_DIGEST, channels=()
    ),
    E.NOTICE_NOT_TAKEN: lambda w: w.body(
        Kind.NOTICE, "engine@test", party="nordwind", attempt=1, text_digest=NO_DIGEST, channels=()
    ),
    E.SERVICE_PROVEN: lambda w: w.body(
        Kind.PROOF_OF_SERVICE, "ana@harbour", method=ServiceMethod.COURIER, served_on=w.now.date()
    ),
    E.NOTICE_SIGHTED: lambda w: w.body(Kind.SIGHTING, "gate@test", notice=NO_DIGEST),
    E.APPROVAL_GIVEN: lambda w: w.body(
        Kind.APPROVAL, "kim@kestrel", stages=(FIRST,), purpose=Purpose.RELEASE, expires_at=w.now, reason=""
    ),
    E.DENIAL_GIVEN: lambda w: w.body(Kind.DENIAL, "kim@kestrel", reason=""),
    E.CLAIM_CONFIRMED: lambda w: w.body(
        Kind.CONFIRMATION, "bea@halden", receivers=receivers(BEA), declaration=""
    ),
    E.RECEIVERS_NAMED: lambda w: w.body(Kind.RECEIVERS, "bea@halden", receivers=receivers(BEA), reason=""),
    E.WITHDRAWN: lambda w: w.body(
        Kind.WITHDRAWAL, "bea@halden", reason=WithdrawalReason.OTHER, explanation=""
    ),
    E.WITHDRAWN_AS_CURED: lambda w: w.body(
        Kind.WITHDRAWAL, "bea@halden", reason=WithdrawalReason.CURED, explanation=""
    ),
    E.HOLD_PLACED: lambda w: w.body(Kind.HOLD, "kim@kestrel", reason=""),
    E.HOLD_LIFTED: lambda w: w.body(Kind.HOLD_LIFT, "kim@kestrel", hold=NO_DIGEST, reason=""),
    E.KEY_REVOKED: lambda w: w.body(Kind.KEY_REVOCATION, "kim@kestrel", key=key_of("kim@kestrel"), reason=""),
    E.RETURN_MADE: lambda w: w.body(Kind.RETURN, "bea@halden", components=(), method="", certificate=""),
}


def entry_for(event: EventType) -> Entry:
    body = body_for(event)
    kind = next(kind for kind, cls in BODIES.items() if isinstance(body, cls))
    key = key_of("kim@kestrel")
    signed = Signed(kind=kind, id=NO_DIGEST, signers=frozenset({key}), body=body)
    return Entry(index=7, accepted_at=World().now, signed=signed)


def in_state(state: ClaimState, stage: StageState = StageState.WAITING) -> Claim:
    stages = (StageProgress(stage=FIRST, state=stage), *base().stages[1:])
    return replace(base(), state=state, stages=stages, window_until=World().now)


def a_stage_state_for(event: EventType) -> StageState:
    return next((state for state, step in STAGE_TABLE if step is event), StageState.WAITING)


@pytest.mark.parametrize("event", EventType)
@pytest.mark.parametrize("state", ClaimState)
def test_claim_moves_as_documented_or_is_refused(state: ClaimState, event: EventType) -> None:
    claim = in_state(state, a_stage_state_for(event))
    target = CLAIM_TABLE.get((state, event))
    if target is not None:
        assert evolve(claim, entry_for(event), event).state is target
        return
    with pytest.raises(WrongClaimStateError) as refusal:
        evolve(claim, entry_for(event), event)
    allowed = sorted(one.value for one, step in CLAIM_TABLE if step is event)
    assert (refusal.value.facts["current"], refusal.value.facts["expected"]) == (state.value, allowed)


@pytest.mark.parametrize("event", sorted(STAGE_STEPS))
@pytest.mark.parametrize("stage", StageState)
def test_stage_moves_as_documented_or_is_refused(stage: StageState, event: EventType) -> None:
    claim = in_state(next(state for state in S if (state, event) in TRANSITIONS), stage)
    target = STAGE_TABLE.get((stage, event))
    if target is not None:
        assert evolve(claim, entry_for(event), event).stages[0].state is target
        return
    with pytest.raises(WrongClaimStateError) as refusal:
        evolve(claim, entry_for(event), event)
    assert refusal.value.facts["current"] == stage.value


def test_events_that_are_not_about_a_stage_leave_stages_but_stop_the_gate() -> None:
    claim = in_state(S.WINDOW, T.QUORATE)
    assert evolve(claim, entry_for(E.OBJECTION_MADE), E.OBJECTION_MADE).stages[0].state is T.WAITING
    assert evolve(claim, entry_for(E.RELEASE_ORDERED), E.RELEASE_ORDERED).stages[0].state is T.WAITING
    assert evolve(claim, entry_for(E.APPROVAL_GIVEN), E.APPROVAL_GIVEN).stages[0].state is T.QUORATE


def test_documented_tables_are_the_tables() -> None:
    assert dict(TRANSITIONS) == CLAIM_TABLE
    assert dict(STAGE_TRANSITIONS) == STAGE_TABLE


def test_nothing_leaves_an_ending() -> None:
    assert {state for (state, _), target in TRANSITIONS.items() if target is not state} & ENDED == set()


def test_every_state_can_reach_an_ending_and_be_reached_from_filing() -> None:
    ways = {(state, target) for (state, _), target in TRANSITIONS.items()}
    ending, reached = set(ENDED), {S.FILED}
    for _ in S:
        ending |= {state for state, target in ways if target in ending}
        reached |= {target for state, target in ways if state in reached}
    assert ending == reached == set(S)


def test_every_event_may_happen_somewhere() -> None:
    assert {event for _, event in TRANSITIONS} == set(E)


def test_only_the_gate_decides_and_only_while_nothing_is_contested() -> None:
    allowing = {state for state, event in TRANSITIONS if event is E.STAGE_DECIDED}
    assert allowing == {S.ACCEPTED, S.WINDOW, S.VALIDATING}


def test_open_states_are_those_where_something_may_still_come() -> None:
    assert OPEN | ENDED | {S.RELEASED, S.ROLLED_BACK} == set(S)
    assert UNDECIDED < OPEN
    assert set() == OPEN & ENDED


def test_no_event_moves_the_end_of_a_window_once_it_is_open() -> None:
    for state, event in TRANSITIONS:
        if event is not E.WINDOW_OPENED:
            claim = in_state(state, a_stage_state_for(event))
            assert evolve(claim, entry_for(event), event).window_until == claim.window_until
