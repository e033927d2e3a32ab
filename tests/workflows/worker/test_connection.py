"""A worker waits for Temporal, and for its namespace there, however long it takes."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from google.protobuf.duration_pb2 import Duration
from structlog.testing import capture_logs
from structlog.typing import EventDict
from temporalio.api.workflowservice.v1 import RegisterNamespaceRequest
from temporalio.testing import WorkflowEnvironment

from tests.support.sites.grpc_server import answering, page
from tests.support.sites.service import settings_in
from tests.support.sites.temporal import real_time
from tests.support.waits import until
from workflows.worker.connection import connect


def whys(logs: Sequence[EventDict]) -> list[str]:
    """Why Temporal did not answer; threads of other tests may log as well."""
    return [str(log["why"]) for log in logs if log["event"] == "Temporal does not answer yet"]


@pytest.fixture
async def lived(temporal_cli: Path) -> AsyncGenerator[WorkflowEnvironment]:
    async with real_time(temporal_cli) as running:
        yield running


async def test_a_namespace_that_is_made_after_the_worker_has_started_is_waited_for(
    lived: WorkflowEnvironment, tmp_path: Path
) -> None:
    address = lived.client.service_client.config.target_host
    settings = replace(settings_in(tmp_path), temporal_address=address, temporal_namespace="later")
    with capture_logs() as logs:
        connecting = asyncio.create_task(connect(settings))
        await until(lambda: bool(whys(logs)) or connecting.done())
        assert not connecting.done()
        kept = Duration()
        kept.FromTimedelta(timedelta(days=1))
        made = RegisterNamespaceRequest(namespace="later", workflow_execution_retention_period=kept)
        await lived.client.workflow_service.register_namespace(made)
        client = await asyncio.wait_for(connecting, 60)
    assert client.namespace == "later"
    assert whys(logs) == ["NOT_FOUND: Namespace later is not found."]


async def test_a_proxy_that_speaks_no_grpc_is_reported_once_and_asked_again(tmp_path: Path) -> None:
    asked: list[str] = []
    async with answering(page(404), asked=asked) as address:
        settings = replace(settings_in(tmp_path), temporal_address=address)
        with capture_logs() as logs:
            connecting = asyncio.create_task(connect(settings))
            await until(lambda: len(asked) > 2 or connecting.done())
            assert not connecting.done()
            connecting.cancel()
    assert ["404" in why for why in whys(logs)] == [True]
