"""What stands between the API and Temporal, or in its place: the outcome stays open."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace
from pathlib import Path

import pytest
from structlog.testing import capture_logs
from temporalio.testing import WorkflowEnvironment

from api.backend.backend import EngineUnreachableError
from api.backend.temporal import TemporalEngine
from tallystick.domain.ids import AgreementId, ComponentId, Digest
from tallystick.messages import ClaimStart, DealCustody, EvidenceRequest, Submission, VerifyDeposit
from tests.support.sites.grpc_server import answering, page, refusing
from tests.support.sites.service import settings_in
from tests.support.sites.temporal import real_time

NOBODYS = Digest("sha256:" + 64 * "0")
AGREEMENT = AgreementId("nordwind-halden")
START = ClaimStart(claim=NOBODYS, agreement=AGREEMENT, envelope="{}")
BEFORE_TEMPORAL = {  # and nothing that Temporal's own client tries again for many seconds
    "permission denied by a proxy": (refusing(7), "PERMISSION_DENIED"),
    "nobody signed in": (refusing(16), "UNAUTHENTICATED"),
    "no such method": (refusing(12), "UNIMPLEMENTED"),
    "a page of a proxy that speaks no gRPC": (page(404), "UNIMPLEMENTED"),
}


@pytest.mark.parametrize("answer", BEFORE_TEMPORAL)
async def test_whatever_answers_for_temporal_leaves_the_outcome_open(answer: str, tmp_path: Path) -> None:
    headers, reason = BEFORE_TEMPORAL[answer]
    async with answering(headers, greeted=1) as address:
        engine = TemporalEngine(replace(settings_in(tmp_path), temporal_address=address))
        for ask in (
            lambda: engine.file_claim(START),
            lambda: engine.submit(NOBODYS, NOBODYS, Submission(envelope="{}"), known=0),
            lambda: engine.evidence(EvidenceRequest(claim=NOBODYS)),
        ):
            with pytest.raises(EngineUnreachableError) as doubt:
                await asyncio.wait_for(ask(), 30)
            assert (doubt.value.retryable, doubt.value.facts["reason"]) == (True, reason)
        assert not await engine.reachable()


@pytest.mark.parametrize("answer", BEFORE_TEMPORAL)
async def test_what_is_only_a_nudge_is_never_refused(answer: str, tmp_path: Path) -> None:
    """The worker finds it by itself; the deposit is on record whoever answers for Temporal."""
    async with answering(BEFORE_TEMPORAL[answer][0], greeted=1) as address:
        engine = TemporalEngine(replace(settings_in(tmp_path), temporal_address=address))
        await engine.verify_deposit(VerifyDeposit(agreement=AGREEMENT, deposit=NOBODYS))
        await engine.deal_custody(DealCustody(agreement=AGREEMENT, component=ComponentId("source"), epoch=1))
        await engine.look(NOBODYS, "nothing")


@pytest.fixture
async def environment(temporal_cli: Path) -> AsyncGenerator[WorkflowEnvironment]:
    async with real_time(temporal_cli) as running:
        yield running


async def test_what_answers_from_the_first_on_is_reported_in_the_log(tmp_path: Path) -> None:
    async with answering(page(404)) as address:
        engine = TemporalEngine(replace(settings_in(tmp_path), temporal_address=address))
        with capture_logs() as logs, pytest.raises(EngineUnreachableError):
            await engine.submit(NOBODYS, NOBODYS, Submission(envelope="{}"), known=0)
    assert ["404" in str(log["said"]) for log in logs] == [True]


async def test_a_namespace_that_temporal_lacks_is_no_word_about_a_claim(
    environment: WorkflowEnvironment, tmp_path: Path
) -> None:
    address = environment.client.service_client.config.target_host
    here = replace(settings_in(tmp_path), temporal_address=address)
    engine = TemporalEngine(replace(here, temporal_namespace="nowhere"))
    with capture_logs() as logs, pytest.raises(EngineUnreachableError) as doubt:
        await engine.submit(NOBODYS, NOBODYS, Submission(envelope="{}"), known=0)
    assert doubt.value.facts["reason"] == "NOT_FOUND"
    assert [log["said"] for log in logs] == ["NOT_FOUND: Namespace nowhere is not found."]
    await engine.verify_deposit(VerifyDeposit(agreement=AGREEMENT, deposit=NOBODYS))
    await engine.look(NOBODYS, "nothing")
    assert not await engine.reachable()
    assert await TemporalEngine(here).reachable()
