"""The gate: decides on a stage once, for ever, and only then gives its share away.

It believes nobody: it reads the raw record, verifies every signature, folds the claim
anew, reads every sealed byte, hashes the whole log, looks at its own clock, and asks
the one release decision. The order of its writes is the order of safety:

1. the contribution, in its own journal: what is given is the same whenever it is given;
2. the decision, in the ledger, if nothing was recorded meanwhile;
3. the decision, remembered in its own journal: a ledger that was rolled back is noticed;
4. the contribution, in the blob stores, for the receiver.

It may be stopped between any two of them, and asked again.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import Engine
from sqlmodel import Session
from temporalio import activity

from activities.gate.deal import Dealer
from activities.gate.gate import check_gate, note_blob
from activities.gate.journal import GateJournal, KeptContribution
from activities.gate.sight import BytesSeen, RecordSeen, see_bytes, see_record, sight_of, stage_components
from activities.heartbeats import beating, heartbeat
from tallystick.crypto import age
from tallystick.crypto.custody import gate
from tallystick.crypto.envelope import Envelope, new_nonce, sign, statement_id
from tallystick.crypto.json.canonical import sha256_digest
from tallystick.crypto.keyfile import PrivateKeys
from tallystick.domain.admission.door import admit
from tallystick.domain.authorship.authors import check_stages
from tallystick.domain.claim.claim import Claim
from tallystick.domain.claim.state import StageState
from tallystick.domain.errors import TallystickError
from tallystick.domain.ids import (
    AgreementId,
    ComponentId,
    Digest,
    PublicKey,
    StageId,
    digest,
    gate_person,
    name,
)
from tallystick.domain.kinds import Kind
from tallystick.domain.release.decision import Decision, decide
from tallystick.domain.statements.custody import Custody
from tallystick.domain.statements.deposits import DepositedComponent
from tallystick.domain.statements.engine import DecisionStatement, PremiseVerdict
from tallystick.domain.statements.header import Contribution
from tallystick.domain.statements.signed import expect, write_body
from tallystick.faults import crossing
from tallystick.limits import GATE_LOOKS_MAX, TEXT_LENGTH_MAX
from tallystick.messages import DealCustody, DecideStage, GateAnswer, GateOutcome
from tallystick.proof.reading import forget, read_signed
from tallystick.store.blobs.replicas import NoGoodReplicaError, ReplicatedBlobs
from tallystick.store.cases.casefile import CaseFile, ClaimMovedOnError, check_head, load
from tallystick.store.database.session import database_now, reading, transaction
from tallystick.store.ledger import ledger
from tallystick.store.ledger.ledger import DecisionExistsError

CONTRIBUTION_PURPOSE: Final = "contribution"
"""The purpose under which the gate's contributions are noted: the claimant may fetch them."""

SEALED_BYTES: Final = "sealed-bytes-match"

_BytesRead = dict[tuple[DepositedComponent, ...], BytesSeen]
"""What one run of the activity has read, by what the depositor signed of it: never for other bytes."""


class ContributionLostError(TallystickError):
    """A stage was decided, and what the gate contributed to it is nowhere any more."""

    code = "contribution-lost"
    why = "A stage is decided once, for ever, and the decision names the very bytes that were contributed."
    advice = (
        "Restore the gate's journal, or one blob store, from a backup; if there is none, the claimant files "
        "a new claim. The gate never decides this stage again."
    )


class DecisionForgottenError(TallystickError):
    """The gate remembers a decision that the ledger doesn't have: the ledger was rolled back."""

    code = "decision-forgotten"
    why = "The gate decided this stage before and may have given its share away; it never decides it again."
    advice = "Restore the database to a state that has the decision; compare it with witnesses' checkpoints."


class ShareUnusableError(TallystickError):
    """The gate's own share of a component can't be opened, or isn't the one that was dealt."""

    code = "share-unusable"
    why = "What the gate would contribute wouldn't open the component, so nothing was decided."
    advice = "Restore the gate's key file or the stored share from a backup, then ask again."


def now() -> datetime:
    """Return the time by this host's clock: aware UTC, whole seconds."""
    return datetime.now(UTC).replace(microsecond=0)


@dataclass(frozen=True, kw_only=True)
class GateActivities:
    """The gate's activities. Only this process holds the decision key and the gate's shares.

    Attributes:
        keys: The decision key, and the identity that the gate's shares are sealed to.
        root_keys: The escrow agent's keys, from the gate's own settings.
        halted: Whether releases are halted now.
        clock: The gate host's own.
        database_clock: The database's own.
        tell: Told each step that is done; whoever stops the gate there finds it repeatable.
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

    # Taken back or not, what has begun is finished: nothing is cut off between two of the four writes.
    @activity.defn(no_thread_cancel_exception=True)
    def decide_stage(self, ask: DecideStage) -> GateAnswer:
        """Decide whether a stage is released, and contribute to it if it is.

        Raises:
            ApplicationError: The record can't be trusted or read, or something the gate needs is lost;
                nothing was decided, and the workflow asks again later: what is lost may be restored.
        """
        with crossing(), beating():
            claim, stage = digest(ask.claim), StageId(name(ask.stage))
            # A decision believes no earlier reading, not even this process's own.
            forget()
            read: _BytesRead = {}
            for _ in range(GATE_LOOKS_MAX):
                # Whatever is recorded meanwhile, the rule is applied anew; the bytes stay as they were read.
                with suppress(ClaimMovedOnError, DecisionExistsError):
                    return self._decide(claim, stage, read)
            # Perhaps by a decision of another run of this activity, stopped before it published.
            return self._decide_again(claim, stage)

    @activity.defn(no_thread_cancel_exception=True)
    def deal(self, ask: DealCustody) -> str:
        """Deal a custody epoch to this gate, and return its statement's digest; again is harmless.

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

    def _decide(self, claim: Digest, stage: StageId, read: _BytesRead) -> GateAnswer:
        with reading(self.database) as session:
            case = load(session, claim)
            check_stages(case.claim, (stage,))
            progress = case.claim.progress(stage)
            if progress.decision is None:
                self._check_never_decided(claim, stage)
            record = see_record(
                session,
                case,
                stage,
                remembered=self.journal.seen_log(case.agreement.id),
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

    def _see(self, case: CaseFile, stage: StageId, record: RecordSeen, read: _BytesRead) -> BytesSeen:
        """Read the sealed bytes, unless this run has read these very ones: they may be terabytes."""
        components = tuple(stage_components(case, stage, record.deposit))
        if components not in read:
            read[components] = see_bytes(self.blobs, components, tell=self.tell)
            self.tell("sealed bytes read")
        return read[components]

    def _decide_on(self, case: CaseFile, stage: StageId, record: RecordSeen, seen: BytesSeen) -> GateAnswer:
        ruling = self._rule(case, stage, record, seen)
        if ruling.decision.released:
            return self._release(case, ruling, record)
        envelope = self._statement(case, ruling, ())
        self._append(case, envelope, ruling.accepted_at)
        self.tell("refusal recorded")
        return _answer(GateOutcome.REFUSED, envelope, ruling)

    def _rule(self, case: CaseFile, stage: StageId, record: RecordSeen, seen: BytesSeen) -> "_Ruling":
        """Decide by the earlier of both clocks, so that neither alone ends a window; then by our own.

        It is recorded no earlier than it was asked for: by a clock that is behind, the receiver's
        time would be over before it begins, and a refusal would be too old to be waited for. So
        the premises have to hold at that moment too; and by the later of both clocks, so that
        neither alone keeps an approval alive.
        """
        with reading(self.database) as session:
            database_at = self.database_clock(session)
        halted, own = self.halted(), self.clock()
        asked_at = case.claim.progress(stage).since
        assert asked_at is not None, "that the quorum is reached is on record"
        moments = (min(own, record.database_at), own, max(own, asked_at), max(own, database_at))
        asked = [
            _Ruling(
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

    def _release(self, case: CaseFile, ruling: "_Ruling", record: RecordSeen) -> GateAnswer:
        check_gate(case.signed, self.keys, self.root_keys)
        claim, stage = case.claim, ruling.decision.stage
        made = self.journal.contributions(claim.digest, stage)
        if made is None:
            made = tuple(self._contribute(claim, body) for body in record.custody.values())
            self.tell("contributions made")
        # Kept again even when it was found: a run that was stopped may not have made it durable.
        kept = self.journal.keep_contributions(claim.digest, stage, made)
        self.tell("contributions kept")
        envelope = self._statement(case, ruling, kept)
        self._append(case, envelope, ruling.accepted_at)
        self.tell("decision recorded")
        self._publish(case, stage, statement_id(envelope), kept)
        return _answer(GateOutcome.RELEASED, envelope, ruling)

    def _publish(
        self, case: CaseFile, stage: StageId, decision: Digest, kept: Sequence[KeptContribution]
    ) -> None:
        self.journal.remember_decision(case.claim.digest, stage, decision)
        self.tell("decision remembered")
        for one in kept:
            self._store(one.sealed)
            self.tell(f"contribution to {one.component} stored")
        with transaction(self.database) as session:
            for one in kept:
                note_blob(session, case.agreement.id, one.sealed, CONTRIBUTION_PURPOSE, self.keys)
        self.tell("contributions noted")

    def _repeat(self, case: CaseFile, stage: StageId, decision: Digest) -> GateAnswer:
        """Give again what was given, or was about to be: byte for byte what the decision names."""
        self._check_never_decided(case.claim.digest, stage, but=decision)
        named = _named_contributions(case.claim, decision)
        kept = self.journal.contributions(case.claim.digest, stage)
        if kept is not None and _as_named(kept) == named:
            self._publish(case, stage, decision, kept)
        else:
            self._check_stored(case.claim, stage, named)
        return GateAnswer(outcome=GateOutcome.RELEASED, decision=decision)

    def _check_stored(self, claim: Claim, stage: StageId, named: Sequence[Contribution]) -> None:
        """Make do with what is in the stores: the journal is lost, and nothing is made anew."""
        for one in named:
            try:
                self.blobs.repair(one.sealed_digest)
            except NoGoodReplicaError as error:
                raise ContributionLostError(
                    "decided, and the contribution is lost",
                    claim=claim.digest,
                    stage=stage,
                    component=one.component,
                ) from error

    def _check_never_decided(self, claim: Digest, stage: StageId, *, but: Digest | None = None) -> None:
        if (remembered := self.journal.decision(claim, stage)) not in {None, but}:
            raise DecisionForgottenError(
                "the ledger lacks this gate's decision", claim=claim, stage=stage, decision=remembered
            )

    def _contribute(self, claim: Claim, body: Custody) -> KeptContribution:
        (stored,) = (share for share in body.shares if share.leaf == gate.GATE_LEAF)
        try:
            sealed = b"".join(self.blobs.open_verified(stored.sealed_digest).chunks)
            share = gate.gate_share(body, sealed, age.parse_identity(self.keys.age_identity))
        except TallystickError as error:
            raise ShareUnusableError(
                "the gate's share can't be used", component=body.component, epoch=body.epoch, found=error.code
            ) from error
        recipient = age.parse_recipient(claim.filing.recipient)
        made = gate.contribute(share, body, claim=claim.digest, recipient=recipient)
        return KeptContribution(component=body.component, leaf=gate.GATE_LEAF, sealed=made)

    def _statement(self, case: CaseFile, ruling: "_Ruling", kept: Sequence[KeptContribution]) -> Envelope:
        by = gate_person(case.agreement.deployment)
        body = DecisionStatement(
            **case.signed.terms.header(by, ruling.own, new_nonce()),
            claim=case.claim.digest,
            stage=ruling.decision.stage,
            released=ruling.decision.released,
            decided_at=ruling.decided_at,
            record=case.claim.record_digest,
            premises=tuple(_told(verdict, ruling.repaired) for verdict in ruling.decision.premises),
            contributions=_as_named(kept),
        )
        return sign(Kind.DECISION, write_body(body), [self.keys.signing_key])

    def _append(self, case: CaseFile, envelope: Envelope, at: datetime) -> None:
        """Record a decision if the record is still the one it was made on.

        Raises:
            ClaimMovedOnError: It has grown.
            DecisionExistsError: The stage was decided meanwhile.
        """
        agreement, claim = case.agreement, case.claim
        signed = expect(read_signed(envelope, agreement), DecisionStatement)
        admit(agreement, claim, signed, at=at)
        decided = (claim.digest, signed.body.stage) if signed.body.released else None
        known = max(entry.index for entry in case.raw)
        with transaction(self.database) as session:
            check_head(session, agreement.id, claim.digest, after=known)
            ledger.append(session, agreement.id, envelope, at, claim=claim.digest, decision=decided)

    def _store(self, data: bytes) -> None:
        self.blobs.put(sha256_digest(data), len(data), lambda: [data])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ruling:
    """The decision, by which moment it was made, and what the gate's own clock says.

    Attributes:
        accepted_at: What the record will hold: never before the decision was asked for, or made.
        repaired: What was found bad among the sealed bytes, and replaced.
    """

    decision: Decision
    decided_at: datetime
    own: datetime
    accepted_at: datetime
    repaired: tuple[str, ...]


def _answer(outcome: GateOutcome, envelope: Envelope, ruling: _Ruling) -> GateAnswer:
    return GateAnswer(outcome=outcome, decision=statement_id(envelope), repaired=ruling.repaired)


def _told(verdict: PremiseVerdict, repaired: Sequence[str]) -> PremiseVerdict:
    """Return a verdict as it is recorded: short enough, and with what was repaired on the way."""
    more = repaired if verdict.premise == SEALED_BYTES else ()
    return replace(verdict, found="; ".join([verdict.found, *more])[:TEXT_LENGTH_MAX])


def _named_contributions(claim: Claim, decision: Digest) -> tuple[Contribution, ...]:
    (found,) = (body for entry, body in claim.entries_of(DecisionStatement) if entry.signed.id == decision)
    return found.contributions


def _as_named(kept: Sequence[KeptContribution]) -> tuple[Contribution, ...]:
    return tuple(
        Contribution(component=one.component, leaf=one.leaf, sealed_digest=sha256_digest(one.sealed))
        for one in kept
    )
