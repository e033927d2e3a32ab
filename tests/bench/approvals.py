"""An approval from HTTP request to acknowledgement, beside a bare update and one durable insert."""

import asyncio
import http.client
import statistics
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from itertools import count
from typing import Final

from temporalio.client import Client, WorkflowHandle

from tallystick.client.bearer import bearer_token
from tallystick.crypto.envelope import envelope_bytes
from tallystick.domain.ids import PersonId
from tests.bench.floor import CLAIMS, Bare, Inserts
from tests.bench.measuring import Row, Seconds, milliseconds, percentile
from tests.bench.site import BenchSite
from tests.support.stories.releases import Release
from tests.support.worlds.agreements import ANA, DORA, KIM, TOM, keys_of

CALLERS: Final = 20
ALONE_CLAIMS: Final = 8
WAVES: Final = 5
APPROVERS: Final = (ANA, KIM, TOM, DORA)
CLAIMS_NEEDED: Final = ALONE_CLAIMS + CALLERS * WAVES // 2
"""A claim takes one approval of each approver; a caller sends two a wave."""
ALONE_AT_MOST: Final = 2.0
CROWD_AT_MOST: Final = 3.0
"""How many times its floor's time an approval may take."""

Act = Callable[[], Awaitable[None]]
_numbers = count()


class Caller:
    """A caller with a connection of their own, cheap for this machine: real callers are elsewhere."""

    def __init__(self, api: str, threads: ThreadPoolExecutor) -> None:
        self._connection = http.client.HTTPConnection(api.removeprefix("http://"), timeout=60)
        self._threads = threads

    async def post(self, path: str, body: bytes, headers: Mapping[str, str]) -> None:
        """Send a statement, and wait until it is acknowledged."""
        await asyncio.get_running_loop().run_in_executor(self._threads, self._post, path, body, headers)

    def _post(self, path: str, body: bytes, headers: Mapping[str, str]) -> None:
        self._connection.request("POST", path, body, dict(headers))
        answer = self._connection.getresponse()
        said = answer.read()
        assert answer.status == HTTPStatus.CREATED, said

    def close(self) -> None:
        """Hang up; the next statement goes over a new connection."""
        self._connection.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Approvals:
    """What is measured, and against what."""

    callers: Sequence[Caller]
    headers: Mapping[PersonId, Mapping[str, str]]
    bare: Sequence[WorkflowHandle[Bare, int]]
    inserts: Inserts
    kept_in: str

    def ours(self, place: int, claim: Release, person: PersonId) -> Act:
        """An approval that is signed now and sent when called."""
        body = envelope_bytes(claim.approval(person))
        path = f"/v1/claims/{claim.claim}/approvals"

        async def send() -> None:
            await self.callers[place].post(path, body, self.headers[person])

        return send

    def floor(self, place: int, envelope: str) -> Act:
        """A bare update, and then one durable insert."""
        handle = self.bare[place]

        async def send() -> None:
            await handle.execute_update(Bare.take, envelope, id=f"take-{next(_numbers)}")
            await asyncio.to_thread(self.inserts.insert, envelope.encode())

        return send

    def same_shape(self, place: int, envelope: str) -> Act:
        """A bare update whose handler has one activity insert: acknowledged when it is durable."""
        handle = self.bare[place]

        async def send() -> None:
            await handle.execute_update(Bare.keep, args=[self.kept_in, envelope], id=f"keep-{next(_numbers)}")

        return send


async def measure_approvals(site: BenchSite, claims: Sequence[Release]) -> list[Row]:
    """Return the rows about approvals; every claim is accepted, and its window open."""
    assert len(claims) >= CLAIMS_NEEDED
    client = await Client.connect(site.settings.temporal_address)
    bare = [
        await client.start_workflow(Bare.run, 0, id=f"bare-{place}", task_queue=CLAIMS)
        for place in range(CALLERS)
    ]
    kept_in = site.folder / "floor.db"
    inserts = Inserts(kept_in)
    with ThreadPoolExecutor(CALLERS) as threads:
        callers = [Caller(site.api, threads) for _ in range(CALLERS)]
        with_site = Approvals(
            callers=callers, headers=_headers(site), bare=bare, inserts=inserts, kept_in=str(kept_in)
        )
        alone = await _alone(with_site, claims[:ALONE_CLAIMS])
        crowd = await _crowd(with_site, claims[ALONE_CLAIMS:])
        for caller in callers:
            caller.close()
    inserts.close()
    for handle in bare:
        await handle.signal(Bare.end)
    return [
        *_rows("1 caller", alone, at_most=ALONE_AT_MOST),
        *_rows(f"{CALLERS} callers", crowd, at_most=CROWD_AT_MOST),
    ]


def _headers(site: BenchSite) -> Mapping[PersonId, Mapping[str, str]]:
    made: dict[PersonId, Mapping[str, str]] = {}
    for person in APPROVERS:
        token = bearer_token(keys_of(person), deployment=site.settings.deployment, at=datetime.now(UTC))
        made[person] = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    return made


@dataclass(frozen=True, slots=True, kw_only=True)
class Rounds:
    """For each round, how long one approval and each floor took; and every single latency."""

    ours: list[float]
    floor: list[float]
    shape: list[float]
    single: list[float]


async def _alone(at: Approvals, claims: Sequence[Release]) -> Rounds:
    """Time them one after the other, in turn; the first claim warms up."""
    found = Rounds(ours=[], floor=[], shape=[], single=[])
    for place, claim in enumerate(claims):
        for person in APPROVERS:
            text = envelope_bytes(claim.approval(person)).decode()
            ours = await _timed([at.ours(0, claim, person)])
            floor = await _timed([at.floor(0, text)])
            shape = await _timed([at.same_shape(0, text)])
            if place > 0:
                _note(found, ours, floor, shape)
    return found


async def _crowd(at: Approvals, claims: Sequence[Release]) -> Rounds:
    """Time twenty callers at once, each on a claim of their own, with two approvals per wave, in turn."""
    found = Rounds(ours=[], floor=[], shape=[], single=[])
    for wave in range(WAVES):
        some = claims[wave // 2 * CALLERS :][:CALLERS]
        for caller in at.callers:
            caller.close()  # while the floor was measured, the API may have hung up
        pair = APPROVERS[2 * (wave % 2) :][:2]
        text = envelope_bytes(some[0].approval(KIM)).decode()
        ours = [[at.ours(place, claim, person) for person in pair] for place, claim in enumerate(some)]
        floor = [[at.floor(place, text) for _ in pair] for place in range(CALLERS)]
        shape = [[at.same_shape(place, text) for _ in pair] for place in range(CALLERS)]
        _note(
            found,
            *[_flat(await asyncio.gather(*[_timed(acts) for acts in each])) for each in (ours, floor, shape)],
        )
    return found


async def _timed(acts: Sequence[Act]) -> Seconds:
    times: list[float] = []
    for act in acts:
        begun = time.perf_counter()
        await act()
        times.append(time.perf_counter() - begun)
    return times


def _flat(times: Sequence[Seconds]) -> Seconds:
    return [one for some in times for one in some]


def _note(found: Rounds, ours: Seconds, floor: Seconds, shape: Seconds) -> None:
    found.ours.append(statistics.fmean(ours))
    found.floor.append(statistics.fmean(floor))
    found.shape.append(statistics.fmean(shape))
    found.single.extend(ours)


def _rows(callers: str, found: Rounds, *, at_most: float) -> list[Row]:
    ours = f"{milliseconds(found.ours)} (p95 {percentile(found.single, 0.95) * 1000:.0f} ms)"
    return [
        Row(
            what=f"approval, {callers}",
            ours=ours,
            floor=f"{milliseconds(found.floor)}: a bare update, then one insert",
            ratios=[one / other for one, other in zip(found.ours, found.floor, strict=True)],
            at_most=at_most,
            why="approval",
        ),
        Row(
            what=f"approval, {callers}, same shape",
            ours=milliseconds(found.ours),
            floor=f"{milliseconds(found.shape)}: an update whose handler has one activity insert",
            ratios=[one / other for one, other in zip(found.ours, found.shape, strict=True)],
        ),
    ]
