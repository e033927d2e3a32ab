"""The one state machine: which events a claim may meet in which state, and where each leads.

Approval and execution are two fields: a claim has a state, and each of its stages
has one. Both tables are here and nowhere else; docs/claim-states.md is drawn
from them. Events are past tense; an event that leaves the state as it is adds a
fact. There is no state FROZEN: a hold is a fact, and may be placed in any state.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final, Self

from tallystick.domain.ids import Digest, StageId


class ClaimState(StrEnum):
    """Where a claim stands."""

    FILED = "FILED"
    NOT_ACCEPTED = "NOT_ACCEPTED"
    ACCEPTED = "ACCEPTED"
    WINDOW = "WINDOW"
    CONTESTED = "CONTESTED"
    APPROVAL = "APPROVAL"
    VALIDATING = "VALIDATING"
    PROVISIONING = "PROVISIONING"
    RELEASED = "RELEASED"
    ROLLING_BACK = "ROLLING_BACK"
    ROLLED_BACK = "ROLLED_BACK"
    RETURN_DUE = "RETURN_DUE"
    RETURNED = "RETURNED"
    DENIED = "DENIED"
    LAPSED = "LAPSED"
    REFUSED = "REFUSED"
    CURED = "CURED"
    WITHDRAWN = "WITHDRAWN"


class StageState(StrEnum):
    """Where one stage of a claim stands."""

    WAITING = "WAITING"
    QUORATE = "QUORATE"
    DECIDED = "DECIDED"
    ACTIVATED = "ACTIVATED"
    FAILED = "FAILED"
    ROLLED_BACK = "ROLLED_BACK"


_S = ClaimState

UNDECIDED: Final = frozenset({_S.ACCEPTED, _S.WINDOW, _S.CONTESTED, _S.APPROVAL, _S.VALIDATING})
"""States in which the claim has been accepted and the next stage is not yet decided."""
GIVEN_UP: Final = frozenset({_S.DENIED, _S.LAPSED, _S.REFUSED, _S.CURED, _S.WITHDRAWN})
"""Endings without a release; provisional access must then be given back."""
ENDED: Final = GIVEN_UP | {_S.NOT_ACCEPTED, _S.RETURNED}
"""No event leads out of these."""
CLOSED: Final = ENDED | {_S.RELEASED, _S.ROLLED_BACK}
"""Nothing more is decided; what was released, or kept of it, may still be ordered back."""
OPEN: Final = frozenset(ClaimState) - CLOSED
_HELD_IN: Final = OPEN | CLOSED - {_S.NOT_ACCEPTED, _S.RETURNED}
"""Something may still be decided, undone or ordered back, and a hold would stop it."""
_VOTED_ON: Final = UNDECIDED | {_S.PROVISIONING}
"""Votes or an order may still decide something."""
UNDECIDED_STAGE: Final = frozenset({StageState.WAITING, StageState.QUORATE})
"""The gate has not decided to release the stage; in every other state it has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StageProgress:
    """How far one stage of a claim has come.

    Attributes:
        since: When it entered its present state; None while it has only waited.
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
        """Whether the gate has not decided to release it."""
        return self.state in UNDECIDED_STAGE

    @property
    def in_flight(self) -> bool:
        """Whether the gate is deciding on it, or the receiver has yet to report on it."""
        return self.state in {StageState.QUORATE, StageState.DECIDED}


class EventType(StrEnum):
    """What can happen to a claim after it was filed.

    Attributes:
        adds_in: The states in which it adds a fact and leaves the state as it is. `_facts` has the cases
            that are not the same for the event everywhere, `_moves` those that lead to another state.
    """

    adds_in: frozenset[ClaimState]

    def __new__(cls, value: str, adds_in: Iterable[ClaimState] = ()) -> Self:
        """Return the event of this name."""
        event = str.__new__(cls, value)
        event._value_ = value
        event.adds_in = frozenset(adds_in)
        return event

    # Acts of persons.
    CLAIM_CONFIRMED = "claim-confirmed", {_S.FILED} | _VOTED_ON - {_S.VALIDATING}
    INTAKE_ACCEPTED = "intake-accepted"
    INTAKE_REFUSED = "intake-refused"
    NOTICE_ACKNOWLEDGED = "notice-acknowledged", _VOTED_ON
    SERVICE_PROVEN = "service-proven", _VOTED_ON
    OBJECTION_MADE = "objection-made"
    PARTIAL_OBJECTION_MADE = "partial-objection-made", _VOTED_ON
    LATE_OBJECTION_MADE = "late-objection-made", frozenset(_S) - {_S.FILED}
    OBJECTION_RETRACTED = "objection-retracted", _VOTED_ON
    VOTE_RETRACTED = "vote-retracted", _VOTED_ON
    ARBITRATED_FOR_RELEASE = "arbitrated-for-release", _VOTED_ON
    NOTICE_RULED_GIVEN = "notice-ruled-given", {_S.ACCEPTED, _S.WINDOW, _S.APPROVAL}
    REFUSAL_ORDERED = "refusal-ordered"
    RELEASE_ORDERED = "release-ordered"
    RETURN_ORDERED = "return-ordered"
    APPROVAL_GIVEN = "approval-given", _VOTED_ON
    DENIAL_GIVEN = "denial-given", _VOTED_ON
    WITHDRAWN = "withdrawn"
    WITHDRAWN_AS_CURED = "withdrawn-as-cured"
    HOLD_PLACED = "hold-placed", _HELD_IN
    HOLD_LIFTED = "hold-lifted", _HELD_IN
    RECEIVERS_NAMED = "receivers-named", {_S.FILED} | _VOTED_ON - {_S.VALIDATING}
    KEY_REVOKED = "key-revoked", _S
    STAGE_ACTIVATED = "stage-activated"
    STAGE_FAILED = "stage-failed"
    STAGE_ROLLED_BACK = "stage-rolled-back"
    RETURN_MADE = "return-made"
    # What the gate signs.
    NOTICE_SIGHTED = "notice-sighted", _VOTED_ON
    STAGE_DECIDED = "stage-decided"
    STAGE_REFUSED = "stage-refused"
    # What the engine records.
    NOTICE_SENT = "notice-sent", _VOTED_ON
    NOTICE_NOT_TAKEN = "notice-not-taken", _VOTED_ON
    REPLICA_REPAIRED = "replica-repaired", OPEN | {_S.RELEASED}
    WINDOW_OPENED = "window-opened"
    WINDOW_ENDED = "window-ended"
    STAGE_CONTESTED = "stage-contested"
    SETTLED_BEFORE_WINDOW = "settled-before-window"
    SETTLED_IN_WINDOW = "settled-in-window"
    SETTLED_AFTER_WINDOW = "settled-after-window"
    QUORUM_REACHED = "quorum-reached"
    DENIAL_QUORUM_REACHED = "denial-quorum-reached"
    LAPSED = "lapsed"
    TAKEN_IN_UNCHECKED = "taken-in-unchecked"
    INTAKE_LAPSED = "intake-lapsed"
    NOTICE_LAPSED = "notice-lapsed"
    DISPUTE_LAPSED = "dispute-lapsed"
    HOLD_ENDED = "hold-ended", _HELD_IN
    HOLD_LAPSED = "hold-lapsed"
    STAGE_TIMED_OUT = "stage-timed-out"
    RELEASE_COMPLETED = "release-completed"
    ROLLBACK_COMPLETED = "rollback-completed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What one entry of a claim's record was, and the state to which it led."""

    event: EventType
    state: ClaimState


_E = EventType

_STAGE_EVENTS: Final = (_E.QUORUM_REACHED, _E.STAGE_DECIDED, _E.STAGE_REFUSED)
_RECEIPTS: Final = (_E.STAGE_ACTIVATED, _E.STAGE_FAILED, _E.STAGE_TIMED_OUT, _E.STAGE_ROLLED_BACK)


def _moves() -> Iterable[tuple[ClaimState, EventType, ClaimState]]:
    """Yield the steps that lead from one state to another."""
    yield from _course()
    yield from _stops()
    yield from _ends_of_waits()
    yield from _returns()


def _course() -> Iterable[tuple[ClaimState, EventType, ClaimState]]:
    """Yield the steps of a claim that nobody stops, with its stages, in the order of the clause."""
    yield _S.FILED, _E.INTAKE_ACCEPTED, _S.ACCEPTED
    yield _S.FILED, _E.INTAKE_REFUSED, _S.NOT_ACCEPTED
    yield _S.ACCEPTED, _E.WINDOW_OPENED, _S.WINDOW
    yield _S.WINDOW, _E.WINDOW_ENDED, _S.APPROVAL
    # A joint instruction or a final court order skips the window, never the quorum or the gate.
    for state in (_S.ACCEPTED, _S.WINDOW, _S.CONTESTED):
        yield state, _E.RELEASE_ORDERED, _S.APPROVAL
    # Nobody confirmed what the escrow agent filed for a beneficiary.
    yield _S.FILED, _E.LAPSED, _S.LAPSED
    yield _S.APPROVAL, _E.LAPSED, _S.LAPSED
    yield _S.APPROVAL, _E.QUORUM_REACHED, _S.VALIDATING
    yield _S.VALIDATING, _E.STAGE_DECIDED, _S.PROVISIONING
    yield _S.VALIDATING, _E.STAGE_REFUSED, _S.APPROVAL
    # Those who approved did not know to whom it would be sealed, so they are asked again.
    yield _S.VALIDATING, _E.RECEIVERS_NAMED, _S.APPROVAL
    yield _S.VALIDATING, _E.CLAIM_CONFIRMED, _S.APPROVAL
    yield _S.PROVISIONING, _E.STAGE_ACTIVATED, _S.APPROVAL
    yield _S.APPROVAL, _E.RELEASE_COMPLETED, _S.RELEASED


def _stops() -> Iterable[tuple[ClaimState, EventType, ClaimState]]:
    """Yield the steps by which a claim is contested and settled, refused, denied or withdrawn."""
    # An objection stops everything that is not yet decided.
    for state in (_S.ACCEPTED, _S.WINDOW, _S.APPROVAL, _S.VALIDATING):
        yield state, _E.OBJECTION_MADE, _S.CONTESTED
    yield _S.APPROVAL, _E.STAGE_CONTESTED, _S.CONTESTED
    yield _S.CONTESTED, _E.SETTLED_BEFORE_WINDOW, _S.ACCEPTED
    yield _S.CONTESTED, _E.SETTLED_IN_WINDOW, _S.WINDOW
    yield _S.CONTESTED, _E.SETTLED_AFTER_WINDOW, _S.APPROVAL
    for state in (_S.FILED, *sorted(UNDECIDED), _S.PROVISIONING):
        yield state, _E.REFUSAL_ORDERED, _S.REFUSED
    for state in sorted(UNDECIDED):
        yield state, _E.DENIAL_QUORUM_REACHED, _S.DENIED
    for state in (_S.FILED, *sorted(UNDECIDED), _S.PROVISIONING):
        yield state, _E.WITHDRAWN, _S.WITHDRAWN
        yield state, _E.WITHDRAWN_AS_CURED, _S.CURED


def _ends_of_waits() -> Iterable[tuple[ClaimState, EventType, ClaimState]]:
    """Yield the steps by which a wait ends as the parties chose, although nobody acts."""
    yield _S.FILED, _E.TAKEN_IN_UNCHECKED, _S.ACCEPTED
    yield _S.FILED, _E.INTAKE_LAPSED, _S.LAPSED
    # In the last two, a key that proved notice was revoked.
    for state in (_S.ACCEPTED, _S.WINDOW, _S.APPROVAL):
        yield state, _E.NOTICE_LAPSED, _S.LAPSED
    yield _S.CONTESTED, _E.DISPUTE_LAPSED, _S.LAPSED
    # While the gate decides, or the receiver provisions, the hold waits for the next quiet moment.
    for state in (_S.FILED, _S.ACCEPTED, _S.WINDOW, _S.CONTESTED, _S.APPROVAL):
        yield state, _E.HOLD_LAPSED, _S.LAPSED


def _returns() -> Iterable[tuple[ClaimState, EventType, ClaimState]]:
    """Yield the steps by which what was released is undone or given back."""
    yield _S.PROVISIONING, _E.STAGE_FAILED, _S.ROLLING_BACK
    yield _S.PROVISIONING, _E.STAGE_TIMED_OUT, _S.ROLLING_BACK
    yield _S.ROLLING_BACK, _E.ROLLBACK_COMPLETED, _S.ROLLED_BACK
    # This includes what was kept of a failed release, and a silent receiver cannot block an order.
    for state in (_S.RELEASED, _S.ROLLING_BACK, _S.ROLLED_BACK):
        yield state, _E.RETURN_ORDERED, _S.RETURN_DUE
    yield _S.RETURN_DUE, _E.RETURN_MADE, _S.RETURNED


def _facts() -> Iterable[tuple[Iterable[ClaimState], Iterable[EventType]]]:
    """Yield the states in which an event adds a fact and leaves the state as it is, with the events."""
    yield from ((event.adds_in, (event,)) for event in EventType)
    yield (_S.CONTESTED, _S.PROVISIONING), (_E.OBJECTION_MADE,)
    yield (_S.APPROVAL, _S.VALIDATING, _S.PROVISIONING), (_E.RELEASE_ORDERED,)
    # In APPROVAL it runs again if a key was revoked that signed the order which skipped it, or proved notice.
    yield (_S.CONTESTED, _S.APPROVAL), (_E.WINDOW_OPENED, _E.WINDOW_ENDED)
    yield (_S.WINDOW,), (_E.WINDOW_OPENED,)
    # Provisional access runs during the window; its stages move and the claim's state does not.
    yield (_S.ACCEPTED, _S.WINDOW), _STAGE_EVENTS
    yield (_S.ACCEPTED, _S.WINDOW, _S.CONTESTED, _S.APPROVAL), _RECEIPTS
    yield (_S.CONTESTED,), (_E.STAGE_REFUSED,)
    # What was disclosed and taken back goes on record, however the claim ended.
    yield (
        GIVEN_UP,
        (_E.STAGE_REFUSED, _E.STAGE_ACTIVATED, _E.STAGE_FAILED, _E.STAGE_ROLLED_BACK, _E.RETURN_MADE),
    )
    yield GIVEN_UP, (_E.RETURN_ORDERED,)
    yield (_S.ROLLING_BACK, _S.RETURN_DUE, _S.RELEASED), (_E.STAGE_ROLLED_BACK,)
    # A provisional stage that failed may be undone while the next one is on its way.
    yield (_S.VALIDATING, _S.PROVISIONING), (_E.STAGE_ROLLED_BACK,)


def _table() -> dict[tuple[ClaimState, EventType], ClaimState]:
    table = {(state, event): state for states, events in _facts() for state in states for event in events}
    for state, event, target in _moves():
        assert table.get((state, event), target) == target, f"two ways from {state} by {event}"
        table[state, event] = target
    return table


TRANSITIONS: Final[Mapping[tuple[ClaimState, EventType], ClaimState]] = MappingProxyType(_table())

STAGE_TRANSITIONS: Final[Mapping[tuple[StageState, EventType], StageState]] = MappingProxyType(
    {
        (StageState.WAITING, _E.QUORUM_REACHED): StageState.QUORATE,
        (StageState.WAITING, _E.STAGE_REFUSED): StageState.WAITING,
        (StageState.QUORATE, _E.STAGE_REFUSED): StageState.WAITING,
        (StageState.QUORATE, _E.STAGE_DECIDED): StageState.DECIDED,
        (StageState.DECIDED, _E.STAGE_ACTIVATED): StageState.ACTIVATED,
        (StageState.DECIDED, _E.STAGE_FAILED): StageState.FAILED,
        (StageState.DECIDED, _E.STAGE_TIMED_OUT): StageState.FAILED,
        (StageState.DECIDED, _E.STAGE_ROLLED_BACK): StageState.ROLLED_BACK,
        (StageState.ACTIVATED, _E.STAGE_ROLLED_BACK): StageState.ROLLED_BACK,
        (StageState.FAILED, _E.STAGE_ROLLED_BACK): StageState.ROLLED_BACK,
    }
)
