"""Whose call is next: one caller's requests, however many, leave others theirs."""

import asyncio
import threading
from collections import Counter
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import AsyncExitStack
from datetime import timedelta
from threading import Event

import httpx
import pytest
from starlette.types import Message, Receive, Scope, Send

from api.backend.known_keys import KnownKeys
from api.http.bounded import Arrivals, TimedBody
from api.http.problems import BodyTooSlowError
from api.http.turns import (
    WIDTHS,
    Lane,
    Line,
    NoTurnInTimeError,
    TooManyRequestsError,
    Turns,
    in_long_turn,
    in_turn,
    subscriber,
)
from tallystick.domain.ids import Digest, PublicKey
from tallystick.domain.statements.acts import Intake
from tallystick.limits.api import (
    ARRIVALS_EACH_MAX,
    CONNECTIONS_MAX,
    HEAVY_REQUESTS_EACH_MAX,
    REQUESTS_WAITING_EACH_MAX,
    STRANGER_REQUESTS_EACH_MAX,
    STRANGERS_MAX,
    UPLOAD_THREADS_MAX,
)
from tests.support.sites.service import STRANGER, Service
from tests.support.waits import until
from tests.support.worlds.agreements import ANA, DORA, PEOPLE

WAITING = REQUESTS_WAITING_EACH_MAX
SOON = timedelta(milliseconds=10)
NEVER = timedelta(hours=1)


async def test_each_caller_has_a_turn_however_many_calls_of_another_wait() -> None:
    line, order = Line(places=1, each=1), list[str]()

    async def call(who: str) -> None:
        async with line.place(who):
            order.append(who)

    async with asyncio.TaskGroup() as calls, line.place("greedy"):
        for who in ("greedy", "greedy", "greedy", "another"):
            calls.create_task(call(who))
            await asyncio.sleep(0)
    assert order == ["greedy", "another", "greedy", "greedy"]


async def test_no_caller_has_more_places_than_theirs_though_others_are_free() -> None:
    line = Line(places=3, each=1, waiting=0)
    async with line.place("greedy"):
        with pytest.raises(TooManyRequestsError):
            await AsyncExitStack().enter_async_context(line.place("greedy"))
        async with line.place("another"), line.place("a third"):
            pass


async def test_who_goes_away_while_they_wait_or_are_called_leaves_their_place_to_the_next() -> None:
    line = Line(places=1, each=1, waiting=1)

    async def call(who: str) -> None:
        async with line.place(who):
            pass

    async with line.place("first"):
        waits, called = (asyncio.create_task(call(who)) for who in ("waits", "called"))
        await asyncio.sleep(0)
        waits.cancel()
        await asyncio.wait([waits])
    called.cancel()  # it was called when the first one left, and does not know it yet
    await asyncio.wait([called])
    assert waits.cancelled()
    assert called.cancelled()
    async with asyncio.timeout(10):
        await call("next")


async def test_who_goes_away_just_before_they_are_called_is_passed_over() -> None:
    line = Line(places=1, each=1)

    async def call(who: str) -> None:
        async with line.place(who):
            pass

    async with line.place("first"):
        gone, following = (asyncio.create_task(call(who)) for who in ("gone", "following"))
        await asyncio.sleep(0)
        gone.cancel()  # it finds out only after the first one has left
    async with asyncio.timeout(10):
        await following
    assert gone.cancelled()


async def test_a_turn_that_does_not_come_in_time_is_reported_and_takes_no_place() -> None:
    line = Line(places=1, each=1, wait_max=SOON)
    async with line.place("first"):
        for who in ("first", "another"):
            with pytest.raises(NoTurnInTimeError):
                async with asyncio.timeout(10):
                    await AsyncExitStack().enter_async_context(line.place(who))
    async with asyncio.timeout(10), line.place("another"):
        pass


async def test_one_persons_long_calls_leave_others_a_thread() -> None:
    turns, go, begun = Turns(), Event(), Counter[str]()

    def last(who: str) -> None:
        begun[who] += 1
        assert go.wait(30)

    async def call(who: str) -> None:
        async with turns.request(who, Lane.UPLOAD):
            await in_long_turn(last, who)

    async with asyncio.TaskGroup() as calls:
        for who in ("greedy", "greedy", "greedy", "second", "third", "fourth"):
            calls.create_task(call(who))
        await until(lambda: begun.total() == UPLOAD_THREADS_MAX - 1)
        async with asyncio.timeout(10), turns.request("small", Lane.UPLOAD):
            assert await in_turn(int, "7") == 7, "a thread is left for what is short"
        assert begun == {"greedy": 1, "second": 1, "third": 1}
        go.set()
    assert begun == {"greedy": 3, "second": 1, "third": 1, "fourth": 1}


@pytest.mark.parametrize("lane", list(Lane))
async def test_one_caller_leaves_half_of_the_threads_to_others(lane: Lane) -> None:
    turns, go, begun = Turns(), Event(), Counter[str]()

    def last(who: str) -> None:
        begun[who] += 1
        assert go.wait(30)

    async def call(who: str) -> None:
        async with turns.request(who, lane):
            await in_turn(last, who)

    half = (WIDTHS[lane].threads + 1) // 2
    async with asyncio.TaskGroup() as calls:
        for _ in range(min(WIDTHS[lane].each, half + 1)):
            calls.create_task(call("greedy"))
        await until(lambda: begun["greedy"] == half)
        async with asyncio.timeout(10), turns.request("other", lane):
            assert await in_turn(int, "7") == 7
        assert begun["greedy"] == half
        go.set()


class Unfinished:
    """Requests whose bodies do not end before `finish` says so."""

    def __init__(self, service: Service) -> None:
        self._service, self._end = service, asyncio.Event()
        self.begun = 0
        self._sent = list[asyncio.Task[httpx.Response]]()

    async def _body(self) -> AsyncIterator[bytes]:
        self.begun += 1
        await self._end.wait()
        yield b"{}"

    def send(self, method: str, path: str, headers: dict[str, str], **query: str) -> None:
        sent = self._service.http.request(
            method, f"/v1{path}", params=query, content=self._body(), headers=headers
        )
        self._sent.append(asyncio.create_task(sent))

    async def under_way(self, wanted: int) -> None:
        """Return when so many have begun to send; those that wait cannot."""
        await until(lambda: self.begun >= wanted)

    async def finish(self) -> list[httpx.Response]:
        self._end.set()
        return await asyncio.gather(*self._sent)


async def test_one_persons_uploads_wait_behind_each_other_and_keep_nobody_elses_act_waiting(
    claimed: Service,
) -> None:
    uploads = Unfinished(claimed)
    where = {"agreement": "nordwind-halden", "purpose": "deposit"}
    for place in range(HEAVY_REQUESTS_EACH_MAX + WAITING + 3):
        path = f"/blobs/sha256:{place:064x}"
        uploads.send("PUT", path, {**claimed.signed_in(DORA), "upload-length": "2"}, **where)
    await uploads.under_way(HEAVY_REQUESTS_EACH_MAX)
    assert (await claimed.says("intakes", Intake, ANA, accepted=True)).status_code == 201
    assert (await claimed.get(f"/claims/{claimed.world.claim}", DORA)).status_code == 200
    assert uploads.begun == HEAVY_REQUESTS_EACH_MAX
    refused = [answer for answer in await uploads.finish() if answer.status_code == 429]
    assert len(refused) == 3
    assert {answer.json()["code"] for answer in refused} == {"too-many-requests"}
    assert all(answer.headers["retry-after"].isdecimal() for answer in refused)


async def test_requests_without_a_known_key_are_counted_by_address_and_keep_no_known_person_waiting(
    claimed: Service,
) -> None:
    nobody = Unfinished(claimed)
    unknown = {"authorization": f"Bearer {claimed.token(STRANGER)}", "content-type": "application/json"}
    forged = {**unknown, "authorization": claimed.signed_in(ANA)["authorization"][:-8] + "AAAAAAAA"}
    for place in range(STRANGER_REQUESTS_EACH_MAX + WAITING + 3):
        nobody.send("POST", "/agreements", forged if place % 2 else unknown)
    await nobody.under_way(STRANGER_REQUESTS_EACH_MAX)
    assert (await claimed.says("intakes", Intake, ANA, accepted=True)).status_code == 201
    assert nobody.begun == STRANGER_REQUESTS_EACH_MAX
    statuses = [answer.status_code for answer in await nobody.finish()]
    assert statuses.count(429) == 3
    assert statuses.count(401) + statuses.count(400) == len(statuses) - 3


async def test_a_crowd_without_keys_keeps_nobody_from_being_known_whatever_address_they_share(
    claimed: Service,
) -> None:
    """Behind a proxy all have one address; whose key is on record gets through at their first request."""
    nobody = Unfinished(claimed)
    unknown = {"authorization": f"Bearer {claimed.token(STRANGER)}", "content-type": "application/json"}
    for _ in range(STRANGER_REQUESTS_EACH_MAX + WAITING + 3):
        nobody.send("POST", "/agreements", unknown)
    await nobody.under_way(STRANGER_REQUESTS_EACH_MAX)
    assert (await claimed.get("/deployment", None)).status_code == 200
    assert (await claimed.get(f"/claims/{claimed.world.claim}", DORA)).status_code == 200
    root = {"authorization": f"Bearer {claimed.token(PEOPLE[ANA].signing_key)}"}
    body = {**root, "content-type": "application/json"}
    registering = await claimed.http.post("/v1/agreements", content=b"{}", headers=body)
    assert registering.json()["code"] != "too-many-requests"
    await nobody.finish()


async def test_keys_that_nobody_knows_are_looked_up_together() -> None:
    looks, held = list[frozenset[Digest]](), threading.Event()

    def look(wanted: Collection[Digest]) -> Mapping[Digest, PublicKey]:
        looks.append(frozenset(wanted))
        held.wait(30)
        return {one: PublicKey(f"ed25519:{one}") for one in wanted if one == "dora"}

    keys = KnownKeys(look)
    async with asyncio.TaskGroup() as asking:
        asking.create_task(keys.found(Digest("first")))
        await until(lambda: len(looks) == 1)
        for place in range(50):
            asking.create_task(keys.found(Digest(f"nobody {place}")))
        asking.create_task(keys.found(Digest("dora")))
        await asyncio.sleep(0)
        held.set()
    assert [len(one) for one in looks] == [1, 51]
    assert keys.get(Digest("dora")) == "ed25519:dora"
    assert keys.get(Digest("nobody 1")) is None


async def test_all_whom_nobody_knows_together_leave_connections_to_the_others() -> None:
    line = Line(places=3, each=1, waiting=3, crowd=2)
    async with line.place("one"), line.place("two"):
        with pytest.raises(TooManyRequestsError):
            await AsyncExitStack().enter_async_context(line.place("three"))
    assert WIDTHS[Lane.STRANGER].crowd == STRANGERS_MAX < CONNECTIONS_MAX // 2


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8:1:2:3::4", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::4", "2001:db8:1:3::4", False),
        ("192.0.2.1", "192.0.2.2", False),
        ("proxy.sock", "proxy.sock", True),
    ],
)
def test_one_subscriber_has_a_whole_network_of_ipv6(one: str, other: str, *, same: bool) -> None:
    assert (subscriber(one) == subscriber(other)) is same


async def test_an_address_with_many_connections_begins_few_requests_before_anothers_turn() -> None:
    begun = list[str]()

    async def app(scope: Scope, _: Receive, __: Send) -> None:
        begun.append(scope["client"][0])

    async def unsent(_: Message) -> None:
        return

    arrivals = Arrivals(app)
    async with asyncio.TaskGroup() as asked:
        for host in (*["192.0.2.1"] * 100, "192.0.2.2"):
            asked.create_task(arrivals({"type": "http", "client": (host, 1)}, never, unsent))
    assert begun.index("192.0.2.2") <= ARRIVALS_EACH_MAX
    assert len(begun) == 101


async def never() -> Message:
    await asyncio.Event().wait()
    raise AssertionError("it waits for ever")


@pytest.mark.parametrize(("pause_max", "time_max"), [(SOON, NEVER), (NEVER, SOON)])
async def test_a_body_that_does_not_go_on_is_given_up(pause_max: timedelta, time_max: timedelta) -> None:
    body = TimedBody(never, pause_max=pause_max, time_max=time_max)
    with pytest.raises(BodyTooSlowError):
        await body.receive()


async def test_a_body_that_only_trickles_is_given_up() -> None:
    async def trickle() -> Message:
        await asyncio.sleep(0)
        return {"type": "http.request", "body": b"", "more_body": True}

    body = TimedBody(trickle, pause_max=NEVER, time_max=SOON)
    with pytest.raises(BodyTooSlowError):
        await _whole(body)


async def _whole(body: TimedBody) -> None:
    while (await body.receive())["more_body"]:
        pass


async def test_after_its_body_a_request_waits_as_long_as_it_likes() -> None:
    parts = iter([{"type": "http.request", "body": b"{}", "more_body": False}])

    async def ended() -> Message:
        return next(parts, None) or await never()

    body = TimedBody(ended, pause_max=SOON, time_max=SOON)
    await body.receive()
    with pytest.raises(TimeoutError):  # ours, not the body's
        await asyncio.wait_for(body.receive(), 3 * SOON.total_seconds())
