"""Connections as uvicorn takes them: heads that trickle, addresses that have many, streams that stay open."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import ClassVar

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.types import ASGIApp

from api.http.connections import Connection
from tallystick.domain.ids import PersonId
from tallystick.limits import EVENT_STREAMS_EACH_MAX
from tallystick.stack import free_port
from tests.support.sites.service import Service
from tests.support.waits import until
from tests.support.worlds.agreements import ANA, BEA

SOON = timedelta(milliseconds=200)
NEVER = timedelta(hours=1)
ASK = b"GET / HTTP/1.1\r\nhost: escrow\r\n\r\n"


@asynccontextmanager
async def served(app: ASGIApp, connection: type[Connection] = Connection) -> AsyncGenerator[int]:
    """Serve `app` as the services are served; yield the port."""
    port = free_port()
    config = uvicorn.Config(app, http=connection, port=port, log_config=None, lifespan="off")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    await until(lambda: server.started)
    yield port
    server.should_exit = server.force_exit = True
    await serving


class Impatient(Connection):
    head_time_max: ClassVar[timedelta] = SOON


class Few(Connection):
    head_time_max: ClassVar[timedelta] = NEVER
    each_max: ClassVar[int] = 2


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


async def connected(port: int, data: bytes = b"") -> Sent:
    sent = Sent(*await asyncio.open_connection("127.0.0.1", port))
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
    async with served(Starlette(), Impatient) as port:
        slow = await connected(port, ASK + ASK[:20])
        assert (await slow.answer).startswith(b"HTTP/1.1 404")
        await slow.rest
        await closed([slow])


async def test_an_address_has_only_its_number_of_connections() -> None:
    async with served(Starlette(), Few) as port:
        kept = [await connected(port) for _ in range(2)]
        third = await connected(port, ASK)
        assert await third.rest == b""
        kept[0].writer.write(ASK)
        assert (await kept[0].answer).startswith(b"HTTP/1.1 404")
        await closed([*kept, third])


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
