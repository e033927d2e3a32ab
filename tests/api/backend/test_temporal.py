"""The API's port to the engine, on a real Temporal server."""

from collections.abc import AsyncGenerator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from temporalio.client import WorkflowFailureError
from temporalio.testing import WorkflowEnvironment

from api.backend.backend import ClaimNotCarriedError, EngineUnreachableError
from api.backend.temporal import TemporalEngine
from tallystick.crypto.envelope import Envelope, envelope_bytes, statement_id
from tallystick.domain.claim.claim import WrongClaimStateError
from tallystick.domain.ids import AgreementId, Digest, sha256_digest
from tallystick.domain.kinds import WithdrawalReason
from tallystick.domain.refusals import DuplicateClaimError
from tallystick.domain.statements.acts import Intake, Withdrawal
from tallystick.messages import (
    CLAIMS_QUEUE,
    Acknowledged,
    ClaimStart,
    EvidenceRequest,
    Submission,
    act_update_id,
    claim_workflow_id,
)
from tallystick.settings import Settings
from tests.support.sites.service import settings_in
from tests.support.sites.temporal import Story, new_story, real_time, time_skipping
from tests.support.worlds.agreements import ANA, BEA
from tests.support.worlds.story_worlds import ANY_DAY, deposited_world

NOBODYS = Digest("sha256:" + 64 * "0")


@pytest.fixture
async def story(temporal_test_server: Path, tmp_path: Path) -> AsyncGenerator[Story]:
    async with time_skipping(temporal_test_server) as environment:
        yield new_story(environment, tmp_path)


@pytest.fixture
async def lived_story(temporal_cli: Path, tmp_path: Path) -> AsyncGenerator[Story]:
    """On the server that sites run: the one that skips time is another program."""
    made = tmp_path / "made"
    made.mkdir()
    an_hour_ago = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)
    async with real_time(temporal_cli) as environment:
        yield new_story(environment, tmp_path / "site", deposited_world(made, ANY_DAY, at=an_hour_ago))


def port(story: Story) -> TemporalEngine:
    return TemporalEngine(settings_of(story.environment, story.world.folder))


def settings_of(environment: WorkflowEnvironment, folder: Path) -> Settings:
    address = environment.client.service_client.config.target_host
    return replace(settings_in(folder), temporal_address=address)


def submission(envelope: bytes) -> Submission:
    return Submission(envelope=envelope.decode())


async def filed(story: Story, claims: TemporalEngine) -> Digest:
    at = await story.now()
    filing = story.world.filing(story.deposit, at)
    digest, text = statement_id(filing), envelope_bytes(filing).decode()
    start = ClaimStart(claim=digest, agreement=story.world.agreement.id, envelope=text)
    acknowledged = await claims.file_claim(start)
    assert acknowledged.state == "FILED"
    assert await claims.file_claim(start) == acknowledged  # as often as it is asked
    story.claim, story.filing = digest, filing
    story.world = replace(story.world, claim=digest)
    return digest


async def sent(story: Story, claims: TemporalEngine, act: Envelope) -> Acknowledged:
    """Send an act as the API does, on the current record."""
    known = story.on_record().last_index
    return await claims.submit(story.claim, statement_id(act), submission(envelope_bytes(act)), known=known)


async def test_an_act_is_acknowledged_once_it_is_on_record_and_again_with_the_same_words(
    story: Story,
) -> None:
    claims = port(story)
    async with story.carried(gate=False):
        await filed(story, claims)
        intake = await story.said_intake()
        told = await sent(story, claims, intake)
        again = await sent(story, claims, intake)
    assert told == again
    assert told.state == "ACCEPTED"
    assert [body for _, body in story.on_record().entries_of(Intake)]


async def test_a_refusal_by_the_engine_arrives_as_the_error_that_it_was(story: Story) -> None:
    claims = port(story)
    async with story.carried(gate=False):
        await filed(story, claims)
        await story.accepts()
        second = await story.said_intake()
        with pytest.raises(WrongClaimStateError) as refusal:
            await sent(story, claims, second)
    assert refusal.value.facts["current"] == "ACCEPTED"


async def test_an_act_that_was_refused_is_recorded_once_the_rules_allow_it(story: Story) -> None:
    claims = port(story)
    async with story.carried(gate=False):
        await filed(story, claims)
        early = await story.approval(ANA)
        with pytest.raises(WrongClaimStateError):
            await sent(story, claims, early)
        await story.accepts()
        told = await sent(story, claims, early)
    assert told.statement == statement_id(early)
    assert [body.person for _, body in story.on_record().approvals] == [ANA]


async def test_a_refused_filing_arrives_as_the_error_that_it_was_and_may_come_again(story: Story) -> None:
    await refused_filing_comes_again(story)


async def test_a_refused_filing_may_come_again_on_the_server_that_sites_run(lived_story: Story) -> None:
    await refused_filing_comes_again(lived_story)


async def refused_filing_comes_again(story: Story) -> None:
    claims, agreement = port(story), story.world.agreement.id
    late = story.world.filing(story.deposit, await story.now())
    start = ClaimStart(claim=statement_id(late), agreement=agreement, envelope=story.text(late))
    async with story.carried(gate=False):
        first = await filed(story, claims)
        for _ in range(2):
            with pytest.raises(DuplicateClaimError):
                await claims.file_claim(start)
        await story.says(Withdrawal, BEA, reason=WithdrawalReason.SETTLED, explanation="They paid.")
        assert (await claims.file_claim(start)).statement == start.claim != first


async def test_a_claim_is_filed_though_another_ones_workflow_was_started_under_its_id(story: Story) -> None:
    claims, agreement = port(story), story.world.agreement.id
    at = await story.now()
    own, other = (story.world.filing(story.deposit, at) for _ in range(2))
    start, forged = (
        ClaimStart(claim=statement_id(one), agreement=agreement, envelope=story.text(one))
        for one in (own, other)
    )
    async with story.carried(gate=False):
        await story.client.start_workflow(
            "ReleaseWorkflow", forged, id=claim_workflow_id(start.claim), task_queue=CLAIMS_QUEUE
        )
        with pytest.raises(WorkflowFailureError):
            await story.client.get_workflow_handle(claim_workflow_id(start.claim)).result()
        assert (await claims.file_claim(start)).statement == start.claim


async def test_no_act_is_acknowledged_because_another_one_is_on_record(story: Story) -> None:
    claims = port(story)
    async with story.carried(gate=False):
        await filed(story, claims)
        intake, approval = await story.said_intake(), await story.approval(ANA)
        known = story.on_record().last_index
        await story.sends(intake, update=act_update_id(statement_id(approval), known))
        with pytest.raises(EngineUnreachableError) as doubt:
            await claims.submit(
                story.claim, statement_id(approval), submission(envelope_bytes(approval)), known=known
            )
    assert doubt.value.facts["told"] == statement_id(intake)


async def test_a_claim_that_has_ended_is_not_carried_once_more(story: Story) -> None:
    claims = port(story)
    async with story.carried(gate=False):
        claim = await filed(story, claims)
        await story.says(Intake, ANA, accepted=False, reasons=("No record of the insolvency.",))
        assert await story.ends() == "NOT_ACCEPTED"
        with pytest.raises(ClaimNotCarriedError):
            await claims.file_claim(story.start)
    assert [entry.claim for entry in story.world.case().raw].count(claim) == len(story.world.case().raw)


async def test_a_claim_that_no_workflow_carries_says_so(story: Story) -> None:
    act = await story.said(Intake, ANA, accepted=True)
    with pytest.raises(ClaimNotCarriedError):
        await port(story).submit(NOBODYS, statement_id(act), submission(envelope_bytes(act)), known=0)


async def test_the_worker_makes_the_evidence_file_that_the_api_cannot_sign(story: Story) -> None:
    claims = port(story)
    async with story.carried(gate=False):
        claim = await filed(story, claims)
        digest = await claims.evidence(EvidenceRequest(claim=claim))
    data = b"".join(story.world.blobs.open_verified(digest).chunks)
    assert sha256_digest(data) == digest
    assert b'"evidence"' in data or b"evidence.v1" in data


async def test_without_temporal_the_outcome_is_open_and_repeating_is_harmless(tmp_path: Path) -> None:
    claims = TemporalEngine(replace(settings_in(tmp_path), temporal_address="127.0.0.1:9"))
    start = ClaimStart(claim=NOBODYS, agreement=AgreementId("nordwind-halden"), envelope="{}")
    with pytest.raises(EngineUnreachableError) as doubt:
        await claims.file_claim(start)
    assert doubt.value.retryable
    assert not await claims.reachable()


async def test_temporal_that_answers_is_reachable(story: Story) -> None:
    assert await port(story).reachable()
