"""The server's address, read once from what a person typed, or refused with the reason."""

import ipaddress
import re
from dataclasses import dataclass
from typing import Final

import httpx

from tallystick.domain.errors import MalformedError

_NAME: Final = re.compile(r"[a-z0-9_](?:[a-z0-9._-]*[a-z0-9_.])?")
_PORT_MAX: Final = 65_535


class ServerAddressError(MalformedError):
    """Text that is not a server's address."""

    code = "server-address"
    why = "The server's address is a URL with a host and perhaps a port, but no password and no query."
    advice = "Write it as https://escrow.example, or http://127.0.0.1:8080 for a server on this machine."


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerAddress:
    """A server's address (RFC 3986): where requests go.

    Attributes:
        host: A name as DNS has it, or an IP address without brackets.
    """

    url: str
    host: str
    secure: bool

    @property
    def loopback(self) -> bool:
        """Whether it is this machine, so that nothing passes a wire or a proxy (RFC 6761 section 6.3)."""
        name = self.host.removesuffix(".")
        if name == "localhost" or name.endswith(".localhost"):
            return True
        address = ip_address(self.host)
        return address is not None and address.is_loopback


def read_address(text: str) -> ServerAddress:
    """Return the address that `text` spells.

    Raises:
        ServerAddressError: Not an absolute `http` or `https` URL with a host, or one with more in it.
    """
    if not text.lower().startswith(("http://", "https://")):
        raise ServerAddressError(f"it must begin with https:// or http://, as in http://{text}")
    try:
        url = httpx.URL(text)
        readable = bool(url.host)
    except (httpx.InvalidURL, ValueError):  # ValueError: a host that is no name of IDNA
        raise ServerAddressError("this is not a URL") from None
    host, port = url.raw_host.decode("ascii"), url.port
    named = readable and (_NAME.fullmatch(host) is not None or ip_address(host) is not None)
    if not named or not (port is None or 0 < port <= _PORT_MAX):
        raise ServerAddressError("the URL's host or port is missing or invalid")
    if url.userinfo or "?" in text or "#" in text:
        raise ServerAddressError("the URL has a password, a query or a fragment")
    return ServerAddress(url=text, host=host, secure=url.scheme == "https")


def ip_address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Return the IP address that `text` spells; None if it is a name."""
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None
