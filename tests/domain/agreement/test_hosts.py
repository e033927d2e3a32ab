"""Hosts, spelt one way."""

import pytest

from tallystick.domain.agreement.hosts import NoHostNameError, host_name


@pytest.mark.parametrize(
    ("spelt", "name"),
    [
        ("Hooks.Example", "hooks.example"),
        ("hooks.example.", "hooks.example"),
        ("BÜCHER.example", "xn--bcher-kva.example"),
        ("XN--BCHER-KVA.example", "xn--bcher-kva.example"),
        ("[2001:DB8::1]", "2001:db8::1"),
        ("127.0.0.1", "127.0.0.1"),
    ],
)
def test_a_host_has_one_spelling(spelt: str, name: str) -> None:
    assert host_name(spelt) == name


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "a..b",
        "https://hooks.example",
        "hooks.example:443",
        "hooks.example/in",
        "a b",
        "-a",
        "x" * 64,
        "7.7.6.66666666",
        "0x7f.1",
        "hooks.0x",
    ],
)
def test_what_names_no_host_is_refused(text: str) -> None:
    with pytest.raises(NoHostNameError):
        host_name(text)
