"""How slowly a server may answer, and how much may arrive: bounds of the whole answer, its head included.

HTTP libraries bound the wait for the next byte, so a server that sends a byte now and then could hold its
caller for ever. Here the whole answer has a time, from the end of the request to the end of the answer. They
also read past interim answers such as `100 Continue` without an end, so what arrives is counted here.
"""

import os
import ssl
import time
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

import httpcore
import httpx

from tallystick.limits.client import ANSWER_OVERHEAD_BYTES_MAX

_SocketOption = tuple[int, int, int] | tuple[int, int, bytes | bytearray] | tuple[int, int, None, int]


@dataclass(slots=True, kw_only=True)
class Pace:
    """The time that the answer to the next request may take, and its size.

    Attributes:
        seconds: From the end of the request to the end of the answer.
        bytes_max: Of everything that arrives: interim answers, the head, the body as it is framed.
        bytes_per_second: What each byte that arrives adds to the time; None if nothing does.
    """

    seconds: float
    bytes_max: int
    bytes_per_second: int | None = None


def framed(body_bytes_max: int) -> int:
    """Return how many bytes may arrive for a body: twice as many, as its chunks are framed, and a head."""
    return 2 * body_bytes_max + ANSWER_OVERHEAD_BYTES_MAX


def paced_transport(pace: Pace, proxy: httpx.Proxy | None) -> httpx.HTTPTransport:
    """Return a transport whose answers keep to `pace`; change it between requests to give another its own."""
    transport = httpx.HTTPTransport(
        verify=_trusting(os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")), proxy=proxy
    )
    # httpx hands no network backend on to httpcore, whose constructor would take it.
    transport._pool._network_backend = _PacedBackend(pace)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
    return transport


@cache
def _trusting(file: str | None, folder: str | None) -> ssl.SSLContext:
    """Return what TLS trusts where the environment names these; reading it takes longer than a request."""
    del file, folder  # httpx reads them itself
    return httpx.create_ssl_context()


class _PacedBackend(httpcore.SyncBackend):
    def __init__(self, pace: Pace) -> None:
        self._pace = pace

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[_SocketOption] | None = None,
    ) -> httpcore.NetworkStream:
        opened = super().connect_tcp(host, port, timeout, local_address, socket_options)
        return _PacedStream(opened, self._pace)


class _PacedStream(httpcore.NetworkStream):
    """A connection of which each answer has an end: the clock begins with the first read after a write."""

    def __init__(self, inner: httpcore.NetworkStream, pace: Pace) -> None:
        self._inner, self._pace = inner, pace
        self._until: float | None = None
        self._arrived = 0

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        now = time.monotonic()
        self._until = now + self._pace.seconds if self._until is None else self._until
        if (left := self._until - now) <= 0:
            raise httpcore.ReadTimeout("the answer takes too long")
        read = self._inner.read(max_bytes, left if timeout is None else min(timeout, left))
        self._arrived += len(read)
        if self._arrived > self._pace.bytes_max:
            raise httpcore.ReadError("the answer does not end")
        if self._pace.bytes_per_second is not None:
            self._until += len(read) / self._pace.bytes_per_second
        return read

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._until, self._arrived = None, 0
        self._inner.write(buffer, timeout)

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _PacedStream(self._inner.start_tls(ssl_context, server_hostname, timeout), self._pace)

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401 - httpcore's own signature
        return self._inner.get_extra_info(info)
