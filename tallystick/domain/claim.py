"""A claim is what its recorded statements make it: `evolve` is the only way it changes.

The claim keeps its entries; everything that can be derived from them is derived.
Whether an entry may be recorded at all is decided in `admission`, when the engine
records something by itself in `progress`, whether a stage may go out in `release`.
"""

import dataclasses
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Final, TypeVar

from tallystick.domain.errors import TallystickError
from tallystick.domain.ids import ClaimId, Digest, PartyId, PublicKey, StageId, claim_id, party_of
from tallystick.domain.state import (
    OPEN,
    STAGE_TRANSITIONS,
    TRANSITIONS,
    UNDECIDED_STAGE,
    ClaimState,
    EventType,
    StageState,
    states_allowing,
)
from tallystick.domain.statements import (
    Approval,
    Body,
    ClaimFiling,
    DecisionStatement,
    Denial,
    Entry,
    Event,
    Hold,
    HoldLift,
    KeyRevocation,
    Notice,
    Objection,
    Receipt,
    Retraction,
)

_B = TypeVar("_B", bound=Body)


class WrongClaimStateError(TallystickError):
    """The claim is not in a state that allows this step."""

    code = "claim-wrong-state"
    why = "The claim has moved on since you looked, or never gets this step."
    advice = "Read the claim again; the answer names its state and the states that allow the step."


@dataclass(frozen=True, slots=True, kw_only=True)
class StageProgress:
    """How far one stage of a claim has come.

    Attributes:
        since: When it came into its present state; None while it waits untouched.
        decision: The gate's decision to release it, once there is one.
        refusals: How often the gate has refused it, and when last.
    """

    stage: StageId
    state: StageState = StageState.WAITING
    since: datetime | None = None
    decision: Digest | None = None
    refusals: int = 0
    refused_at: datetime | None = None

    @property
    def undecided(self) -> bool:
        """Whether nothing of it has left yet."""
        return self.state in UNDECIDED_STAGE

    @property
    def in_flight(self) -> bool:
        """Whether the gate or the receiver is at work on it."""
        return self.state in {StageState.QUORATE, StageState.DECIDED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One claim as its entries leave it.

    Attributes:
        digest: The claim statement's id; the claim's identity.
        filed_by: The claimant's key.
        since: When it came into its present state.
        window_opened_at: When notice was proven; the window counts from there.
        window_until: The last moment at which an objection is in time; written once, never moved.
        window_ended_at: When the engine recorded that the window is over.
        bypass: The latest joint instruction or court order that skips the window; whether its
            signers still suffice is decided in `orders`.
        resumed_at: When the latest dispute was settled or hold lifted; the time to approve
            counts from there, for nothing could be decided before.
        stages: The stages asked for, in the agreement's order.
        settled: Objections that no longer stand: retracted, ruled on, or late.
        late: Objections that came after everything they were against was decided.
        retracted: Approvals, denials and objections that their authors took back.
        lifted: Holds that no longer stand.
    """

    digest: Digest
    filing: ClaimFiling
    filed_at: datetime
    filed_by: PublicKey
    state: ClaimState
    since: datetime
    stages: tuple[StageProgress, ...]
    entries: tuple[Entry, ...]
    window_opened_at: datetime | None = None
    window_until: datetime | None = None
    window_ended_at: datetime | None = None
    bypass: Digest | None = None
    bypassed_at: datetime | None = None
    resumed_at: datetime | None = None
    settled: frozenset[Digest] = frozenset()
    late: frozenset[Digest] = frozenset()
    retracted: frozenset[Digest] = frozenset()
    lifted: frozenset[Digest] = frozenset()

    @property
    def id(self) -> ClaimId:
        """The short form for people."""
        return claim_id(self.digest)

    @property
    def is_open(self) -> bool:
        """Whether something is still to be decided, provisioned or given back."""
        return self.state in OPEN

    @property
    def claimant_party(self) -> PartyId:
        """The party that asks for the release."""
        return party_of(self.filing.person)

    @property
    def last_index(self) -> int:
        """The place in the ledger of the latest entry that this claim has seen."""
        return max(entry.index for entry in self.entries)

    @property
    def record_digest(self) -> Digest:
        """SHA-256 over the ids of all statements on the record, one a line, in the order of the fold."""
        lines = "".join(f"{entry.signed.id}\n" for entry in self.entries)
        return Digest(f"sha256:{hashlib.sha256(lines.encode()).hexdigest()}")

    def entries_of(self, body: type[_B]) -> tuple[tuple[Entry, _B], ...]:
        """Return the entries whose statement is a `body`, with that body, in ledger order."""
        return tuple(
            (entry, entry.signed.body) for entry in self.entries if isinstance(entry.signed.body, body)
        )

    def entry_of(self, statement: Digest) -> Entry | None:
        """Return where `statement` stands in the record, or None."""
        return next((entry for entry in self.entries if entry.signed.id == statement), None)

    @property
    def approvals(self) -> tuple[tuple[Entry, Approval], ...]:
        """Every approval on record, whether it counts or not."""
        return self.entries_of(Approval)

    @property
    def denials(self) -> tuple[tuple[Entry, Denial], ...]:
        """Every denial on record."""
        return self.entries_of(Denial)

    @property
    def notices(self) -> tuple[tuple[Entry, Notice], ...]:
        """Every attempt to give notice."""
        return self.entries_of(Notice)

    @property
    def open_objections(self) -> tuple[tuple[Entry, Objection], ...]:
        """Objections that stand: neither retracted nor ruled on, nor too late for every stage."""
        return tuple(
            (entry, body) for entry, body in self.entries_of(Objection) if entry.signed.id not in self.settled
        )

    @property
    def open_holds(self) -> tuple[tuple[Entry, Hold], ...]:
        """Holds that stand."""
        return tuple(
            (entry, body) for entry, body in self.entries_of(Hold) if entry.signed.id not in self.lifted
        )

    @property
    def frozen(self) -> bool:
        """Whether any hold stands, over the claim or over some stages."""
        return bool(self.open_holds)

    def objections_to(self, stage: StageId) -> tuple[tuple[Entry, Objection], ...]:
        """Return the open objections whose scope has `stage`."""
        return tuple((e, body) for e, body in self.open_objections if covers(body.stages, stage))

    def holds_on(self, stage: StageId) -> tuple[tuple[Entry, Hold], ...]:
        """Return the open holds whose scope has `stage`."""
        return tuple((e, body) for e, body in self.open_holds if covers(body.stages, stage))

    def revoked_at(self, key: PublicKey) -> datetime | None:
        """Return since when `key` no longer counts, or None."""
        times = [e.accepted_at for e, body in self.entries_of(KeyRevocation) if body.key == key]
        return min(times, default=None)

    def progress(self, stage: StageId) -> StageProgress:
        """Return how far `stage` has come; it is one of the claim's stages."""
        (found,) = (progress for progress in self.stages if progress.stage == stage)
        return found

    @property
    def next_stage(self) -> StageProgress | None:
        """The first stage that is not yet decided, or None when all are."""
        return next((progress for progress in self.stages if progress.undecided), None)

    @property
    def decided_stages(self) -> tuple[StageId, ...]:
        """The stages that the gate has decided to release, whatever became of them since."""
        return tuple(progress.stage for progress in self.stages if not progress.undecided)

    @property
    def in_flight(self) -> StageProgress | None:
        """The stage that the gate or the receiver is at work on, if any."""
        return next((progress for progress in self.stages if progress.in_flight), None)


def covers(scope: tuple[StageId, ...] | None, stage: StageId) -> bool:
    """Return whether a scope has `stage`; an absent scope has every stage."""
    return scope is None or stage in scope


def filed(entry: Entry, *, stages: tuple[StageId, ...]) -> Claim:
    """Return the claim that `entry` files, for `stages` in the agreement's order."""
    filing = entry.signed.body
    assert isinstance(filing, ClaimFiling), "a claim begins with its filing"
    (filed_by,) = entry.signed.signers
    return Claim(
        digest=entry.signed.id,
        filing=filing,
        filed_at=entry.accepted_at,
        filed_by=filed_by,
        state=ClaimState.FILED,
        since=entry.accepted_at,
        stages=tuple(StageProgress(stage=stage) for stage in stages),
        entries=(entry,),
    )


def check_transition(claim: Claim, event: EventType) -> ClaimState:
    """Return the state to which `event` leads.

    Raises:
        WrongClaimStateError: `TRANSITIONS` has no such step from this state.
    """
    target = TRANSITIONS.get((claim.state, event))
    if target is None:
        raise WrongClaimStateError(
            f"{claim.id} is {claim.state}",
            current=claim.state.value,
            step=event.value,
            expected=sorted(state.value for state in states_allowing(event)),
        )
    return target


def check_step(claim: Claim, body: Body, event: EventType) -> None:
    """Refuse an event that `evolve` would refuse: by the claim's state, or by its stage's.

    Raises:
        WrongClaimStateError: The claim, or the stage that is meant, never gets this step from here.
    """
    check_transition(claim, event)
    if event in _STAGE_STEPS:
        _stage_target(claim, body, event)


def evolve(claim: Claim, entry: Entry, event: EventType) -> Claim:
    """Return the claim as `entry`, which is an `event`, leaves it.

    Raises:
        WrongClaimStateError: The claim, or the stage that is meant, never gets this step from here.
    """
    target = check_transition(claim, event)
    moved = _apply(claim, entry, event)
    since = claim.since if target is claim.state else entry.accepted_at
    return dataclasses.replace(moved, state=target, since=since, entries=(*claim.entries, entry))


def _apply(claim: Claim, entry: Entry, event: EventType) -> Claim:
    body = entry.signed.body
    if event in _STAGE_STEPS:
        return _with_stage(claim, entry, event)
    if event in _FACTS:
        return _FACTS[event](claim, entry, body)
    return claim


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
    target = STAGE_TRANSITIONS.get((before.state, event))
    if target is None:
        raise WrongClaimStateError(
            f"stage {body.stage} is {before.state}",
            current=before.state.value,
            step=event.value,
            expected=sorted(state.value for state, allowed in STAGE_TRANSITIONS if allowed is event),
        )
    return before, target


def _window_opened(claim: Claim, entry: Entry, body: Body) -> Claim:
    assert isinstance(body, Event)
    assert body.until is not None
    return dataclasses.replace(claim, window_opened_at=entry.accepted_at, window_until=body.until)


def _window_ended(claim: Claim, entry: Entry, _: Body) -> Claim:
    return dataclasses.replace(claim, window_ended_at=entry.accepted_at)


def _objection_made(claim: Claim, _: Entry, __: Body) -> Claim:
    return _ask_gate_again(claim)


def _ask_gate_again(claim: Claim) -> Claim:
    """Whatever the gate was about to decide, it was about to decide in another situation."""
    stages = tuple(
        dataclasses.replace(p, state=StageState.WAITING) if p.state is StageState.QUORATE else p
        for p in claim.stages
    )
    return dataclasses.replace(claim, stages=stages)


def _late(claim: Claim, entry: Entry, _: Body) -> Claim:
    late = frozenset({entry.signed.id})
    return dataclasses.replace(claim, settled=claim.settled | late, late=claim.late | late)


def _retracted(claim: Claim, _: Entry, body: Body) -> Claim:
    assert isinstance(body, Retraction)
    return dataclasses.replace(
        claim, retracted=claim.retracted | {body.of}, settled=claim.settled | {body.of}
    )


def _settled(claim: Claim, _: Entry, __: Body) -> Claim:
    standing = {entry.signed.id for entry, _body in claim.open_objections}
    return dataclasses.replace(claim, settled=claim.settled | standing)


def _bypassed(claim: Claim, entry: Entry, body: Body) -> Claim:
    settled = _settled(claim, entry, body)
    if claim.state in {ClaimState.ACCEPTED, ClaimState.WINDOW}:
        settled = _ask_gate_again(settled)
    return dataclasses.replace(settled, bypass=entry.signed.id, bypassed_at=entry.accepted_at)


def _lifted(claim: Claim, entry: Entry, body: Body) -> Claim:
    assert isinstance(body, HoldLift)
    return dataclasses.replace(claim, lifted=claim.lifted | {body.hold}, resumed_at=entry.accepted_at)


def _resumed(claim: Claim, entry: Entry, _: Body) -> Claim:
    return dataclasses.replace(claim, resumed_at=entry.accepted_at)


_STAGE_STEPS: Final = frozenset(event for _, event in STAGE_TRANSITIONS)
_FACTS: Final[Mapping[EventType, Callable[[Claim, Entry, Body], Claim]]] = MappingProxyType(
    {
        EventType.WINDOW_OPENED: _window_opened,
        EventType.WINDOW_ENDED: _window_ended,
        EventType.OBJECTION_MADE: _objection_made,
        EventType.LATE_OBJECTION_MADE: _late,
        EventType.OBJECTION_RETRACTED: _retracted,
        EventType.VOTE_RETRACTED: _retracted,
        EventType.ARBITRATED_FOR_RELEASE: _settled,
        EventType.REFUSAL_ORDERED: _settled,
        EventType.RELEASE_ORDERED: _bypassed,
        EventType.HOLD_LIFTED: _lifted,
        EventType.SETTLED_AFTER_WINDOW: _resumed,
    }
)
