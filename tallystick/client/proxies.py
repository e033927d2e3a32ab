"""The office's proxy: which one requests to a server go through, by the environment.

The environment is read here and not by the HTTP library, which knows no networks in `NO_PROXY` and ends with
an exception at an IPv6 network. Nothing goes through a proxy to this machine itself.
"""

import ipaddress
from collections.abc import Mapping
from typing import Final

import httpx

from tallystick.client.address import ServerAddress, ip_address
from tallystick.domain.errors import TallystickError

_SCHEMES: Final = frozenset({"http", "https"})


class ProxyUnusableError(TallystickError):
    """The environment names a proxy that cannot be used."""

    code = "proxy-unusable"
    why = "`HTTPS_PROXY`, `HTTP_PROXY` and `ALL_PROXY` take a URL such as http://proxy:3128; this is not one."
    advice = "Correct the variable, unset it, or name the server's host in `NO_PROXY`."


def proxy_for(server: ServerAddress, proxies: Mapping[str, str]) -> httpx.Proxy | None:
    """Return the proxy for a server; None if requests go there directly.

    Args:
        proxies: By scheme (`http`, `https`, `all`), and under `no` the hosts that are reached directly,
            as `urllib.request.getproxies` reads them from the environment.

    Raises:
        ProxyUnusableError: Not an HTTP proxy's URL.
    """
    named = proxies.get("https" if server.secure else "http") or proxies.get("all")
    if not named or server.loopback or _is_direct(server.host, proxies.get("no", "")):
        return None
    url = named if "://" in named else f"http://{named}"
    try:
        proxy = httpx.Proxy(url)
    except (httpx.InvalidURL, ValueError):
        raise ProxyUnusableError("the proxy's URL is malformed") from None
    if proxy.url.scheme not in _SCHEMES or not proxy.url.host:
        raise ProxyUnusableError("not an HTTP proxy", scheme=proxy.url.scheme)
    return proxy


def _is_direct(host: str, entries: str) -> bool:
    return any(_covers(entry.strip().lower(), host) for entry in entries.replace(" ", ",").split(","))


def _covers(entry: str, host: str) -> bool:
    """Whether an entry of `NO_PROXY` covers a host: as itself, its domain, its network or `*`."""
    address = ip_address(host)
    if entry == "*" or address is None:
        domain = _without_port(entry).lstrip("*").lstrip(".")
        return entry == "*" or (domain != "" and (host == domain or host.endswith(f".{domain}")))
    try:
        return address in ipaddress.ip_network(entry.removeprefix("[").removesuffix("]"), strict=False)
    except ValueError:
        return ip_address(_without_port(entry).strip("[]")) == address


def _without_port(entry: str) -> str:
    host, colon, port = entry.rpartition(":")
    return host if colon and port.isdecimal() else entry
