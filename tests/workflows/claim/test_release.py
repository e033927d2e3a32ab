"""A whole claim on a real Temporal server, with a real ledger and the real gate; only time is skipped."""

import asyncio
import gc
import sqlite3
from collections.abc import Awaitable
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowExecutionStatus, WorkflowFailureError, WorkflowUpdateFailedError

from activities.notices.post import Post
from tallystick.crypto.keys import SigningKey
from tallystick.domain.claim.claim import Claim
from tallystick.domain.claim.state import ClaimState, StageState
from tallystick.domain.errors import MalformedError, TallystickError
from tallystick.domain.ids import Digest
from tallystick.domain.kinds import Kind, ReceiptOutcome
from tallystick.domain.statements.acts import Approval, Denial, Hold, Intake, Retraction
from tallystick.domain.statements.engine import DecisionStatement, Event, Sighting
from tallystick.domain.statements.filing import ClaimFiling
from tallystick.domain.statements.keys import KeyRevocation
from tallystick.faults import from_failure
from tallystick.limits.documents import TEXT_LENGTH_MAX
from tallystick.messages import (
    CLAIMS_QUEUE,
    Acknowledged,
    ClaimLook,
    ClaimStart,
    Submission,
    claim_workflow_id,
)
from tallystick.store.database.session import reading
from tallystick.store.ledger import checkpoints
from tests.support.sites.temporal import ROUND, SECOND, Story
from tests.support.worlds.agreements import (
    ABE,
    ANA,
    BEA,
    DORA,
    KIM,
    LETTER_KEY,
    PEOPLE,
    TOM,
    agreement,
    quorum,
)
from workflows.claim.release import ReleaseWorkflow

MOMENT = timedelta(milliseconds=600)


async def in_window(story: Story) -> Claim:
    """Bring a claim as far as its objection window."""
    await story.files()
    await story.accepts()
    await story.comes_to(lambda claim: bool(claim.notices))
    await story.acknowledges()
    return await story.comes_to_be("WINDOW")


async def after_window(story: Story) -> Claim:
    claim = await in_window(story)
    assert claim.window_until is not None
    await story.until(claim.window_until + 2 * SECOND)
    return await story.comes_to(lambda claim: claim.window_ended_at is not None)


async def refusal_of(act: Awaitable[Acknowledged]) -> str:
    with pytest.raises(TallystickError) as raised:
        await act
    return raised.value.code


def decisions(claim: Claim) -> list[DecisionStatement]:
    return [body for _, body in claim.entries_of(DecisionStatement)]


async def test_claim_is_carried_over_ten_business_days_to_its_release(story: Story) -> None:
    async with story.carried():
        filed = await story.files()
        assert filed.state == ClaimState.FILED
        assert (await story.accepts()).state == ClaimState.ACCEPTED
        await story.comes_to(lambda claim: bool(claim.notices))
        await story.acknowledges()
        opened = await story.comes_to_be("WINDOW")
        for person in (ANA, KIM, TOM):
            await story.approves(person)
        assert opened.window_until is not None
        assert opened.window_until - opened.filed_at >= timedelta(days=13)
        await story.until(opened.window_until)
        assert story.on_record().state is ClaimState.WINDOW
        await story.passes(2 * SECOND)
        await story.comes_to_be("PROVISIONING")
        await story.reports("critical")
        released = await story.comes_to_be("RELEASED")
        assert [stage.state for stage in released.stages] == [StageState.ACTIVATED]
        assert [decision.released for decision in decisions(released)] == [True]
        assert await story.ends() == "RELEASED"
    with reading(story.world.database) as session:
        assert checkpoints.latest_checkpoint(session, story.world.agreement.id) is not None


async def test_stages_go_out_one_after_the_other_and_provisional_access_before_the_window_ends(
    story: Story,
) -> None:
    async with story.carried():
        await story.files(stages=("provisional", "critical", "source"))
        await story.accepts()
        await story.approves(ANA, "provisional")
        await story.approves(KIM, "provisional")
        await story.comes_to(lambda claim: claim.stages[0].state is StageState.DECIDED)
        await story.acknowledges()
        await story.reports("provisional")
        claim = await story.comes_to(lambda claim: claim.window_until is not None)
        assert claim.window_until is not None
        await story.until(claim.window_until + 2 * SECOND)
        await story.comes_to_be("APPROVAL")
        for person in (ABE, KIM, TOM):
            await story.approves(person, "critical", "source")
        await story.comes_to_be("PROVISIONING")
        await story.reports("critical")
        assert (await story.comes_to_be("APPROVAL")).stages[2].state is StageState.WAITING
        await story.passes(timedelta(days=3))  # two business days
        await story.comes_to_be("PROVISIONING")
        await story.reports("source", ReceiptOutcome.FAILED)
        claim = await story.comes_to_be("ROLLING_BACK")
        for stage in ("source", "critical", "provisional"):
            await story.reports(stage, ReceiptOutcome.ROLLED_BACK)
        await story.comes_to_be("ROLLED_BACK")
        assert await story.ends() == "ROLLED_BACK"


async def test_objection_in_the_last_second_stops_the_claim(story: Story) -> None:
    async with story.carried():
        claim = await in_window(story)
        for person in (ANA, KIM, TOM):
            await story.approves(person)
        assert claim.window_until is not None
        await story.until(claim.window_until - MOMENT)
        objected = await story.objects()
        assert objected.accepted_at <= claim.window_until
        assert objected.state == ClaimState.CONTESTED
        await story.passes(timedelta(days=90))
        contested = await story.comes_to(lambda claim: claim.window_ended_at is not None)
        assert contested.state is ClaimState.CONTESTED
        assert decisions(contested) == []


async def test_objection_after_the_decision_is_recorded_as_late_and_stops_nothing(story: Story) -> None:
    async with story.carried():
        await after_window(story)
        for person in (ANA, KIM, TOM):
            await story.approves(person)
        await story.comes_to_be("PROVISIONING")
        late = await story.objects()
        assert late.state == ClaimState.PROVISIONING
        claim = story.on_record()
        assert claim.open_objections == ()
        assert late.statement in claim.settled


async def test_twenty_acts_at_once_are_each_recorded_once(story: Story) -> None:
    async with story.carried():
        await story.files(stages=("provisional", "critical", "source"))
        await story.accepts()
        given = [
            await story.approval(person, stage)
            for person in (ANA, ABE, KIM, TOM)
            for stage in ("critical", "source")
        ]
        given += [await story.approval(DORA, stage) for stage in ("critical", "source")]
        first = [story.sends(envelope) for envelope in given]
        again = [story.sends(envelope, update=f"again-{at}") for at, envelope in enumerate(given)]
        answers = await asyncio.gather(*first, *again)
        assert len(answers) == 20
        assert answers[:10] == answers[10:]
        recorded = {entry.signed.id: entry for entry, _ in story.on_record().entries_of(Approval)}
        assert len(recorded) == 10
        assert {answer.index for answer in answers} == {entry.index for entry in recorded.values()}
        assert all(recorded[Digest(a.statement)].accepted_at == a.accepted_at for a in answers)


async def test_two_statements_that_exclude_each_other_are_not_both_admitted(story: Story) -> None:
    async with story.carried():
        await story.files()
        await story.accepts()
        one, other = await story.approval(KIM), await story.approval(KIM)
        answers = await asyncio.gather(story.sends(one), story.sends(other), return_exceptions=True)
        refused = [answer for answer in answers if isinstance(answer, TallystickError)]
        assert len(refused) == 1
        assert len(story.on_record().approvals) == 1


async def test_same_statement_sent_again_later_has_the_same_answer(story: Story) -> None:
    async with story.carried():
        await story.files()
        intake = await story.said_intake()
        answer = await story.sends(intake)
        await story.approves(ANA)
        assert await story.sends(intake, update="another") == answer


async def test_terminated_run_resumes_where_the_ledger_stands(story: Story) -> None:
    async with story.carried():
        claim = await in_window(story)
        await story.approves(ANA)
        await story.handle.terminate("by force")
        assert claim.window_until is not None
        await story.until(claim.window_until + timedelta(hours=1))
        assert story.on_record().state is ClaimState.WINDOW
        await story.starts()
        await story.comes_to_be("APPROVAL")
        for person in (KIM, TOM):
            await story.approves(person)
        claim = await story.comes_to_be("PROVISIONING")
        assert len(claim.approvals) == 3
        happened = [body.happening for _, body in claim.entries_of(Event)]
        assert len(happened) == len(set(happened))


async def test_cancelled_run_releases_nothing_and_can_be_resumed(story: Story) -> None:
    async with story.carried(gate=False):
        async with story.gate_runs():
            await after_window(story)
        for person in (ANA, KIM, TOM):
            await story.approves(person)
        await story.comes_to_be("VALIDATING")
        await story.handle.cancel()
        assert await story.stopped_as() is WorkflowExecutionStatus.CANCELED
        assert decisions(story.on_record()) == []
        await story.starts()
        async with story.gate_runs():
            await story.comes_to_be("PROVISIONING")


async def test_claim_waits_for_a_gate_that_is_away_and_acts_are_still_recorded(
    story: Story, caplog: pytest.LogCaptureFixture
) -> None:
    async with story.carried(gate=False):
        async with story.gate_runs():
            await after_window(story)
        for person in (ANA, KIM, TOM):
            await story.approves(person)
        await story.comes_to_be("VALIDATING")
        assert (await story.objects()).state == ClaimState.CONTESTED
        await story.says(Denial, KIM, reason="The record is of another company.")
        await story.says(Denial, TOM, reason="The record is of another company.")
        await story.comes_to_be("DENIED")
        # The server skips no time while an activity waits for a worker.
        assert await story.handle.result() == "DENIED"
    gc.collect()  # asyncio logs what became of a question that nobody reads
    assert "never retrieved" not in caplog.text


async def test_gate_that_refuses_is_asked_again_once_the_hold_is_lifted(story: Story) -> None:
    async with story.carried(gate=False):
        async with story.gate_runs():
            await after_window(story)
        for person in (ANA, KIM, TOM):
            await story.approves(person)
        await story.comes_to_be("VALIDATING")
        hold = await story.says(Hold, KIM, reason="An injunction.")
        async with story.gate_runs():
            claim = await story.comes_to_be("APPROVAL")
            assert [decision.released for decision in decisions(claim)] == [False]
            await story.lifts(Digest(hold.statement), ANA, TOM)
            await story.passes(timedelta(minutes=1))
            claim = await story.comes_to_be("PROVISIONING")
        assert [decision.released for decision in decisions(claim)] == [False, True]


async def test_claim_lapses_when_no_quorum_comes_in_time(story: Story) -> None:
    async with story.carried():
        await after_window(story)
        await story.approves(ANA)
        await story.passes(timedelta(days=10))
        await story.comes_to_be("LAPSED")
        assert await story.ends() == "LAPSED"


async def test_suppressed_notice_never_lets_a_window_run_out(story: Story, tmp_path: Path) -> None:
    (tmp_path / "no-folder").write_text("An outbox that takes nothing.")
    nowhere = Post(domain="test.invalid", outbox_dir=tmp_path / "no-folder", letter_key=LETTER_KEY)
    async with story.carried(post=nowhere):
        await story.files()
        await story.accepts()
        for person in (ANA, KIM, TOM):
            await story.approves(person)
        await story.comes_to(lambda claim: len(claim.notices) == 1)
        await story.passes(timedelta(minutes=2))
        claim = await story.comes_to(lambda claim: len(claim.notices) > 2)
        assert claim.state is ClaimState.ACCEPTED
        assert claim.window_opened_at is None
        assert not any(channel.taken for _, notice in claim.notices for channel in notice.channels)
        assert [notice.attempt for _, notice in claim.notices] == list(range(1, len(claim.notices) + 1))
        assert decisions(claim) == []


async def test_window_stays_open_while_the_database_clock_says_so(story: Story) -> None:
    async with story.carried():
        claim = await in_window(story)
        assert claim.window_until is not None
        await story.gate_has_seen()
        story.clock.behind = timedelta(days=15)
        await story.until(claim.window_until + timedelta(minutes=2))
        assert (await story.objects()).state == ClaimState.CONTESTED
        claim = story.on_record()
        assert claim.window_ended_at is None


async def test_window_does_not_end_before_a_gate_that_was_away_has_seen_the_notice(story: Story) -> None:
    async with story.carried(gate=False):
        claim = await in_window(story)
        assert claim.window_until is not None
        assert claim.entries_of(Sighting) == ()
        async with story.gate_runs():
            await story.gate_has_seen()
            ((entry, sighting),) = story.on_record().entries_of(Sighting)
            assert sighting.issued_at >= claim.notices[0][0].accepted_at
            assert entry.signed.signers == {story.world.agreement.engine.decision_key}
            await story.until(claim.window_until + 2 * SECOND)
            await story.comes_to_be("APPROVAL")


async def test_claim_that_may_not_be_filed_is_refused_by_name_and_may_come_again(story: Story) -> None:
    deposit, story.deposit = story.deposit, Digest("sha256:" + 64 * "1")
    async with story.carried():
        assert await refusal_of(story.files()) == "deposit-not-claimable"
        assert await refusal_of(story.asks(story.filed)) == "deposit-not-claimable"
        with pytest.raises(WorkflowFailureError) as failed:
            await story.handle.result()
        refusal = from_failure(failed.value.cause)
        assert refusal is not None
        assert refusal.code == "deposit-not-claimable"
        story.deposit = deposit
        assert (await story.files()).state == ClaimState.FILED


async def test_second_open_claim_on_the_same_condition_and_deposit_is_refused(story: Story) -> None:
    async with story.carried():
        await story.files()
        assert await refusal_of(story.files()) == "duplicate-claim"


async def test_a_statement_by_someone_else_is_refused_by_name(story: Story) -> None:
    async with story.carried():
        await story.files()
        assert await refusal_of(story.approves(BEA)) == "not-authorised-to-state"
        assert await refusal_of(story.objects(KIM)) == "not-authorised-to-state"
        assert len(story.on_record().entries) == 1


async def test_what_no_person_of_the_agreement_signed_is_not_taken_into_the_workflow(story: Story) -> None:
    async with story.carried():
        await story.files()
        stranger = story.world.signed(
            story.world.body(Intake, ANA, await story.now(), claim=story.claim, accepted=True),
            SigningKey(bytes(32)),
        )
        assert await refusal_of(story.sends(stranger)) == "signature-invalid"
        kinds = [event.event_type async for event in story.handle.fetch_history_events()]
        assert kinds.count(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED) == 1, "the filing"


async def test_another_filing_is_no_act(story: Story) -> None:
    async with story.carried():
        await story.files()
        assert story.filing is not None
        filing = story.read(story.filing).body
        assert isinstance(filing, ClaimFiling)
        other = story.world.signed(replace(filing, nonce=32 * "a"), PEOPLE[BEA].signing_key)
        assert await refusal_of(story.sends(other)) == "misdirected"
        assert (await story.accepts()).state == ClaimState.ACCEPTED


async def test_garbage_is_refused_and_the_claim_continues(story: Story) -> None:
    async with story.carried():
        await story.files()
        with pytest.raises(WorkflowUpdateFailedError) as failed:
            await story.handle.execute_update(ReleaseWorkflow.submit, Submission(envelope="{"), id="garbage")
        assert isinstance(from_failure(failed.value.cause), MalformedError)
        assert (await story.accepts()).state == ClaimState.ACCEPTED


async def test_revocation_recorded_elsewhere_counts_after_a_look(story: Story) -> None:
    async with story.carried():
        await after_window(story)
        await story.approves(ANA)
        await story.approves(KIM)
        at = await story.now()
        key = PEOPLE[KIM].signing_key
        revocation = story.world.signed(
            story.world.body(KeyRevocation, KIM, at, key=key.public_key, reason="Stolen."), key
        )
        story.world.slip_in(revocation, at)
        await story.handle.signal(ReleaseWorkflow.look, ClaimLook(reason="a key was revoked"))
        await story.approves(TOM)
        claim = story.on_record()
        assert claim.state is ClaimState.APPROVAL
        assert await refusal_of(story.says(Denial, KIM, reason="No.")) == "key-revoked"
        await story.approves(DORA)
        await story.comes_to_be("PROVISIONING")


async def test_revocation_by_a_newer_versions_quorum_counts_in_a_running_workflow(story: Story) -> None:
    async with story.carried():
        await after_window(story)
        await story.approves(ANA)
        await story.approves(KIM)
        at = await story.now()
        powers = replace(story.world.agreement.authorities, revocation=quorum(DORA))
        newer = agreement(version=2, supersedes=story.world.digest, authorities=powers)
        after = replace(story.world, agreement=newer)
        after.register()
        body = after.body(
            KeyRevocation, DORA, at, key=PEOPLE[KIM].signing_key.public_key, reason="It was stolen."
        )
        after.slip_in(after.signed(body, PEOPLE[DORA].signing_key), at)
        await story.handle.signal(ReleaseWorkflow.look, ClaimLook(reason="a key was revoked"))
        await story.approves(TOM)
        assert story.on_record().state is ClaimState.APPROVAL
        assert await refusal_of(story.says(Denial, KIM, reason="No.")) == "key-revoked"
        await story.approves(DORA)
        await story.comes_to_be("PROVISIONING")


async def test_act_that_another_run_recorded_is_acknowledged_and_not_recorded_twice(story: Story) -> None:
    async with story.carried():
        await story.files()
        intake, at = await story.said_intake(), await story.now()
        story.world.slip_in(intake, at)
        answer = await story.sends(intake)
        assert (answer.index, answer.state) == (story.on_record().entries[1].index, ClaimState.ACCEPTED)
        kinds = [entry.signed.kind for entry in story.on_record().entries]
        assert kinds.count(Kind.INTAKE) == 1


async def test_workflow_of_another_digest_files_nothing(story: Story) -> None:
    async with story.carried():
        await story.files()
        assert story.filing is not None
        forged = ClaimStart(
            claim=Digest("sha256:" + 64 * "2"),
            agreement=story.world.agreement.id,
            envelope=story.text(story.filing),
        )
        handle = await story.client.start_workflow(
            ReleaseWorkflow.run, forged, id=claim_workflow_id(forged.claim), task_queue=CLAIMS_QUEUE
        )
        await story.passes(timedelta(minutes=2))
        with pytest.raises(WorkflowFailureError) as failed:
            await handle.result()
        refusal = from_failure(failed.value.cause)
        assert refusal is not None
        assert refusal.code == "misdirected"


async def test_act_waits_in_a_queue_while_the_database_is_away_and_is_taken_once(story: Story) -> None:
    async with story.carried():
        await story.files()
        with closing(sqlite3.connect(story.world.folder / "store.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            intake = asyncio.create_task(story.accepts())
            while "record_act" not in await queued(story):
                assert not intake.done()
                await asyncio.sleep(ROUND.total_seconds())
            other.execute("ROLLBACK")
        assert (await intake).state == ClaimState.ACCEPTED
        kinds = [entry.kind for entry in story.world.case().raw]
        assert kinds.count(Kind.INTAKE) == 1


async def queued(story: Story) -> list[str]:
    """The activities that Temporal was asked to run."""
    events = [event async for event in story.handle.fetch_history_events()]
    return [event.activity_task_scheduled_event_attributes.activity_type.name for event in events]


async def test_run_that_reads_a_long_record_has_its_pages_queued(story: Story) -> None:
    long = TEXT_LENGTH_MAX * "\N{DUCK}"
    async with story.carried():
        await story.files()
        await story.accepts()
        for person in 9 * (ANA, KIM):
            await story.says(Hold, person, reason=long)
        for person in 4 * (TOM, ABE):
            approval = await story.sends(await story.approval(person, reason=long))
            await story.says(Retraction, person, of=Digest(approval.statement), reason=long)
        assert "read_since" not in await queued(story)
        await story.handle.terminate("by force")
        await story.starts()
        await story.says(Hold, KIM, reason="The run goes on.")
        assert "read_since" in await queued(story)
