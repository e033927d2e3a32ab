"""The documents name tests and codes that exist; each decision has its number, each dependency its reason."""

import ast
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

import pytest

from tallystick.domain.claim.state import EventType
from tallystick.domain.kinds import Happening

ROOT: Final = Path(__file__).parents[2]
MODEL: Final = (ROOT / "docs" / "threat-model.md").read_text()
RUNBOOK: Final = (ROOT / "docs" / "runbook.md").read_text()
NAMED: Final = sorted(set(re.findall(r"`(tests/\S+\.py)::(test_\w+)`", MODEL)))


@cache
def functions_of(file: str) -> frozenset[str]:
    tree = ast.parse((ROOT / file).read_text())
    return frozenset(
        node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )


@pytest.mark.parametrize(("file", "test"), NAMED)
def test_a_test_that_the_threat_model_names_exists(file: str, test: str) -> None:
    assert test in functions_of(file)


def test_every_threat_has_a_test() -> None:
    threats = re.findall(r"^\| (T\d+) \|", MODEL, flags=re.MULTILINE)
    assert threats == [f"T{number}" for number in range(1, len(threats) + 1)]
    shown = re.findall(r"^- (T\d+):\n  - `tests/", MODEL, flags=re.MULTILINE)
    assert shown == threats


def test_every_test_that_testing_names_exists() -> None:
    text, file, seen = (ROOT / "docs" / "testing.md").read_text(), "", 0
    for path, test in re.findall(r"`(tests/[\w/]+\.py)?(?:::(\w+)[^`]*)?`", text):
        file = path or file
        if test:
            seen += 1
            assert test in functions_of(file), f"{file}::{test}"
    assert seen > 50


PAGES: Final = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "deploy").rglob("*.md")]
IN_CODE: Final = re.compile(r"`((?:api|activities|tallystick|tests|workflows)/[\w/.-]+\.\w+)(?:::\w+)?`")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_file_that_a_document_names_exists(page: Path) -> None:
    assert [file for file in IN_CODE.findall(page.read_text()) if not (ROOT / file).exists()] == []


def codes_raised() -> Iterator[str]:
    for package in ("tallystick", "activities", "workflows", "api"):
        for path in (ROOT / package).rglob("*.py"):
            yield from re.findall(
                r'^    code(?:: [^=]+)? = "([a-z-]+)"$', path.read_text(), flags=re.MULTILINE
            )


def test_the_runbook_speaks_of_errors_and_happenings_that_exist() -> None:
    trouble = RUNBOOK.partition("## Trouble")[2].partition("## Settings")[0]
    first_column = [row.split("|")[1] for row in trouble.splitlines() if row.startswith("| ")]
    spoken = {code for cell in first_column for code in re.findall(r"`([a-z]+(?:-[a-z]+)+)`", cell)}
    assert len(spoken) >= 8
    assert spoken <= {*codes_raised(), *Happening, *EventType}


@pytest.mark.parametrize("document", ["docs/runbook.md", "docs/threat-model.md", "deploy/README.md"])
def test_every_link_leads_somewhere(document: str) -> None:
    path = ROOT / document
    for target in re.findall(r"\]\(([^)#:]+)\)", path.read_text()):
        assert (path.parent / target).exists(), target


def test_each_decision_has_a_number_of_its_own() -> None:
    pages = sorted((ROOT / "docs" / "adr").glob("*.md"))
    titles = [page.read_text().splitlines()[0] for page in pages]
    assert [int(page.name[:4]) for page in pages] == list(range(1, len(pages) + 1))
    assert [title.split(" ")[:2] for title in titles] == [["#", f"{n}."] for n in range(1, len(pages) + 1)]


def test_each_dependency_has_its_reason() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wanted = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
    page = (ROOT / "docs" / "adr" / "0010-dependencies.md").read_text()
    names = {
        name
        for row in re.findall(r"^\| ([^|]+) \|", page, re.MULTILINE)
        for name in re.split(r"[ ,()]+", row)
    }
    assert {re.split(r"[\[><=; ]", one)[0] for one in wanted} <= names
