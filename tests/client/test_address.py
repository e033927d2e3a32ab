"""A server's address is read once, at the door, and what is none is refused as such."""

import pytest

from tallystick.client.address import ServerAddressError, read_address


@pytest.mark.parametrize(
    ("text", "host", "loopback"),
    [
        ("https://escrow.example", "escrow.example", False),
        ("https://escrow.example:8443/base", "escrow.example", False),
        ("HTTPS://Escrow.Example", "escrow.example", False),
        ("Http://127.0.0.1", "127.0.0.1", True),
        ("https://büro.example", "xn--bro-hoa.example", False),
        ("http://127.0.0.1:8080", "127.0.0.1", True),
        ("http://127.8.8.8", "127.8.8.8", True),
        ("http://[::1]:8080", "::1", True),
        ("http://LOCALHOST", "localhost", True),
        ("http://site.localhost.", "site.localhost.", True),
        ("http://localhost.example", "localhost.example", False),
        ("http://127.0.0.1.example", "127.0.0.1.example", False),
        ("http://[::ffff:10.0.0.1]", "::ffff:10.0.0.1", False),
        ("http://10.0.0.1", "10.0.0.1", False),
    ],
)
def test_an_address_says_its_host_and_whether_it_is_this_machine(
    text: str, host: str, loopback: bool
) -> None:
    address = read_address(text)
    assert (address.host, address.loopback) == (host, loopback)
    assert address.secure == text.lower().startswith("https")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "127.0.0.1:8080",
        "ftp://escrow.example",
        "http://",
        "http:///path",
        "http://[::1",
        "http://[::1]x",
        "http://host:port",
        "http://host:0",
        "http://host:65536",
        "http://host:-1",
        "http://a b",
        "http://a\x00b",
        "http://a\nb",
        "http://xn--a",
        "http://\ud800",
        "http://%41",
        "http://*",
        "http://..",
        "http://user:secret@escrow.example",
        "http://escrow.example?query",
        "http://escrow.example#part",
        "http://" + "a" * 70_000,
    ],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ServerAddressError):
        read_address(text)
