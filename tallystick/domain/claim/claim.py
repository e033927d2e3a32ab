"""A claim is what its recorded statements make it: `evolve` is the only way it changes.

The claim keeps its entries; everything that can be derived from them is derived.
`admission` decides whether an entry may be recorded at all, `progress` what the engine
records by itself, and `release` whether a stage may be released.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import TypeVar, cast

from tallystick.domain.claim.lookups import Lookups, lookups_of
from tallystick.domain.claim.rules import Rules
from tallystick.domain.claim.state import (
    OPEN,
    ClaimState,
    EventType,
    StageProgress,
    Step,
)
from tallystick.domain.errors import TallystickError
from tallystick.domain.ids import ClaimId, Digest, PartyId, PersonId, PublicKey, StageId, claim_id
from tallystick.domain.kinds import Outcome
from tallystick.domain.statements.acts import (
    Approval,
    Confirmation,
    Denial,
    Hold,
    HoldLift,
    Objection,
    Retraction,
)
from tallystick.domain.statements.engine import Notice
from tallystick.domain.statements.filing import ClaimFiling
from tallystick.domain.statements.keys import KeyRevocation
from tallystick.domain.statements.orders import JointInstruction, Ruling
from tallystick.domain.statements.signed import Body, Entry

_B = TypeVar("_B", bound=Body)
_V = TypeVar("_V", Approval, Denial)
_T = TypeVar("_T")


class WrongClaimStateError(TallystickError):
    """The claim is not in a state that allows this step."""

    code = "claim-wrong-state"
    why = "The claim's state does not allow this step; it may have changed since you looked."
    advice = "Read the claim again; the answer names its state and the states that allow the step."


@dataclass(frozen=True, kw_only=True)
class Claim:
    """One claim as its entries leave it.

    Attributes:
        digest: The claim statement's id; the claim's identity.
        filed_by: The claimant's key.
        rules: The rules of the generation that it was filed under; they never change.
        since: When it entered its present state.
        window_opened_at: When notice was proven; the window counts from there.
        window_opened_by: The statement that proved notice.
        window_until: The last moment to object; never moved while what opened the window stands.
        window_ended_at: When the engine recorded the end of the window.
        resumed_at: When the latest dispute was settled, the latest hold lifted, or the proof of notice fell;
            the time to approve counts from then, because nothing could be decided before.
        stages: The stages asked for, in the agreement's order.
        ended_holds: Holds that ended by themselves, as the parties chose.
        late: Objections made after every stage in their scope was decided.
        steps: What each entry after the filing was, in the order of `entries`, so that nobody who asks about
            one entry has to fold them all.
    """

    digest: Digest
    filing: ClaimFiling
    filed_at: datetime
    filed_by: PublicKey
    rules: "Rules[Claim]" = field(compare=False, repr=False)
    state: ClaimState
    since: datetime
    stages: tuple[StageProgress, ...]
    entries: tuple[Entry, ...]
    steps: tuple[Step, ...] = ()
    window_opened_at: datetime | None = None
    window_opened_by: Digest | None = None
    window_until: datetime | None = None
    window_ended_at: datetime | None = None
    resumed_at: datetime | None = None
    ended_holds: frozenset[Digest] = frozenset()
    late: frozenset[Digest] = frozenset()

    @property
    def id(self) -> ClaimId:
        """The short form for people."""
        return claim_id(self.digest)

    @property
    def is_open(self) -> bool:
        """Whether something must still be decided, provisioned or given back."""
        return self.state in OPEN

    def may(self, event: EventType) -> bool:
        """Return whether `event` may happen in its state."""
        return (self.state, event) in self.rules.transitions

    @cached_property
    def claimant_party(self) -> PartyId:
        """The party that asks for the release."""
        return self.filing.claimant_party

    @property
    def confirmation(self) -> tuple[Entry, Confirmation] | None:
        """The beneficiary's confirmation of a claim filed for it; the latest, if an earlier one fell."""
        return next(reversed(self.entries_of(Confirmation)), None)

    @property
    def confirmed_by(self) -> Digest | None:
        """The confirmation that votes on the claim must name; None if it was filed by its own party."""
        return None if self.confirmation is None else self.confirmation[0].signed.id

    @property
    def is_unconfirmed(self) -> bool:
        """Whether it was filed for a beneficiary that has not confirmed it."""
        return self.filing.for_ is not None and self.confirmation is None

    @property
    def claimant(self) -> PersonId:
        """Who makes the claim for its party: who filed it, or who confirmed it for that party."""
        return self.filing.person if self.confirmation is None else self.confirmation[1].person

    @property
    def declaration(self) -> str | None:
        """What its party declares; None as long as it has confirmed nothing."""
        return self.filing.declaration if self.confirmation is None else self.confirmation[1].declaration

    @cached_property
    def lookups(self) -> Lookups:
        """Its entries, by what is asked for; `evolve` hands them on, so that none goes through all others."""
        return lookups_of(self.entries)

    @cached_property
    def answers(self) -> dict[Hashable, tuple[Hashable, object]]:
        """What was found in the statements of persons; `evolve` hands it on past those of the engine."""
        return {}

    def once(self, what: Hashable, find: Callable[[], _T], *, given: Hashable = None) -> _T:
        """Return what `find` finds, asked once as long as only the engine records anything.

        A claim that waits for its gate gets thousands of such entries. So what is found must rest on persons'
        statements alone, and not on the claim's state. It is asked again when `given` is not what it was; the
        last answer alone is kept.
        """
        kept = self.answers.get(what)
        if kept is None or kept[0] != given:
            kept = self.answers[what] = (given, find())
        return cast("_T", kept[1])

    @property
    def last_index(self) -> int:
        """The index in the ledger of the latest entry on this claim's record."""
        return self.lookups.last_index

    @property
    def record_digest(self) -> Digest:
        """SHA-256 over the record, in the order of the fold: a line for each entry, its time and its id."""
        return self.lookups.digest

    def entries_of(self, body: type[_B]) -> tuple[tuple[Entry, _B], ...]:
        """Return the entries whose statement is a `body`, with that body, in ledger order."""
        return cast("tuple[tuple[Entry, _B], ...]", self.lookups.by_body.get(body, ()))

    def entry_of(self, statement: Digest) -> Entry | None:
        """Return the entry with `statement`, or None."""
        return self.lookups.by_statement.get(statement)

    def stands(self, entry: Entry) -> bool:
        """Return whether what an entry changed still counts: no key that signed it is revoked.

        What helps a release (a retraction, an order, a lift) counts no longer than its signers do, as a vote.
        """
        return self._gone.keys().isdisjoint(entry.signed.signers)

    @property
    def retracted(self) -> frozenset[Digest]:
        """The approvals, denials and objections that their authors took back."""
        return self.once("retracted", self._retracted)

    def _retracted(self) -> frozenset[Digest]:
        gone = self._gone.keys()
        retractions = self.entries_of(Retraction)
        return frozenset(body.of for entry, body in retractions if gone.isdisjoint(entry.signed.signers))

    @property
    def lifted(self) -> frozenset[Digest]:
        """The holds that were lifted, or have ended by themselves."""
        return self.once("lifted", self._lifted) | self.ended_holds

    def _lifted(self) -> frozenset[Digest]:
        return frozenset(body.hold for entry, body in self.entries_of(HoldLift) if self.stands(entry))

    @property
    def settled(self) -> frozenset[Digest]:
        """The statements that no longer count: taken back, late, or objections that an order came after."""
        return self.once("settled", self._settled)

    def _settled(self) -> frozenset[Digest]:
        orders: tuple[tuple[Entry, Ruling | JointInstruction], ...] = (
            *self.entries_of(Ruling),
            *self.entries_of(JointInstruction),
        )
        settling = (entry for entry, body in orders if body.outcome is not Outcome.NOTICE_GIVEN)
        last = max((entry.index for entry in settling if self.stands(entry)), default=-1)
        ruled_on = {entry.signed.id for entry, _ in self.entries_of(Objection) if entry.index < last}
        return self.retracted | self.late | ruled_on

    @property
    def approvals(self) -> tuple[tuple[Entry, Approval], ...]:
        """Every approval on record, whether it counts or not."""
        return self.entries_of(Approval)

    @property
    def denials(self) -> tuple[tuple[Entry, Denial], ...]:
        """Every denial on record."""
        return self.entries_of(Denial)

    def votes_standing(self, kind: type[_V], person: PersonId) -> tuple[tuple[Entry, _V], ...]:
        """Return the approvals or denials of one person that were not taken back."""
        votes, retracted = self.entries_of(kind), self.retracted
        return tuple((e, b) for e, b in votes if b.person == person and e.signed.id not in retracted)

    def denial_by(self, person: PersonId, stages: Iterable[StageId]) -> Digest | None:
        """Return the standing denial of one of these stages by a person, or None."""
        retracted = self.retracted
        for entry, body in self.denials:
            standing = body.person == person and entry.signed.id not in retracted
            if standing and any(covers(body.stages, stage) for stage in stages):
                return entry.signed.id
        return None

    @property
    def notices(self) -> tuple[tuple[Entry, Notice], ...]:
        """Every attempt to give notice."""
        return self.entries_of(Notice)

    @property
    def open_objections(self) -> tuple[tuple[Entry, Objection], ...]:
        """The objections that count: neither retracted, nor ruled on, nor too late for every stage."""
        return self.once("open objections", self._open_objections)

    def _open_objections(self) -> tuple[tuple[Entry, Objection], ...]:
        settled = self.settled
        return tuple(
            (entry, body) for entry, body in self.entries_of(Objection) if entry.signed.id not in settled
        )

    @property
    def open_holds(self) -> tuple[tuple[Entry, Hold], ...]:
        """The holds that were not lifted, and have not ended."""
        return self.once("open holds", self._open_holds, given=self.ended_holds)

    def _open_holds(self) -> tuple[tuple[Entry, Hold], ...]:
        lifted = self.lifted
        return tuple((entry, body) for entry, body in self.entries_of(Hold) if entry.signed.id not in lifted)

    @property
    def standing_holds(self) -> tuple[Digest, ...]:
        """The ids of the open holds."""
        return tuple(entry.signed.id for entry, _ in self.open_holds)

    @property
    def frozen(self) -> bool:
        """Whether any hold is open, on the claim or on some stages."""
        return bool(self.open_holds)

    def objections_to(self, stage: StageId) -> tuple[tuple[Entry, Objection], ...]:
        """Return the open objections whose scope includes `stage`."""
        return tuple((e, body) for e, body in self.open_objections if covers(body.stages, stage))

    def holds_on(self, stage: StageId) -> tuple[tuple[Entry, Hold], ...]:
        """Return the open holds whose scope includes `stage`."""
        return tuple((e, body) for e, body in self.open_holds if covers(body.stages, stage))

    def revoked_at(self, key: PublicKey) -> datetime | None:
        """Return when `key` stopped counting, or None."""
        return self._gone.get(key)

    @property
    def _gone(self) -> Mapping[PublicKey, datetime]:
        return self.once("revoked at", self._revoked_at)

    def _revoked_at(self) -> Mapping[PublicKey, datetime]:
        revoked: dict[PublicKey, datetime] = {}
        for entry, body in self.entries_of(KeyRevocation):
            revoked[body.key] = min(entry.accepted_at, revoked.get(body.key, entry.accepted_at))
        return revoked

    def progress(self, stage: StageId) -> StageProgress:
        """Return how far `stage` has come; it is one of the claim's stages."""
        (match,) = (progress for progress in self.stages if progress.stage == stage)
        return match

    @property
    def next_stage(self) -> StageProgress | None:
        """The first stage that is not yet decided, or None when all are."""
        return next((progress for progress in self.stages if progress.undecided), None)

    @property
    def undecided_stages(self) -> tuple[StageId, ...]:
        """The stages that the gate has not decided to release."""
        return tuple(progress.stage for progress in self.stages if progress.undecided)

    @property
    def decided_stages(self) -> tuple[StageId, ...]:
        """The stages that the gate has decided to release, whatever has happened to them since."""
        return tuple(progress.stage for progress in self.stages if not progress.undecided)

    @property
    def in_flight(self) -> StageProgress | None:
        """The stage that the gate is deciding on or the receiver has yet to report on, if any."""
        return next((progress for progress in self.stages if progress.in_flight), None)


def covers(scope: tuple[StageId, ...] | None, stage: StageId) -> bool:
    """Return whether a scope includes `stage`; an absent scope includes every stage."""
    return scope is None or stage in scope


def includes(scope: tuple[StageId, ...] | None, other: tuple[StageId, ...] | None) -> bool:
    """Return whether a scope has all that another has; an absent scope has every stage."""
    return scope is None or (other is not None and set(other) <= set(scope))


def filed(entry: Entry, *, stages: tuple[StageId, ...], rules: Rules[Claim]) -> Claim:
    """Return the claim that `entry` files, for `stages` in the agreement's order, under `rules`."""
    filing = entry.signed.body
    assert isinstance(filing, ClaimFiling), "a claim begins with its filing"
    (filed_by,) = entry.signed.signers
    return Claim(
        digest=entry.signed.id,
        filing=filing,
        filed_at=entry.accepted_at,
        filed_by=filed_by,
        rules=rules,
        state=ClaimState.FILED,
        since=entry.accepted_at,
        stages=tuple(StageProgress(stage=stage) for stage in stages),
        entries=(entry,),
    )
