"""A gRPC server of one answer: what stands before Temporal, or in its place.

It speaks as much HTTP/2 (RFC 9113) as that takes. Whatever is asked, the answer is one block of headers.
"""

import asyncio
import struct
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from itertools import chain, repeat
from typing import Final, TypeAlias

_PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_DATA, _HEADERS, _SETTINGS, _PING = 0x0, 0x1, 0x4, 0x6
_ACK, _END_HEADERS, _END_STREAM_AND_HEADERS = 0x1, 0x4, 0x5

Answer: TypeAlias = Callable[[int], bytes]
"""The frames that answer the request of a stream."""


def refusing(status: int, message: str = "refused") -> Mapping[str, str]:
    """The headers with which a gRPC server refuses (trailers only)."""
    return {
        ":status": "200",
        "content-type": "application/grpc",
        "grpc-status": str(status),
        "grpc-message": message,
    }


def page(status: int) -> Mapping[str, str]:
    """The headers with which a proxy that knows no gRPC answers."""
    return {":status": str(status), "content-type": "text/html"}


@asynccontextmanager
async def answering(
    headers: Mapping[str, str], *, greeted: int = 0, asked: list[str] | None = None
) -> AsyncGenerator[str]:
    """Answer every request with `headers`, and give the address.

    Args:
        greeted: How many requests of each connection succeed, with an empty answer: a client of Temporal
            begins with asking what the server can do, and ours with whether it has the namespace.
        asked: Gets the address of each connection.
    """
    talking = list[asyncio.Task[None]]()

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        (asked if asked is not None else []).append(str(writer.get_extra_info("peername")))
        talking.append(asyncio.create_task(_talk(reader, writer, _refusal(headers), greeted)))

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    try:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for task in talking:
            task.cancel()
        await asyncio.gather(*talking, return_exceptions=True)


async def _talk(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, refusal: Answer, greeted: int
) -> None:
    answers = chain(repeat(_greeting, greeted), repeat(refusal))
    try:
        await reader.readexactly(len(_PREFACE))
        writer.write(_frame(_SETTINGS, 0, 0, b""))
        while True:
            head = await reader.readexactly(9)
            kind, flags, stream = head[3], head[4], int.from_bytes(head[5:9])
            payload = await reader.readexactly(int.from_bytes(head[:3]))
            if kind == _HEADERS:
                writer.write(next(answers)(stream))
            elif kind in {_SETTINGS, _PING} and not flags & _ACK:
                writer.write(_frame(kind, _ACK, 0, payload if kind == _PING else b""))
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


def _refusal(headers: Mapping[str, str]) -> Answer:
    block = _block(headers)
    return lambda stream: _frame(_HEADERS, _END_STREAM_AND_HEADERS, stream, block)


def _greeting(stream: int) -> bytes:
    """An empty message, and that all went well."""
    begins = _block({":status": "200", "content-type": "application/grpc"})
    return (
        _frame(_HEADERS, _END_HEADERS, stream, begins)
        + _frame(_DATA, 0, stream, bytes(5))
        + _frame(_HEADERS, _END_STREAM_AND_HEADERS, stream, _block({"grpc-status": "0"}))
    )


def _frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return len(payload).to_bytes(3) + struct.pack(">BBI", kind, flags, stream) + payload


def _block(headers: Mapping[str, str]) -> bytes:
    """Headers as HPACK spells them without an index (RFC 7541 section 6.2.2); each is short."""
    fields = ((name.encode(), value.encode()) for name, value in headers.items())
    return b"".join(
        b"\x00" + bytes([len(name)]) + name + bytes([len(value)]) + value for name, value in fields
    )
