"""What another's server answers, and its name. The twins: Python's `json`; httpx, which connects to it."""

import contextlib
import io
import json
from collections.abc import Iterable
from typing import Final

import httpx

from tallystick.cli.output import print_problem
from tallystick.client.problems import UnreachableError
from tallystick.client.received import Received, check
from tallystick.domain.agreement.hosts import NoHostNameError, host_name
from tallystick.domain.errors import TallystickError
from tallystick.domain.quoting import drawn_by
from tests.fuzz.target import Target

_HEADERS: Final = httpx.Headers({"Content-Type": "application/problem+json"})
_PROBLEM: Final = {
    "type": "urn:tallystick:problem:denial-stands",
    "code": "denial-stands",
    "title": "why",
    "detail": "what \u202e exactly",
    "advice": "do\nthis",
    "facts": {"claim": "clm-1", "message": [1, None, {"a": True}], "self": "\u2066turned"},
    "retryable": True,
}


def judge_refusal(data: bytes) -> bool:
    """A server's refusal is printed with its code, and nothing that it says draws."""
    told = io.StringIO()
    try:
        check(Received(status=409, headers=_HEADERS, content=data), "application/json")
    except UnreachableError:
        return False
    except TallystickError as error:
        with contextlib.redirect_stderr(told):
            print_problem(error)
    assert json.loads(told.getvalue())["code"] == json.loads(data)["code"]
    assert all(drawn_by(line) is None for line in told.getvalue().split("\n")), "a text of others draws"
    return True


def judge_host(data: bytes) -> bool:
    """A host has one name, and a client that is given this name connects to the same."""
    try:
        name = host_name(data.decode("utf-8"))
    except (NoHostNameError, UnicodeDecodeError):
        return False
    assert host_name(name) == name
    literal = f"[{name}]" if ":" in name else name
    assert httpx.URL(f"https://{literal}/").raw_host.decode() == name
    return True


def _refusals() -> Iterable[bytes]:
    for changed in (
        {},
        {"code": "of-later", "type": "urn:tallystick:problem:of-later"},
        {"type": "about:blank"},
    ):
        yield json.dumps({**_PROBLEM, **changed}).encode()


def _hosts() -> Iterable[bytes]:
    for name in (
        "Hooks.Example.",
        "b\u00fccher.example",
        "[2001:DB8::1]",
        "127.0.0.1",
        "a..b",
        "xn--a",
        "0x7f.1",
    ):
        yield name.encode()


TARGETS: Final = (
    Target(name="refusal", judge=judge_refusal, seeds=_refusals),
    Target(name="host", judge=judge_host, seeds=_hosts, size_bytes_max=512),
)
