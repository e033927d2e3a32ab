"""A warning of Temporal's core becomes a line of our log, and nothing is printed on the console."""

import asyncio
import logging

import pytest
from temporalio.client import Client
from temporalio.worker import Worker

from tests.support.sites.temporal import PATIENCE, ROUND, Story
from workflows.worker.core_logs import CORE_LOGGER, core_runtime


async def test_warning_of_the_core_is_logged_and_not_printed(
    story: Story, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    address = story.client.service_client.config.target_host
    client = await Client.connect(address, runtime=core_runtime())
    # The core warns of an old server when an activity runs on it; the time-skipping one is old.
    async with Worker(client, task_queue="q", activities=[story.activities().notices.give_notice]):
        for _ in range(int(PATIENCE / ROUND)):
            if caplog.records:
                break
            await asyncio.sleep(ROUND.total_seconds())
    assert [record for record in caplog.records if record.name.startswith(CORE_LOGGER)]
    assert "WARN" not in "".join(capfd.readouterr())


def test_the_librarys_traceback_of_a_worker_that_ended_is_not_logged() -> None:
    core_runtime()
    assert not logging.getLogger(Worker.__module__).isEnabledFor(logging.ERROR)
