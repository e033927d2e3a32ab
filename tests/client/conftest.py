"""A person's client of a server that keeps what it is sent."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from tallystick.client.http import Client
from tests.support.sites.fake_api import FakeApi, serving
from tests.support.worlds.agreements import ANA
from tests.support.worlds.deliveries import keys_of


@pytest.fixture
def api() -> Iterator[FakeApi]:
    with serving(FakeApi()) as served:
        yield served


@pytest.fixture
def pauses() -> list[float]:
    return []


@pytest.fixture
def client(api: FakeApi, pauses: list[float]) -> Iterator[Client]:
    with Client(api.url, keys_of(ANA), now=lambda: datetime.now(UTC), pause=pauses.append) as client:
        yield client
