"""What the server will soon show is looked for again, for so long and no longer."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from tallystick.client.http import Client
from tallystick.client.problems import UnreachableError
from tallystick.desk.clock import now
from tallystick.desk.waiting import shown_within
from tests.support.worlds.agreements import ANA
from tests.support.worlds.deliveries import keys_of


@pytest.fixture
def pauses() -> list[float]:
    return []


@pytest.fixture
def client(pauses: list[float]) -> Iterator[Client]:
    with Client("http://127.0.0.1:9", keys_of(ANA), now=now, pause=pauses.append) as client:
        yield client


def looks(*shown: int | UnreachableError) -> Callable[[], int]:
    """Return what shows these one after the other, and raises those that are errors."""
    left = iter(shown)

    def look() -> int:
        one = next(left)
        if isinstance(one, UnreachableError):
            raise one
        return one

    return look


def test_what_is_ready_is_returned_without_a_pause(client: Client, pauses: list[float]) -> None:
    found = shown_within(client, timedelta(minutes=1), looks(3), ready=lambda shown: shown == 3)
    assert (found, pauses) == (3, [])


def test_what_becomes_ready_is_returned_after_a_pause_for_each_look(
    client: Client, pauses: list[float]
) -> None:
    found = shown_within(client, timedelta(minutes=1), looks(1, 2, 3), ready=lambda shown: shown == 3)
    assert (found, len(pauses)) == (3, 2)


def test_what_is_not_ready_in_time_is_nothing(client: Client) -> None:
    assert shown_within(client, -timedelta(seconds=1), looks(1), ready=lambda shown: shown == 3) is None


def test_an_outage_while_waiting_is_outlasted(client: Client, pauses: list[float]) -> None:
    away = UnreachableError("no answer")
    found = shown_within(client, timedelta(minutes=1), looks(1, away, 3), ready=lambda shown: shown == 3)
    assert (found, len(pauses)) == (3, 2)
