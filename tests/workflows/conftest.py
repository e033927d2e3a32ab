"""A time-skipping Temporal server for each test: its clock only runs forward."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from temporalio.testing import WorkflowEnvironment

from tallystick.domain.ids import Digest
from tests.support.sites.temporal import Story, new_story, time_skipping
from tests.support.worlds.gate_worlds import World
from tests.support.worlds.story_worlds import deposited_world


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> tuple[World, Digest]:
    return deposited_world(tmp_path_factory.mktemp("prepared"))


@pytest.fixture
async def environment(temporal_test_server: Path) -> AsyncGenerator[WorkflowEnvironment]:
    async with time_skipping(temporal_test_server) as running:
        yield running


@pytest.fixture
async def story(environment: WorkflowEnvironment, tmp_path: Path, prepared: tuple[World, Digest]) -> Story:
    return new_story(environment, tmp_path, prepared)
