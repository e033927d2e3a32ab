"""A release claim, carried from filing to its end: over weeks, across every restart.

The workflow only schedules. What the claim *is* follows from the ledger's entries,
which it folds; what falls due is decided by `tallystick.domain.progress.due`; whether a
stage may go out is decided by the gate, which reads the ledger for itself. A run
that was lost is therefore resumed by starting it again: it goes on where the ledger
stands. Cancelling it, or ending it by force, releases nothing.
"""

import asyncio
import contextlib
from datetime import datetime, timedelta

from temporalio import workflow
from temporalio.exceptions import FailureError

from activities.gate.decide import GateActivities
from activities.ledger import LedgerActivities
from activities.notices.claim import NoticeActivities
from tallystick.crypto.envelope import Envelope, envelope_bytes, parse_envelope, statement_id
from tallystick.domain.acts.all import check_is_act
from tallystick.domain.admission.door import admit
from tallystick.domain.agreement.deadlines import CalendarExhaustedError
from tallystick.domain.claim.course import is_over, return_orders_end, stage_for_the_gate, stage_in_delivery
from tallystick.domain.claim.rules import Due
from tallystick.domain.claim.state import EventType
from tallystick.domain.errors import TallystickError
from tallystick.domain.ids import StageId
from tallystick.domain.kinds import Happening
from tallystick.domain.pauses import backoff
from tallystick.domain.progress.attempts import notice_due_at
from tallystick.domain.progress.due import due
from tallystick.domain.progress.moments import next_look
from tallystick.faults import crossing, to_failure
from tallystick.limits import (
    CLOCK_RETRY_MAX,
    CLOCK_RETRY_MIN,
    GATE_RETRY_MAX,
    GATE_RETRY_MIN,
    LATE_ASK_MAX,
    NOTICE_RETRY_MIN,
    PAGES_IN_A_TASK_BYTES_MAX,
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
    ReadSince,
    RecordAct,
    RecordHappening,
    Submission,
)
from tallystick.proof.reading import read_signed
from workflows import steps
from workflows.claim.alarm import Alarm
from workflows.claim.casebook import Casebook
from workflows.claim.history import HistorySize


@workflow.defn
class ReleaseWorkflow:
    """One claim; its id is `claim_workflow_id(digest)`, and is used once, for ever."""

    @workflow.init
    def __init__(self, start: ClaimStart) -> None:
        self._start = start
        self._book: Casebook | None = None
        self._refused: TallystickError | None = None
        self._asked = False
        self._deciding = asyncio.Lock()  # one act at a time is decided, recorded and believed
        self._nudged = False
        self._closing = False
        self._gate_at_work = False
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
            self._have_the_gate_decide_each_stage(),
        )
        await workflow.wait_condition(workflow.all_handlers_finished)
        if not self._is_over():
            workflow.continue_as_new(start)
        return self.state()

    @workflow.update
    async def submit(self, submission: Submission) -> Acknowledged:
        """Take a person's statement: once it is acknowledged, it is durable and counts.

        Raises:
            ApplicationError: The rule that refuses it.
        """
        self._asked = True
        with crossing():
            envelope = parse_envelope(submission.envelope.encode())
            await workflow.wait_condition(lambda: self._book is not None or self._refused is not None)
            async with self._deciding:
                return await self._take(envelope)

    @submit.validator
    def check_submission(self, submission: Submission) -> None:
        """Refuse, before anything is written, what the record as known refuses.

        While the gate is at work it may have recorded what is not known here yet; what
        depends on the claim's state is then left to the handler, which reads on.

        Raises:
            ApplicationError: The rule that refuses it.
        """
        with crossing():
            envelope = parse_envelope(submission.envelope.encode())
            if self._book is None or self._book.entry_of(statement_id(envelope)) is not None:
                return
            check_is_act(read_signed(envelope, self._book.agreement))
            if not self._gate_at_work:
                _check(self._book, envelope, at=steps.now())

    @workflow.signal
    async def look(self, _: ClaimLook) -> None:
        """Take a nudge: something that concerns the claim was recorded elsewhere."""
        self._nudged = True

    @workflow.query
    def state(self) -> str:
        """Return the claim's state as this run knows it; empty until the claim is on record."""
        return "" if self._book is None else self._book.claim.state.value

    # ------------------------------------------------------------------ the clauses, one after the other

    async def _put_the_claim_on_record(self) -> None:
        try:
            record = await steps.on_ledger(
                LedgerActivities.file_claim, FileClaim(start=self._start, at=steps.now())
            )
        except FailureError as failure:
            self._refused = steps.refusal_in(failure)
            await self._tell_whoever_asks()
            raise to_failure(self._refused) from None
        book = Casebook(record)
        await self._catch_up(book)
        self._book = book
        self._begun_with = HistorySize.now()

    async def _record_what_falls_due_until_the_claim_is_over(self) -> None:
        disagreed, alarm = 0, Alarm()
        while not self._is_over() and not self._has_grown_long():
            found = self._due()
            if found is None:
                await self._change(alarm, self._next_look())
            elif await self._record(found):
                disagreed = 0
            else:  # the database's clock is behind: that window is not over
                disagreed += 1
                again = steps.now() + backoff(disagreed, CLOCK_RETRY_MIN, CLOCK_RETRY_MAX)
                await self._change(alarm, again)
        self._closing = True

    async def _give_the_depositor_notice(self) -> None:
        alarm = Alarm()
        while not self._closing:
            owed_at = self._notice_due_at()
            if owed_at is None or owed_at > steps.now():
                await self._change(alarm, owed_at)
            elif not await self._notify():
                await self._change(alarm, steps.now() + NOTICE_RETRY_MIN)

    async def _have_the_gate_decide_each_stage(self) -> None:
        unanswered, alarm = 0, Alarm()
        # A run that was lost may have left the gate between its decision and its contribution.
        again = stage_in_delivery(self._case.claim)
        while not self._closing:
            stage = again or stage_for_the_gate(self._case.claim)
            if stage is None:
                await self._change(alarm, None)
            elif await self._ask_the_gate(stage):
                unanswered, again = 0, None
            else:
                unanswered += 1
                await self._change(alarm, steps.now() + backoff(unanswered, GATE_RETRY_MIN, GATE_RETRY_MAX))

    # ------------------------------------------------------------------ acts of persons

    async def _take(self, envelope: Envelope) -> Acknowledged:
        """Decide, record, then believe; if something else came first, decide again."""
        if self._refused is not None:
            raise self._refused
        book, statement = self._case, statement_id(envelope)
        while (entry := book.entry_of(statement)) is None:
            at = steps.now()
            try:
                _check(book, envelope, at=at)
            except TallystickError:
                if await self._catch_up(book):
                    continue
                raise
            await self._learn(await self._record_act(book, envelope, at))
        return book.acknowledgement_of(entry)

    async def _record_act(self, book: Casebook, envelope: Envelope, at: datetime) -> NewEntries:
        request = RecordAct(
            claim=book.claim.digest,
            agreement=book.agreement.id,
            envelope=_text(envelope),
            at=at,
            after=book.last_index,
        )
        try:
            return await steps.on_ledger(LedgerActivities.record_act, request)
        except FailureError as failure:
            raise steps.refusal_in(failure) from None

    async def _tell_whoever_asks(self) -> None:
        with contextlib.suppress(TimeoutError):
            await workflow.wait_condition(lambda: self._asked, timeout=LATE_ASK_MAX)
        # Whoever asks in the very moment in which the time is over is told too.
        await workflow.wait_condition(workflow.all_handlers_finished)

    # ------------------------------------------------------------------ what the engine does by itself

    async def _record(self, found: Due) -> bool:
        """Record what is due; say whether the record has changed, by that or by something else."""
        return await self._learn(await self._have_recorded(found))

    async def _record_repaired(self, lines: tuple[str, ...]) -> None:
        """Record which copies of sealed files the gate replaced, unless the claim has ended meanwhile."""
        found = Due(happening=Happening.REPLICA_REPAIRED, because=lines)
        recorded = False
        while not recorded and self._case.claim.may(EventType.REPLICA_REPAIRED):
            answer = await self._have_recorded(found)
            recorded = answer.recorded
            await self._learn(answer)

    async def _have_recorded(self, found: Due) -> NewEntries:
        book = self._case
        request = RecordHappening(
            claim=book.claim.digest,
            agreement=book.agreement.id,
            agreement_digest=book.terms.digest,
            happening=found.happening.value,
            at=steps.now(),
            after=book.last_index,
            stage=found.stage,
            until=found.until,
            cause=found.cause,
            because=found.because,
        )
        return await steps.on_ledger(LedgerActivities.record_happening, request)

    async def _notify(self) -> bool:
        """Have notice given; say whether the record has changed."""
        book = self._case
        request = GiveNotice(
            claim=book.claim.digest,
            agreement=book.agreement.id,
            agreement_digest=book.terms.digest,
            attempt=len(book.claim.notices) + 1,
            at=steps.now(),
            after=book.last_index,
        )
        return await self._learn(
            await workflow.execute_activity_method(NoticeActivities.give_notice, request, **steps.NOTICE)
        )

    async def _ask_the_gate(self, stage: StageId) -> bool:
        """Ask for a decision on `stage`, or for its contribution again; say whether it was answered.

        The gate may be away for days: the claim stays as it is, and acts go on. A
        question that no longer stands is taken back, but never after the decision.
        """
        book, known = self._case, self._case.last_index
        request = DecideStage(claim=book.claim.digest, agreement=book.agreement.id, stage=stage)
        answer = workflow.start_activity_method(GateActivities.decide_stage, request, **steps.GATE)
        self._gate_at_work = True
        try:
            await workflow.wait_condition(lambda: answer.done() or self._no_longer_asked(stage))
            if not answer.done():
                answer.cancel()
                return True
            given = await answer
            await self._catch_up(book)
            if given.repaired:
                await self._record_repaired(given.repaired)
        except FailureError as failure:
            workflow.logger.error("the gate could not decide: %s", steps.refusal_in(failure).code)
            return False
        finally:
            self._gate_at_work = False
        return given.outcome is GateOutcome.RELEASED or book.last_index > known

    def _no_longer_asked(self, stage: StageId) -> bool:
        claim = self._case.claim
        if claim.progress(stage).decision is not None:
            return False
        return self._closing or stage_for_the_gate(claim) != stage

    # ------------------------------------------------------------------ what is known, and until when

    @property
    def _case(self) -> Casebook:
        assert self._book is not None, "asked before the claim was on record"
        return self._book

    async def _learn(self, answer: NewEntries) -> bool:
        """Take in the answer, and whatever did not fit into it; say whether anything was new."""
        book, known = self._case, self._case.last_index
        book.learn(answer.entries)
        if answer.entries and len(answer.entries) > 1:
            await self._catch_up(book)
        return book.last_index > known

    async def _catch_up(self, book: Casebook) -> bool:
        """Read on until the ledger has nothing more about the claim; say whether anything was new."""
        known, read = book.last_index, steps.on_ledger
        while True:
            request = ReadSince(claim=book.claim.digest, agreement=book.agreement.id, after=book.last_index)
            page = await read(LedgerActivities.read_since, request)
            book.learn(page.entries)
            if not page.entries:
                return book.last_index > known
            if sum(len(entry.envelope) for entry in page.entries) > PAGES_IN_A_TASK_BYTES_MAX:
                read = steps.queued  # a task's answers go to Temporal in one message, of 4 MB at most

    async def _change(self, alarm: Alarm, moment: datetime | None) -> None:
        """Wait until the record changes, somebody nudges, or `moment` comes; without one, people end it."""
        known = self._case.last_index
        alarm.set(moment)
        await workflow.wait_condition(
            lambda: self._nudged or self._closing or alarm.rings() or self._case.last_index != known
        )
        if self._nudged:
            self._nudged = False
            await self._catch_up(self._case)

    def _has_grown_long(self) -> bool:
        """Say whether a fresh run should go on; what any run begins with is no reason for one."""
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
            # No deadline can be told; people still can act, and end it.
            workflow.logger.error("a deadline lies beyond a calendar: %s", error)
            return None

    def _next_look(self) -> datetime | None:
        agreement, claim = self._case.agreement, self._case.claim
        try:
            limit = return_orders_end(agreement, claim)
            end = None if limit is None else limit.at + timedelta(seconds=1)
            look = next_look(agreement, claim, at=steps.now())
        except CalendarExhaustedError:
            return None
        return min((moment for moment in (look, end) if moment is not None), default=None)

    def _notice_due_at(self) -> datetime | None:
        return notice_due_at(self._case.agreement, self._case.claim)


def _check(book: Casebook, envelope: Envelope, *, at: datetime) -> None:
    """Refuse a statement that may not be recorded now.

    Raises:
        TallystickError: The rule that refuses it.
    """
    signed = read_signed(envelope, book.agreement)
    check_is_act(signed)
    admit(book.agreement, book.claim, signed, at=at)


def _text(envelope: Envelope) -> str:
    return envelope_bytes(envelope).decode()
