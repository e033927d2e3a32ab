"""The office's proxy settings: used where they apply, never to this machine, and refused by name."""

from collections.abc import Mapping

import pytest

from tallystick.client.address import read_address
from tallystick.client.proxies import ProxyUnusableError, proxy_for

PROXY = "http://proxy.example:3128"


def used(api: str, proxies: Mapping[str, str]) -> str | None:
    proxy = proxy_for(read_address(api), proxies)
    return None if proxy is None else str(proxy.url)


@pytest.mark.parametrize(
    ("api", "proxies", "expected"),
    [
        ("https://escrow.example", {}, None),
        ("https://escrow.example", {"https": PROXY}, PROXY),
        ("https://escrow.example", {"http": PROXY}, None),
        ("https://escrow.example", {"all": PROXY}, PROXY),
        ("https://escrow.example", {"https": "proxy.example:3128"}, PROXY),
        ("https://escrow.example", {"https": ""}, None),
        ("http://127.0.0.1:8080", {"http": PROXY}, None),
        ("http://[::1]:8080", {"http": PROXY}, None),
        ("http://localhost", {"all": "no proxy at all"}, None),
    ],
)
def test_the_proxy_of_the_scheme_is_used_except_to_this_machine(
    api: str, proxies: dict[str, str], expected: str | None
) -> None:
    assert used(api, proxies) == expected


@pytest.mark.parametrize(
    ("api", "direct", "expected"),
    [
        ("https://escrow.example", "*", None),
        ("https://escrow.example", "localhost,escrow.example", None),
        ("https://escrow.example", ".example", None),
        ("https://escrow.example", "*.example", None),
        ("https://escrow.example", "Escrow.Example:443", None),
        ("https://escrow.example", "row.example", PROXY),
        ("https://escrow.example", "localhost, fd07:b51a:cc66:f0::/64 ,10.0.0.0/8", PROXY),
        ("https://[fd07:b51a:cc66:f0::7]", "localhost,fd07:b51a:cc66:f0::/64", None),
        ("https://[fd07:b51a:cc66:f1::7]", "fd07:b51a:cc66:f0::/64", PROXY),
        ("https://[fd07::7]", "[fd07::7]", None),
        ("https://10.2.3.4", "10.0.0.0/8", None),
        ("https://10.2.3.4", "10.2.3.4:443", None),
        ("https://11.2.3.4", "10.0.0.0/8", PROXY),
        ("https://escrow.example", "not/a/network,[,::/999,", PROXY),
    ],
)
def test_no_proxy_names_hosts_domains_and_networks(api: str, direct: str, expected: str | None) -> None:
    assert used(api, {"https": PROXY, "no": direct}) == expected


@pytest.mark.parametrize(
    "proxy", ["http://[::1", "http://proxy:port", "socks5://proxy:1080", "http://", "http://\x00", "mailto:x"]
)
def test_a_proxy_that_cannot_be_used_is_refused(proxy: str) -> None:
    with pytest.raises(ProxyUnusableError):
        used("https://escrow.example", {"https": proxy})
