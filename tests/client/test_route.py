"""Facts about the paths of requests."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import tallystick
from tallystick.client.route import route
from tallystick.domain.errors import MalformedNameError

PACKAGE = Path(tallystick.__file__).parent
ASKING = ("client", "cli", "desk", "receiver")


def test_parts_make_a_path_of_the_api() -> None:
    digest = "sha256:" + 64 * "0"
    assert route("claims") == "/v1/claims"
    assert route("agreements", "nordwind.halden-2", "deposits", 7) == (
        "/v1/agreements/nordwind.halden-2/deposits/7"
    )
    assert route("claims", digest, "joint-instructions") == f"/v1/claims/{digest}/joint-instructions"
    assert route("persons", "ana@harbour") == "/v1/persons/ana@harbour"


NO_NAMES = (
    *("", ".", "..", "../agreements", "a/b", "a;b", "a\\b", "%2e%2e", "a%2Fb", "a?x=1", "a#b"),
    *("a b", "a\n", "a\x00", "ä", "-1", "CLM-A", "https://else.example/", "//else.example", 200 * "a"),
)


@pytest.mark.parametrize("name", NO_NAMES)
def test_what_is_no_name_leads_nowhere_and_is_reported(name: str) -> None:
    with pytest.raises(MalformedNameError) as refused:
        route("claims", name, "timeline")
    assert ascii(name[:80]) in refused.value.message


def _spliced() -> Iterator[str]:
    """Yield every text that begins like a path of the API and was not built by `route`."""
    for file in (file for room in ASKING for file in (PACKAGE / room).rglob("*.py")):
        if file.name == "route.py":
            continue
        for node in ast.walk(ast.parse(file.read_text())):
            if (
                isinstance(node, ast.Constant)
                and isinstance(node.value, str)
                and node.value.startswith("/v1")
            ):
                yield f"{file.relative_to(PACKAGE)}:{node.lineno}"


def test_no_other_place_writes_a_path() -> None:
    assert list(_spliced()) == []
