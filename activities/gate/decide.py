"""The gate: decides on a stage once, for ever, and only then gives its share away.

It believes nobody: it reads the raw record, verifies every signature, folds the claim
anew, reads every sealed byte, hashes the whole log, looks at its own clock, and asks
the one release decision. The order of its writes is the order of safety:

1. the contribution, in its own journal: it is the same however often it is given;
2. the decision, in the ledger, if nothing was recorded meanwhile;
3. the decision, remembered in its own journal: a ledger that was rolled back is noticed;
4. the contribution, in the blob stores, for the receiver.

It may be stopped between any two of them, and asked again.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Engine
from sqlmodel import Session
from temporalio import activity

from activities.clock import now
from activities.gate.deal import Dealer
from activities.gate.journal import GateJournal
from activities.gate.publish import Publisher
from activities.gate.release import Releaser, TimedDecision
from activities.gate.sight import (
    SealedBytes,
    Surroundings,
    see_sealed_bytes,
    see_surroundings,
    sight_of,
    stage_components,
)
from activities.gate.witness import Witness
from activities.heartbeats import beating, heartbeat
from activities.places import Places, ReadingBusyError
from tallystick.crypto.envelope import Envelope, statement_id
from tallystick.crypto.keyfile import PrivateKeys
from tallystick.domain.authorship.authors import check_stages
from tallystick.domain.claim.state import StageState
from tallystick.domain.ids import (
    AgreementId,
    ComponentId,
    Digest,
    PublicKey,
    StageId,
    digest,
    name,
)
from tallystick.domain.release.decision import decide
from tallystick.domain.statements.deposits import DepositedComponent
from tallystick.faults import crossing
from tallystick.limits.processes import GATE_STEPS_EACH_MAX
from tallystick.limits.steps import GATE_LOOKS_MAX
from tallystick.messages import DealCustody, DecideStage, GateAnswer, GateOutcome, SightNotice
from tallystick.proof.reading import forget
from tallystick.store.blobs import behind
from tallystick.store.blobs.replicas import ReplicatedBlobs
from tallystick.store.cases.casefile import CaseFile, ClaimMovedOnError, load
from tallystick.store.database.session import database_now, reading, transaction
from tallystick.store.ledger.ledger import DecisionExistsError

_Read = dict[tuple[DepositedComponent, ...], SealedBytes]
"""What one run of the activity has read, by the signed components: it is never used for other bytes."""


@dataclass(frozen=True, kw_only=True)
class GateActivities:
    """The gate's activities. Only this process holds the decision key and the gate's shares.

    Attributes:
        keys: The decision key, and the identity that the gate's shares are sealed to.
        root_keys: The escrow agent's keys, from the gate's own settings.
        halted: Whether releases are halted now.
        clock: The gate host's own.
        database_clock: The database's own.
        tell: Called with each step that is done; a crash between any two is harmless.
        places: How many stages of one agreement are read at a time.
    """

    database: Engine
    blobs: ReplicatedBlobs
    keys: PrivateKeys = field(repr=False)
    journal: GateJournal
    root_keys: frozenset[PublicKey]
    halted: Callable[[], bool]
    clock: Callable[[], datetime] = now
    database_clock: Callable[[Session], datetime] = database_now
    tell: Callable[[str], None] = heartbeat
    places: Places = field(default_factory=lambda: Places(GATE_STEPS_EACH_MAX, ReadingBusyError))

    # Cancelled or not, a run is finished: it is never cut off between two of the four writes.
    @activity.defn(no_thread_cancel_exception=True)
    def decide_stage(self, ask: DecideStage) -> GateAnswer:
        """Decide whether a stage is released, and contribute to it if it is.

        Raises:
            ApplicationError: The record cannot be trusted or read, or something the gate needs is lost;
                nothing was decided, and the workflow asks again later: what is lost may be restored.
        """
        with crossing(), beating():
            claim, stage = digest(ask.claim), StageId(name(ask.stage))
            # A decision believes no earlier reading, not even this process's own.
            forget()
            read: _Read = {}
            for _ in range(GATE_LOOKS_MAX):
                # If something is recorded meanwhile, the rule is applied anew, to the bytes that were read.
                with suppress(ClaimMovedOnError, DecisionExistsError):
                    return self._decide(claim, stage, read)
            # Perhaps another run of this activity recorded its decision, and was stopped before it published.
            return self._decide_again(claim, stage)

    @activity.defn(no_thread_cancel_exception=True)
    def sight_notice(self, ask: SightNotice) -> str:
        """Sign when this gate saw the notice of a claim, unless it has; return the sighting's digest, or "".

        Raises:
            ApplicationError: Not this gate's agreement, a clock says that notice was not given yet, or
                nothing can be read or stored.
        """
        witness = Witness(
            database=self.database,
            keys=self.keys,
            root_keys=self.root_keys,
            clock=self.clock,
            tell=self.tell,
        )
        with crossing():
            return witness.sight(digest(ask.claim), ask.at) or ""

    @activity.defn(no_thread_cancel_exception=True)
    def deal(self, ask: DealCustody) -> str:
        """Deal a custody epoch to this gate, and return its statement's digest; repeating is harmless.

        Raises:
            ApplicationError: Not this gate's agreement, not the next epoch, or nothing can be stored.
        """
        dealer = Dealer(
            database=self.database,
            blobs=self.blobs,
            keys=self.keys,
            root_keys=self.root_keys,
            clock=self.clock,
            tell=self.tell,
        )
        with crossing():
            component = ComponentId(name(ask.component))
            return dealer.deal(AgreementId(name(ask.agreement)), component, ask.epoch)

    def _decide(self, claim: Digest, stage: StageId, read: _Read) -> GateAnswer:
        with reading(self.database) as session:
            case = load(session, claim)
            check_stages(case.claim, (stage,))
            progress = case.claim.progress(stage)
            if progress.decision is None:
                self._publisher.check_never_decided(claim, stage)
            record = see_surroundings(
                session,
                case,
                stage,
                remembered=self.journal.log_head(case.agreement.id),
                database_at=self.database_clock(session),
            )
        self.tell("record read")
        if progress.decision is not None:
            return self._repeat(case, stage, progress.decision)
        if progress.state is not StageState.QUORATE:
            return GateAnswer(outcome=GateOutcome.MOVED_ON)
        if record.log is not None:
            self.journal.remember_log(case.agreement.id, record.log)
        return self._decide_on(case, stage, record, self._see(case, stage, record, read))

    def _decide_again(self, claim: Digest, stage: StageId) -> GateAnswer:
        with reading(self.database) as session:
            case = load(session, claim)
        decision = case.claim.progress(stage).decision
        if decision is None:
            return GateAnswer(outcome=GateOutcome.MOVED_ON)
        return self._repeat(case, stage, decision)

    def _repeat(self, case: CaseFile, stage: StageId, decision: Digest) -> GateAnswer:
        self._publisher.repeat(case, stage, decision)
        return GateAnswer(outcome=GateOutcome.RELEASED, decision=decision)

    def _see(self, case: CaseFile, stage: StageId, record: Surroundings, read: _Read) -> SealedBytes:
        """Read the sealed bytes, unless this run has read the same ones: they may be terabytes."""
        components = tuple(stage_components(case, stage, record.deposit))
        if components not in read:
            with self.places.place(case.agreement.id):
                read[components] = see_sealed_bytes(self.blobs, components, tell=self.tell)
            self._note_behind(read[components].behind)
            self.tell("sealed bytes read")
        return read[components]

    def _note_behind(self, blobs: Sequence[Digest]) -> None:
        """Have the worker replace the bad copies in a store that the gate may not write."""
        if blobs:
            with transaction(self.database) as session:
                for blob in blobs:
                    behind.note_behind(session, blob, self.database_clock(session), lost=False)

    def _decide_on(
        self, case: CaseFile, stage: StageId, record: Surroundings, seen: SealedBytes
    ) -> GateAnswer:
        ruling = self._rule(case, stage, record, seen)
        if ruling.decision.released:
            return _answer(GateOutcome.RELEASED, self._releaser.release(case, ruling, record), ruling)
        return _answer(GateOutcome.REFUSED, self._releaser.refuse(case, ruling), ruling)

    def _rule(self, case: CaseFile, stage: StageId, record: Surroundings, seen: SealedBytes) -> TimedDecision:
        """Return a decision that every relevant moment supports: a release only if all of them allow it.

        The moments: the earlier of both clocks, so that neither alone ends a window; our own clock;
        and the later of both, so that neither alone keeps an approval alive. The decision is recorded
        no earlier than it was asked for: by a clock that is behind, the receiver's time would be over
        before it begins, and a refusal would be too old to be waited for. So the premises must hold at
        the recorded time, too.
        """
        with reading(self.database) as session:
            database_at = self.database_clock(session)
        halted, own = self.halted(), self.clock()
        asked_at = case.claim.progress(stage).since
        assert asked_at is not None, "that the quorum is reached is on record"
        moments = (min(own, record.database_at), own, max(own, asked_at), max(own, database_at))
        asked = [
            TimedDecision(
                decision=decide(
                    case.agreement,
                    case.claim,
                    stage,
                    sight_of(case, record, seen, at=at, root_keys=self.root_keys, halted=halted),
                ),
                decided_at=at,
                own=own,
                accepted_at=max(at, own, asked_at),
                repaired=seen.repaired,
            )
            for at in dict.fromkeys(moments)
        ]
        return next((ruling for ruling in asked if not ruling.decision.released), asked[0])

    @property
    def _publisher(self) -> Publisher:
        return Publisher(
            database=self.database, blobs=self.blobs, keys=self.keys, journal=self.journal, tell=self.tell
        )

    @property
    def _releaser(self) -> Releaser:
        return Releaser(
            database=self.database,
            blobs=self.blobs,
            keys=self.keys,
            journal=self.journal,
            publisher=self._publisher,
            root_keys=self.root_keys,
            tell=self.tell,
        )


def _answer(outcome: GateOutcome, envelope: Envelope, ruling: TimedDecision) -> GateAnswer:
    return GateAnswer(outcome=outcome, decision=statement_id(envelope), repaired=ruling.repaired)
