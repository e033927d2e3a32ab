"""Webhooks: JSON, signed as Standard Webhooks asks.

They go only to hosts that the deployment lists, over https, without redirects, to an address that was looked
up once, checked, and then connected to.
"""

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import SplitResult, urlsplit

import httpx

from activities.clock import now
from activities.notices.channels.inner_networks import Address, is_public
from activities.notices.channels.letter import Letter, NotTakenError, Taken
from tallystick.crypto.json.base64 import base64_text
from tallystick.crypto.letter_key import LetterKey
from tallystick.domain.agreement.hosts import host_name
from tallystick.domain.errors import MalformedError
from tallystick.limits.notices import CHANNEL_REPLY_MAX, WEBHOOK_ANSWER_BYTES_MAX

_HTTPS_PORT: Final = 443
_BLANK: Final = b" \t\r\n\xef\xbb\xbf"
_PAGES: Final = (b"<!doctype html", b"<html", b"<?xml")


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhooks:
    """Where the deployment's webhooks may go.

    Attributes:
        hosts: The only hosts, by name.
        letter_key: Signs every webhook.
        loopback: Whether they may go to this machine, even without TLS: for tests and demonstrations.
    """

    hosts: tuple[str, ...]
    letter_key: LetterKey
    loopback: bool

    async def deliver(self, address: str, letter: Letter, signed: bytes) -> Taken:
        """Post a letter's signed file to a webhook."""
        url, host = self._checked_url(address)
        port = url.port or (_HTTPS_PORT if url.scheme == "https" else 80)
        pinned = self._checked_address(await _addresses(host, port))
        literal = f"[{pinned}]" if pinned.version == 6 else str(pinned)  # noqa: PLR2004 - of the protocol
        target = url._replace(netloc=f"{literal}:{port}", fragment="").geturl()
        headers = {
            "host": url.netloc,
            "content-type": "application/json",
            **signature(self.letter_key, letter.id, signed, at=now()),
        }
        async with httpx.AsyncClient(
            timeout=CHANNEL_REPLY_MAX.total_seconds(),
            follow_redirects=False,
            trust_env=False,
            verify=ssl.create_default_context(),
        ) as client:
            request = client.build_request(
                "POST", target, content=signed, headers=headers, extensions={"sni_hostname": host}
            )
            response = await client.send(request, stream=True)
            begins = await _first_bytes(response)
            await response.aclose()
        if not response.is_success:
            raise NotTakenError(f"the host answered {response.status_code}")
        if begins.lstrip(_BLANK).lower().startswith(_PAGES):
            raise NotTakenError(f"the host answered {response.status_code} with a page for people")
        return Taken(taken=True, own=pinned.is_loopback, detail=f"the host answered {response.status_code}")

    def _checked_url(self, address: str) -> tuple[SplitResult, str]:
        """Return a webhook's URL, and the host that it names."""
        try:
            url = urlsplit(address)
            _ = url.port
        except ValueError:
            raise NotTakenError("the address is not a URL") from None
        if url.scheme != "https" and not (self.loopback and url.scheme == "http"):
            raise NotTakenError("the URL is not https")
        if url.username or url.password or not url.hostname:
            raise NotTakenError("the URL has no host, or has a user or a password in it")
        host = _host(url.hostname)
        if host is None or host not in {_host(one) for one in self.hosts}:
            raise NotTakenError("this deployment does not send webhooks to that host")
        return url, host

    def _checked_address(self, addresses: Sequence[Address]) -> Address:
        """Return the address to connect to; if any of them is not public, the whole host is refused."""
        for address in addresses:
            if not is_public(address) and not (self.loopback and address.is_loopback):
                raise NotTakenError("the host's address is not public")
        if not addresses:
            raise NotTakenError("the host has no address")
        return addresses[0]


async def _first_bytes(response: httpx.Response) -> bytes:
    """Return how the body begins; a page that somebody signs in on is no webhook's answer."""
    begins = b""
    async for chunk in response.aiter_raw():
        begins += chunk
        if len(begins) >= WEBHOOK_ANSWER_BYTES_MAX:
            break
    return begins[:WEBHOOK_ANSWER_BYTES_MAX]


def signature(key: LetterKey, letter: str, body: bytes, *, at: datetime) -> Mapping[str, str]:
    """Return the headers that sign a webhook (Standard Webhooks 1.0.0, the asymmetric `v1a`)."""
    timestamp = str(int(at.timestamp()))
    signed = key.signing_key.sign(b"%b.%b.%b" % (letter.encode(), timestamp.encode(), body))
    return {
        "webhook-id": letter,
        "webhook-timestamp": timestamp,
        "webhook-signature": f"v1a,{base64_text(signed)}",
    }


async def _addresses(host: str, port: int) -> Sequence[Address]:
    loop = asyncio.get_running_loop()
    resolved = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [ipaddress.ip_address(str(address[0]).partition("%")[0]) for *_, address in resolved]


def _host(text: str | None) -> str | None:
    try:
        return host_name(text or "")
    except MalformedError:
        return None
