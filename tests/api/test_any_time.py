"""Times that others write, in every member of what is sent: refused, or recorded and then readable."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from tallystick.crypto.envelope import envelope_bytes, sign
from tallystick.domain.json import JsonObject, JsonValue
from tests.support.judges.statements_by_address import KINDS, in_window, spoken
from tests.support.sites.service import Service, serving
from tests.support.worlds.agreements import ANA, PEOPLE
from tests.support.worlds.gate_worlds import ACKNOWLEDGED, World

Place = tuple[str | int, ...]

WRITTEN: Final[Mapping[str, tuple[re.Pattern[str], Sequence[str]]]] = {
    "a moment": (
        re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"),
        (
            "0000-01-01T00:00:00Z",
            "0001-01-01T00:00:00Z",
            "9999-12-31T23:59:59Z",
            "2016-12-31T23:59:60Z",  # a leap second that there was
            "2026-03-29T02:30:00Z",  # an hour that clocks leave out in Berlin
            "2026-10-06T24:00:00Z",
        ),
    ),
    "a day": (re.compile(r"\d{4}-\d\d-\d\d"), ("0000-01-01", "0001-01-01", "9999-12-31", "2026-02-29")),
    "a period": (
        re.compile(r"P(T?\d+[DHMS])+|\d+ business days?"),
        ("P0D", "PT0S", "P3660D", "P9999999D", "0 business days"),
    ),
}
READ: Final = ("", "/timeline", "/documents", "/record", "/tally", "/deadlines", "/explain", "/delivery")
ADDRESSES: Final = {
    noun: f"/claims/{{claim}}/{noun}" for noun in KINDS if noun not in {"agreements", "claims"}
} | {
    "agreements": "/agreements",
    "claims": "/claims",
    "deposits": "/agreements/nordwind-halden/deposits",
    "revocations": "/agreements/nordwind-halden/revocations",
}


def times(value: JsonValue, place: Place = ()) -> Iterator[tuple[Place, str]]:
    """Yield where a time stands, and each text that is tried there; of a list, in its first item."""
    if isinstance(value, Mapping):
        for name, member in value.items():
            yield from times(member, (*place, str(name)))
    elif isinstance(value, list) and value:
        yield from times(value[0], (*place, 0))
    elif isinstance(value, str):
        for pattern, texts in WRITTEN.values():
            yield from ((place, text) for text in texts if pattern.fullmatch(value))


def with_text(body: JsonObject, place: Place, text: str) -> JsonObject:
    changed: Any = json.loads(json.dumps(body))
    inner = changed
    for step in place[:-1]:
        inner = inner[step]
    inner[place[-1]] = text
    return dict(changed)


async def check_readable(service: Service) -> None:
    for path in (*(f"/claims/{service.world.claim}{part}" for part in READ), "/inbox", "/claims"):
        answer = await service.get(path, ANA)
        assert answer.status_code == 200, f"{path}: {answer.text[:300]}"
    for part in ("", "/summary", "/readiness", "/deposits"):
        answer = await service.get(f"/agreements/{service.world.agreement.id}{part}", ANA)
        assert answer.status_code == 200, f"{part}: {answer.text[:300]}"


@pytest.fixture(scope="module")
def window(template: World, tmp_path_factory: pytest.TempPathFactory) -> World:
    return in_window(template.copied_to(tmp_path_factory.mktemp("window")))


async def status(service: Service, noun: str, place: Place, text: str) -> int:
    said = spoken(service.world, KINDS[noun], service.clock.now)
    keys = [PEOPLE[person].signing_key for person in said.signers]
    path = ADDRESSES[noun].replace("{claim}", service.world.claim)
    sent = envelope_bytes(sign(said.kind, with_text(said.body, place, text), keys))
    answer = await service.post(path, sent, said.signers[0])
    assert answer.status_code in {201, 400, 403, 409, 422}, f"{place} {text}: {answer.text[:300]}"
    if answer.status_code == 201:
        await check_readable(service)
    return answer.status_code


@pytest.mark.parametrize("noun", KINDS)
async def test_a_time_is_refused_or_recorded_and_then_readable(
    noun: str, window: World, tmp_path: Path
) -> None:
    now = ACKNOWLEDGED + timedelta(hours=1)
    left = list(times(spoken(window, KINDS[noun], now).body))
    assert {text for _, text in left} >= set(WRITTEN["a moment"][1])
    while left:
        async with serving(window.copied_to(tmp_path / str(len(left)))) as service:
            service.clock.now = now
            while left and await status(service, noun, *left.pop()) != 201:
                pass
