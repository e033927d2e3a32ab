"""Connections as uvicorn takes them: heads that trickle, addresses that have many, streams that stay open."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import ClassVar

import pytest
from starlette.applications import Starlette
from starlette.types import Message, Receive, Scope, Send

from api.http.bounded import held_until_taken
from api.http.connections import Connection
from api.http.heads import OneLength
from tallystick.domain.ids import PersonId
from tallystick.limits.api import (
    CHUNK_BYTES_MIN,
    CHUNKS_FREE,
    EVENT_STREAMS_EACH_MAX,
    HEAD_BYTES_MAX,
    HEAD_LINES_MAX,
)
from tests.support.sites.served import served
from tests.support.sites.service import Service
from tests.support.waits import until
from tests.support.worlds.agreements import ANA, BEA

SOON = timedelta(milliseconds=200)
NEVER = timedelta(hours=1)
ASK = b"GET / HTTP/1.1\r\nhost: escrow\r\n\r\n"


class Impatient(Connection):
    head_time_max: ClassVar[timedelta] = SOON


class HangsUp(Connection):
    answer_pause_max: ClassVar[timedelta] = SOON
    lost: ClassVar[int] = 0

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        HangsUp.lost += 1


class HoldsAll(HangsUp):
    answer_buffer_bytes: ClassVar[int] = 1 << 30  # so that nobody who makes an answer ever waits


class Looks(HoldsAll):
    answer_pause_max: ClassVar[timedelta] = timedelta(seconds=2)
    looks: ClassVar[int] = 0

    def _look(self, since: float, waiting: int) -> None:
        super()._look(since, waiting)
        Looks.looks += 1


class Few(Connection):
    head_time_max: ClassVar[timedelta] = NEVER
    each_max: ClassVar[int] = 2


class Crowded(Connection):
    all_max: ClassVar[int] = 4


class Sent:
    """One connection, and what was sent over it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @property
    async def answer(self) -> bytes:
        async with asyncio.timeout(30):
            return await self.reader.readline()

    @property
    async def rest(self) -> bytes:
        """What comes until the server hangs up."""
        try:
            return await asyncio.wait_for(self.reader.read(), 30)
        except ConnectionResetError:
            return b""


async def connected(port: int, data: bytes = b"", *, by: str = "127.0.0.1") -> Sent:
    sent = Sent(*await asyncio.open_connection("127.0.0.1", port, local_addr=(by, 0)))
    sent.writer.write(data)
    return sent


async def closed(connections: Sequence[Sent]) -> None:
    for one in connections:
        one.writer.close()


@pytest.mark.parametrize("begun", [b"", b"GET / HTTP/1.1\r\nhost: esc"])
async def test_a_head_that_does_not_arrive_closes_its_connection(begun: bytes) -> None:
    async with served(Starlette(), Impatient) as port:
        slow = await connected(port, begun)
        assert await slow.rest == b""
        await closed([slow])


async def test_the_head_of_a_second_request_has_its_time_too() -> None:
    async with served(Starlette(), Impatient, idle_seconds=1) as port:
        at_once, later = await connected(port, ASK + ASK[:20]), await connected(port, ASK)
        for slow in (at_once, later):
            assert (await slow.answer).startswith(b"HTTP/1.1 404")
        later.writer.write(ASK[:20])
        for slow in (later, at_once):
            await slow.rest
        await closed([at_once, later])


async def test_an_address_has_only_its_number_of_connections() -> None:
    async with served(Starlette(), Few) as port:
        kept = [await connected(port) for _ in range(2)]
        third = await connected(port, ASK)
        assert await third.rest == b""
        kept[0].writer.write(ASK)
        assert (await kept[0].answer).startswith(b"HTTP/1.1 404")
        await closed([*kept, third])


class AtWork:
    """Answers `/soon` at once, and everything else when `done` says so; counts what it was asked."""

    def __init__(self) -> None:
        self.asked, self.done = 0, asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        del receive
        self.asked += 1
        if scope["path"] != "/soon":
            await self.done.wait()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})


async def test_an_address_with_every_connection_at_work_makes_room_for_another_address() -> None:
    app = AtWork()
    async with served(app, Crowded) as port:
        greedy = list[Sent]()
        for number in range(Crowded.all_max):
            greedy.append(await connected(port, ASK))
            await until(lambda asked=number + 1: app.asked == asked)  # type: ignore[misc]
        other = await connected(port, ASK.replace(b"/ ", b"/soon "), by="127.0.0.2")
        assert (await other.answer).startswith(b"HTTP/1.1 200"), "who came is heard"
        assert await greedy[-1].rest == b"", "the last that came made room"
        app.done.set()
        for one in greedy[:-1]:
            assert (await one.answer).startswith(b"HTTP/1.1 200"), "and no other"
        await closed([*greedy, other])


async def test_an_idle_connection_makes_room_before_one_at_work() -> None:
    app = AtWork()
    async with served(app, Crowded) as port:
        idle = await connected(port)
        at_work = [await connected(port, ASK) for _ in range(Crowded.all_max - 1)]
        await until(lambda: app.asked == len(at_work))
        other = await connected(port, ASK.replace(b"/ ", b"/soon "), by="127.0.0.2")
        assert (await other.answer).startswith(b"HTTP/1.1 200")
        assert await idle.rest == b""
        app.done.set()
        for one in at_work:
            assert (await one.answer).startswith(b"HTTP/1.1 200")
        await closed([idle, *at_work, other])


async def test_nobody_makes_room_for_an_address_that_has_as_many() -> None:
    app = AtWork()
    async with served(app, Crowded) as port:
        kept = list[Sent]()
        for number in range(Crowded.all_max):
            kept.append(await connected(port, ASK, by=f"127.0.0.{1 + number % 2}"))
            await until(lambda asked=number + 1: app.asked == asked)  # type: ignore[misc]
        one_more = await connected(port, ASK, by="127.0.0.2")
        assert await one_more.rest == b""
        app.done.set()
        for one in kept:
            assert (await one.answer).startswith(b"HTTP/1.1 200")
        await closed([*kept, one_more])


def followed(service: Service, person: PersonId) -> bytes:
    token = service.signed_in(person)["authorization"]
    path = f"/v1/claims/{service.world.claim}/events"
    return f"GET {path} HTTP/1.1\r\nhost: escrow\r\nauthorization: {token}\r\n\r\n".encode()


async def test_one_persons_open_streams_are_counted_before_they_begin_and_leave_others_theirs(
    claimed: Service,
) -> None:
    async with served(claimed.app) as port:
        asked = [await connected(port, followed(claimed, ANA)) for _ in range(EVENT_STREAMS_EACH_MAX + 4)]
        statuses = [(await one.answer).split()[1] for one in asked]
        assert sorted(statuses) == EVENT_STREAMS_EACH_MAX * [b"200"] + 4 * [b"429"]
        other = await connected(port, followed(claimed, BEA))
        assert (await other.answer).split()[1] == b"200"
        await closed([*asked, other])


def test_connections_from_one_subscribers_addresses_are_counted_together() -> None:
    """In IPv6 a subscriber has 2^64 addresses, and could take all connections with one from each."""
    one, other = (object.__new__(Connection) for _ in range(2))
    one.client, other.client = ("2001:db8:1:2::3", 1), ("2001:db8:1:2:ffff::4", 2)
    assert one.address == other.address


LARGE = 16 << 20  # more than all buffers between a server and a client who reads nothing hold


class Answering:
    """Answers with `LARGE` bytes in pieces, and notes what became of it."""

    def __init__(self, *, pieces: int) -> None:
        self.pieces, self.sent, self.taken = pieces, 0, False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        del scope, receive
        length = str(LARGE).encode()
        await self._say(
            send, {"type": "http.response.start", "status": 200, "headers": [(b"content-length", length)]}
        )
        piece = bytes(LARGE // self.pieces)
        for left in reversed(range(self.pieces)):
            await self._say(send, {"type": "http.response.body", "body": piece, "more_body": left > 0})
        self.taken = True

    async def _say(self, send: Send, message: Message) -> None:
        await held_until_taken(send)(message)
        self.sent += 1


@pytest.mark.parametrize("connection", [HangsUp, HoldsAll])
@pytest.mark.parametrize("pieces", [1, 64])
async def test_a_reader_who_takes_nothing_of_an_answer_is_hung_up_on(
    connection: type[Connection], pieces: int
) -> None:
    answering, before = Answering(pieces=pieces), HangsUp.lost
    async with served(answering, connection) as port:
        slow = await connected(port, ASK)
        try:
            await until(lambda: HangsUp.lost > before, 20)
            assert len(await slow.rest) < LARGE
        finally:
            await closed([slow])


async def test_a_reader_who_keeps_reading_gets_all_of_the_answer() -> None:
    answering = Answering(pieces=64)
    async with served(answering, HangsUp) as port:
        steady = await connected(port, ASK)
        head = await steady.reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200")
        async with asyncio.timeout(60):
            assert await steady.reader.readexactly(LARGE) == bytes(LARGE)
        await closed([steady])


async def test_a_reader_is_not_hung_up_on_because_another_answer_came_behind_the_first() -> None:
    async with served(Answering(pieces=64), Looks) as port:
        steady = await connected(port, ASK + ASK)
        try:
            await until(lambda: Looks.looks > 0)  # at both answers, of which the first look knew one
            async with asyncio.timeout(60):
                read = 0
                while read < 2 * LARGE:
                    part = await steady.reader.read(LARGE)
                    assert part, "it was hung up on"
                    read += len(part)
        finally:
            await closed([steady])


async def test_a_large_answer_keeps_its_place_until_it_is_taken() -> None:
    answering = Answering(pieces=1)
    async with served(answering) as port:
        slow = await connected(port, ASK)
        await until(lambda: answering.sent == 1)
        other = await connected(port, ASK)
        await other.reader.readuntil(b"\r\n\r\n")  # by then, the first answer was written
        assert not answering.taken
        for one in (slow, other):
            one.writer.close()
        await until(lambda: answering.taken)


async def test_a_body_with_two_lengths_is_refused_and_what_follows_is_no_request() -> None:
    both = (
        b"POST / HTTP/1.1\r\nhost: escrow\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"
    )
    async with served(OneLength(Starlette())) as port:
        sent = await connected(port, both + ASK)
        answered = await sent.rest
        assert answered.startswith(b"HTTP/1.1 400")
        assert b"connection: close" in answered.lower()
        assert answered.count(b"HTTP/1.1") == 1
        one = await connected(port, ASK)
        assert (await one.answer).startswith(b"HTTP/1.1 404")
        await closed([sent, one])


class Unbounded(asyncio.Protocol):
    """Stands in for the library of WebSockets that somebody installs later."""

    made: ClassVar[int] = 0

    def __init__(self, **_: object) -> None:
        Unbounded.made += 1


async def test_a_connection_stays_bound_though_it_asks_to_be_upgraded_and_a_library_would() -> None:
    upgrade = b"connection: upgrade\r\nupgrade: websocket\r\n\r\n"
    async with served(Starlette(), upgraded=Unbounded) as port:
        sent = await connected(port, ASK.removesuffix(b"\r\n") + upgrade)
        assert (await sent.answer).startswith(b"HTTP/1.1 404")
        assert Unbounded.made == 0
        await closed([sent])


CHUNKED = b"POST / HTTP/1.1\r\nhost: escrow\r\ntransfer-encoding: chunked\r\n\r\n"
TINY = b"1\r\na\r\n"


async def test_a_body_of_many_tiny_chunks_is_refused_before_its_end_even_after_the_answer() -> None:
    async with served(Starlette()) as port:
        begun = await connected(port, CHUNKED + TINY * CHUNKS_FREE)
        assert (await begun.answer).startswith(b"HTTP/1.1 404")
        begun.writer.write(TINY * 8 + b"0\r\n\r\n" + ASK)
        assert b"HTTP/1.1" not in await begun.rest
        whole = await connected(port, CHUNKED + TINY * CHUNKS_FREE + b"0\r\n\r\n" + ASK)
        answered = b"".join([await whole.reader.readuntil(b"HTTP/1.1 404") for _ in range(2)])
        assert answered.count(b"HTTP/1.1 404") == 2
        await closed([begun, whole])


class Reads:
    """Answers once it has the whole body."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        del scope
        while (await receive()).get("more_body"):
            pass
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})


async def test_a_body_may_have_as_many_chunks_as_their_size_allows() -> None:
    chunk = b"%x\r\n%b\r\n" % (CHUNK_BYTES_MIN, b"a" * CHUNK_BYTES_MIN)
    async with served(Reads()) as port:
        fair = await connected(port, CHUNKED + chunk * (2 * CHUNKS_FREE) + TINY * CHUNKS_FREE + b"0\r\n\r\n")
        assert (await fair.answer).startswith(b"HTTP/1.1 200")
        greedy = await connected(port, CHUNKED + TINY * (CHUNKS_FREE + 8))
        assert (await greedy.answer).startswith(b"HTTP/1.1 400")
        await closed([fair, greedy])


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        (b"a: b\r\n" * (HEAD_LINES_MAX - 1), b"404"),
        (b"a: b\r\n" * HEAD_LINES_MAX, b"400"),
        (b"a: " + b"b" * 2 * HEAD_BYTES_MAX + b"\r\n", b"400"),
    ],
)
async def test_a_head_is_bounded_though_it_arrives_at_once(lines: bytes, status: bytes) -> None:
    async with served(Starlette()) as port:
        sent = await connected(port, b"GET / HTTP/1.1\r\nhost: escrow\r\n" + lines + b"\r\n")
        assert (await sent.answer).split()[1] == status
        await closed([sent])
