"""A worker waits for Temporal, and for its namespace there, however long it takes, and does so again."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from google.protobuf.duration_pb2 import Duration
from structlog.testing import capture_logs
from structlog.typing import EventDict
from temporalio import activity
from temporalio.api.workflowservice.v1 import RegisterNamespaceRequest
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from tests.support.sites.grpc_server import answering, page, refusing
from tests.support.sites.service import settings_in
from tests.support.sites.temporal import real_time
from tests.support.waits import until
from workflows.worker.connection import at_work, connect, keep_carrying, queue_worker, until_stopped

UNANSWERED = "Temporal does not answer yet"
SOON = timedelta(milliseconds=50)
ENDED = "Temporal takes no more work from us; connecting anew"


def whys(logs: Sequence[EventDict], event: str = UNANSWERED) -> list[str]:
    """Why Temporal did not answer, or ended the work; threads of other tests may log as well."""
    return [str(log["why"]) for log in logs if log["event"] == event]


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


@activity.defn
def nothing() -> None: ...


async def test_a_permission_that_is_withdrawn_is_said_once_in_a_sentence_and_asked_for_anew(
    tmp_path: Path,
) -> None:
    stop, asked = asyncio.Event(), list[str]()

    async def carry(client: Client) -> None:
        async with at_work(*(worker_of(client, queue) for queue in "ab")) as runs:
            await until_stopped(stop, runs)

    async with answering(refusing(7), greeted=2, asked=asked) as address:
        settings = replace(settings_in(tmp_path), temporal_address=address)
        with capture_logs() as logs:
            carrying = asyncio.create_task(keep_carrying(settings, stop, carry, pause=SOON))
            await until(lambda: len(asked) > 1 or carrying.done())
            stop.set()
            await asyncio.wait_for(carrying, 30)
    assert ["refused" in why for why in whys(logs, ENDED)] == [True]


async def test_what_temporal_has_ended_is_carried_again_once_temporal_is_as_before(
    lived: WorkflowEnvironment, tmp_path: Path
) -> None:
    stop, carried = asyncio.Event(), list[str]()
    address = lived.client.service_client.config.target_host
    without = await Client.connect(address, namespace="deleted")

    async def carry(client: Client) -> None:
        given = client if carried else without
        carried.append(given.namespace)
        async with at_work(worker_of(given, "a")) as runs:
            if given is client:
                stop.set()
            await until_stopped(stop, runs)

    settings = replace(settings_in(tmp_path), temporal_address=address)
    with capture_logs() as logs:
        await asyncio.wait_for(keep_carrying(settings, stop, carry, pause=SOON), 60)
    assert carried == ["deleted", "default"]
    assert ["deleted is not found" in why for why in whys(logs, ENDED)] == [True]


def worker_of(client: Client, queue: str) -> Worker:
    return queue_worker(client, queue, [nothing], ThreadPoolExecutor(1), at_once=1)
