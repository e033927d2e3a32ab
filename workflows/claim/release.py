"""A release claim, carried from filing to its end: over weeks, across every restart.

The workflow only schedules. What the claim *is* follows from the ledger's entries,
which it folds; `tallystick.domain.progress.due` decides what falls due; the gate, which
reads the ledger for itself, decides whether a stage may be released. A run that was lost
is therefore resumed by starting it again: it continues from what the ledger says.
Cancelling it, or ending it by force, releases nothing.
"""

import asyncio
from datetime import datetime, timedelta

from temporalio import workflow
from temporalio.exceptions import FailureError

from activities.gate.decide import GateActivities
from activities.ledger import LedgerActivities
from activities.notices.claim import NoticeActivities
from tallystick.crypto.envelope import statement_id
from tallystick.domain.acts.all import check_is_act
from tallystick.domain.agreement.deadlines import CalendarExhaustedError
from tallystick.domain.claim.course import is_over, return_orders_end, stage_for_the_gate, stage_in_delivery
from tallystick.domain.claim.rules import Due
from tallystick.domain.claim.state import EventType
from tallystick.domain.errors import TallystickError
from tallystick.domain.ids import StageId
from tallystick.domain.instants import plus
from tallystick.domain.kinds import Happening
from tallystick.domain.notice.sighting import to_be_sighted
from tallystick.domain.pauses import backoff
from tallystick.domain.progress.attempts import notice_due_at
from tallystick.domain.progress.due import due
from tallystick.domain.progress.moments import next_look
from tallystick.faults import crossing, to_failure
from tallystick.limits.steps import (
    CLOCK_RETRY_MAX,
    CLOCK_RETRY_MIN,
    GATE_RETRY_MAX,
    GATE_RETRY_MIN,
    NOTICE_RETRY_MIN,
)
from tallystick.messages import (
    Acknowledged,
    ClaimLook,
    ClaimStart,
    DecideStage,
    FileClaim,
    GateOutcome,
    GiveNotice,
    NewEntries,
    RecordHappening,
    SightNotice,
    Submission,
)
from tallystick.proof.reading import read_signed
from workflows import steps
from workflows.claim import acts, news
from workflows.claim.alarm import Alarm
from workflows.claim.casebook import Casebook
from workflows.claim.history import HistorySize


@workflow.defn
class ReleaseWorkflow:
    """One claim; its id is `claim_workflow_id(digest)`, and is used only once."""

    @workflow.init
    def __init__(self, start: ClaimStart) -> None:
        self._start = start
        self._on_record: Casebook | None = None
        self._refused: TallystickError | None = None
        self._deciding = asyncio.Lock()  # one act at a time is decided, recorded and believed
        self._nudged = False
        self._closing = False
        self._begun_with = HistorySize.now()

    @workflow.run
    async def run(self, start: ClaimStart) -> str:
        """Carry the claim to its end, and return the state that it ended in.

        Raises:
            ApplicationError: The claim was refused at filing; the failure says by which rule.
        """
        await self._put_the_claim_on_record()
        await asyncio.gather(
            self._record_what_falls_due_until_the_claim_is_over(),
            self._give_the_depositor_notice(),
            self._have_the_gate_witness_the_notice(),
            self._have_the_gate_decide_each_stage(),
        )
        await workflow.wait_condition(workflow.all_handlers_finished)
        if not self._is_over():
            workflow.continue_as_new(start)
        return self.state()

    @workflow.update
    async def file(self) -> Acknowledged:
        """Return once the claim is on record; the run puts it there.

        Raises:
            ApplicationError: The rule that refuses the claim.
        """
        with crossing():
            case = await self._filed()
            entry = case.entry_of(case.claim.digest)
            assert entry is not None, "a claim's record begins with its filing"
            return case.acknowledgement_of(entry)

    @workflow.update
    async def submit(self, submission: Submission) -> Acknowledged:
        """Take a person's statement: once it is acknowledged, it is durable and counts.

        Raises:
            ApplicationError: The rule that refuses it.
        """
        with crossing():
            envelope = acts.envelope_in(submission)
            case = await self._filed()
            async with self._deciding:
                return await acts.accept(case, envelope)

    @submit.validator
    def check_submission(self, submission: Submission) -> None:
        """Refuse, before anything is written, what is not a statement of a person of the agreement.

        The handler applies every other rule, under the lock and with all that is on record.

        Raises:
            ApplicationError: It is malformed, not an act, or signed by another key.
        """
        with crossing():
            envelope = acts.envelope_in(submission)
            case = self._on_record
            if case is not None and case.entry_of(statement_id(envelope)) is None:
                check_is_act(read_signed(envelope, case.agreement))

    @workflow.signal
    async def look(self, _: ClaimLook) -> None:
        """Take a nudge: something that concerns the claim was recorded elsewhere."""
        self._nudged = True

    @workflow.query
    def state(self) -> str:
        """Return the claim's state as this run knows it; empty until the claim is on record."""
        return "" if self._on_record is None else self._case.claim.state.value

    # ------------------------------------------------------------------ the clauses, one after the other

    async def _put_the_claim_on_record(self) -> None:
        try:
            record = await steps.on_ledger(
                LedgerActivities.file_claim, FileClaim(start=self._start, at=steps.now())
            )
        except FailureError as failure:
            self._refused = steps.refusal_in(failure)
            await workflow.wait_condition(workflow.all_handlers_finished)
            raise to_failure(self._refused) from None
        case = Casebook(record)
        await news.catch_up(case)
        self._on_record = case
        self._begun_with = HistorySize.now()

    async def _record_what_falls_due_until_the_claim_is_over(self) -> None:
        disagreed, alarm = 0, Alarm()
        while not self._is_over() and not self._has_grown_long():
            owed = self._due()
            if owed is None:
                await self._wait_for_change(alarm, self._next_look())
            elif await self._record(owed):
                disagreed = 0
            else:  # by the database's clock, which is behind, the window is not over
                disagreed += 1
                again = steps.now() + backoff(disagreed, CLOCK_RETRY_MIN, CLOCK_RETRY_MAX)
                await self._wait_for_change(alarm, again)
        self._closing = True

    async def _give_the_depositor_notice(self) -> None:
        alarm = Alarm()
        while not self._closing:
            owed_at = notice_due_at(self._case.agreement, self._case.claim)
            if owed_at is None or owed_at > steps.now():
                await self._wait_for_change(alarm, owed_at)
            elif not await self._notify():
                await self._wait_for_change(alarm, steps.now() + NOTICE_RETRY_MIN)

    async def _have_the_gate_witness_the_notice(self) -> None:
        unanswered, alarm = 0, Alarm()
        while not self._closing:
            if to_be_sighted(self._case.agreement, self._case.claim) is None:
                unanswered = 0
                await self._wait_for_change(alarm, None)
            elif not await self._show_the_gate():
                unanswered += 1
                await self._wait_for_change(alarm, _gate_again(unanswered))

    async def _have_the_gate_decide_each_stage(self) -> None:
        unanswered, alarm = 0, Alarm()
        # The gate may have decided and not contributed yet when an earlier run was lost.
        again = stage_in_delivery(self._case.claim)
        while not self._closing:
            stage = again or stage_for_the_gate(self._case.claim)
            if stage is None:
                await self._wait_for_change(alarm, None)
            elif await self._ask_the_gate(stage):
                unanswered, again = 0, None
            else:
                unanswered += 1
                await self._wait_for_change(alarm, _gate_again(unanswered))

    # ------------------------------------------------------------------ what the engine does by itself

    async def _record(self, owed: Due) -> bool:
        """Record what is due; return whether the record has changed, by that or by something else."""
        return await news.take_in(self._case, await self._have_recorded(owed))

    async def _record_repaired(self, lines: tuple[str, ...]) -> None:
        """Record which copies of sealed files the gate replaced, unless the claim has ended meanwhile."""
        owed = Due(happening=Happening.REPLICA_REPAIRED, because=lines)
        recorded = False
        while not recorded and self._case.claim.may(EventType.REPLICA_REPAIRED):
            answer = await self._have_recorded(owed)
            recorded = answer.recorded
            await news.take_in(self._case, answer)

    async def _have_recorded(self, owed: Due) -> NewEntries:
        case = self._case
        request = RecordHappening(
            claim=case.claim.digest,
            agreement=case.agreement.id,
            happening=owed.happening,
            at=steps.now(),
            after=case.last_index,
            stage=owed.stage,
            until=owed.until,
            cause=owed.cause,
            because=owed.because,
        )
        return await steps.on_ledger(LedgerActivities.record_happening, request)

    async def _notify(self) -> bool:
        """Have notice given; return whether the record has changed."""
        case = self._case
        request = GiveNotice(
            claim=case.claim.digest,
            agreement=case.agreement.id,
            attempt=len(case.claim.notices) + 1,
            at=steps.now(),
            after=case.last_index,
        )
        answer = await workflow.execute_activity_method(NoticeActivities.give_notice, request, **steps.NOTICE)
        return await news.take_in(case, answer)

    async def _show_the_gate(self) -> bool:
        """Have the gate sign when it saw the notice; while it is away, the window grows."""
        request = SightNotice(claim=self._case.claim.digest, at=steps.now())
        answer = workflow.start_activity_method(GateActivities.sight_notice, request, **steps.WITNESS)
        try:
            if not await steps.answered(answer, unless=lambda: self._closing):
                return True
            await answer
        except FailureError as failure:
            workflow.logger.error("the gate could not see the notice: %s", steps.refusal_in(failure).code)
            return False
        return await news.catch_up(self._case)

    async def _ask_the_gate(self, stage: StageId) -> bool:
        """Ask for a decision on `stage`, or for its contribution again; return whether it was answered.

        The gate may be away for days: the claim stays as it is, and acts are still accepted. A
        question that no longer matters is taken back, but never after the decision.
        """
        case, known = self._case, self._case.last_index
        request = DecideStage(claim=case.claim.digest, stage=stage)
        answer = workflow.start_activity_method(GateActivities.decide_stage, request, **steps.GATE)
        try:
            if not await steps.answered(answer, unless=lambda: self._no_longer_asked(stage)):
                return True
            given = await answer
            await news.catch_up(case)
            if given.repaired:
                await self._record_repaired(given.repaired)
        except FailureError as failure:
            workflow.logger.error("the gate could not decide: %s", steps.refusal_in(failure).code)
            return False
        return given.outcome is GateOutcome.RELEASED or case.last_index > known

    def _no_longer_asked(self, stage: StageId) -> bool:
        claim = self._case.claim
        if claim.progress(stage).decision is not None:
            return False
        return self._closing or stage_for_the_gate(claim) != stage

    # ------------------------------------------------------------------ what is known, and until when

    @property
    def _case(self) -> Casebook:
        assert self._on_record is not None, "asked before the claim was on record"
        return self._on_record

    async def _filed(self) -> Casebook:
        """Return the case once the claim is on record, or raise the rule that refused it."""
        await workflow.wait_condition(lambda: self._on_record is not None or self._refused is not None)
        if self._refused is not None:
            raise self._refused
        return self._case

    async def _wait_for_change(self, alarm: Alarm, moment: datetime | None) -> None:
        """Wait for a change of the record, a nudge, or `moment`; without one, only people end the wait."""
        known = self._case.last_index
        alarm.set(moment)
        await workflow.wait_condition(
            lambda: self._nudged or self._closing or alarm.rings() or self._case.last_index != known
        )
        if self._nudged:
            self._nudged = False
            await news.catch_up(self._case)

    def _has_grown_long(self) -> bool:
        """Return whether a fresh run should take over; what every run begins with does not count."""
        suggested = workflow.info().is_continue_as_new_suggested()
        return suggested and HistorySize.now().is_worth_a_fresh_run(self._begun_with)

    def _is_over(self) -> bool:
        try:
            return is_over(self._case.agreement, self._case.claim, at=steps.now())
        except CalendarExhaustedError:
            return False

    def _due(self) -> Due | None:
        try:
            return due(self._case.agreement, self._case.claim, at=steps.now())
        except CalendarExhaustedError as error:
            # No deadline can be computed; people can still act, and end the claim.
            workflow.logger.error("a deadline lies beyond a calendar: %s", error)
            return None

    def _next_look(self) -> datetime | None:
        agreement, claim = self._case.agreement, self._case.claim
        try:
            limit = return_orders_end(agreement, claim)
            end = None if limit is None else plus(limit.at, timedelta(seconds=1))
            look = next_look(agreement, claim, at=steps.now())
        except CalendarExhaustedError:
            return None
        return min((moment for moment in (look, end) if moment is not None), default=None)


def _gate_again(unanswered: int) -> datetime:
    return steps.now() + backoff(unanswered, GATE_RETRY_MIN, GATE_RETRY_MAX)
