"""A copy of one prepared deployment for each test, served without a network."""

from collections.abc import AsyncGenerator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.sites.service import Service, serving, template_world
from tests.support.worlds.agreements import BEA
from tests.support.worlds.gate_worlds import World


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> World:
    return template_world(tmp_path_factory.mktemp("template"))


@pytest.fixture
async def service(template: World, tmp_path: Path) -> AsyncGenerator[Service]:
    async with serving(template.copied_to(tmp_path)) as running:
        yield running


@pytest.fixture
async def claimed(service: Service) -> Service:
    """A claim for every stage, filed through the API."""
    answer = await service.post("/claims", service.filing(), person=BEA)
    assert answer.status_code == 201, answer.text
    service.world = replace(service.world, claim=answer.json()["digest"])
    return service
