"""A time-skipping Temporal server for each test: its clock only runs forward."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from temporalio.testing import WorkflowEnvironment

from tests.support.temporal import Story, new_story, time_skipping


@pytest.fixture
async def environment(temporal_test_server: Path) -> AsyncGenerator[WorkflowEnvironment]:
    async with time_skipping(temporal_test_server) as running:
        yield running


@pytest.fixture
async def story(environment: WorkflowEnvironment, tmp_path: Path) -> Story:
    return new_story(environment, tmp_path)
