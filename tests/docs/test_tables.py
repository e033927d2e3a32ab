"""People can read every table in the documents, and the table of broken builds lists those that are run."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.faults.broken_builds import BUILDS, Build
from tests.support.docs import ROOT

CELL_MAX: Final = 300
PAGES: Final = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "deploy").rglob("*.md")])


def cells(page: Path) -> Iterator[tuple[int, str]]:
    """Yield each cell of each table, with the number of its line."""
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
        if line.startswith("|"):
            for cell in re.split(r"(?<!\\)\|", line):
                yield number, cell.strip()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_no_cell_of_a_table_is_too_long_to_read(page: Path) -> None:
    assert [(number, len(cell)) for number, cell in cells(page) if len(cell) > CELL_MAX] == []


def test_the_documents_have_tables() -> None:
    assert sum(1 for page in PAGES for _ in cells(page)) > 500


def test_the_list_of_broken_builds_is_the_one_that_is_run() -> None:
    listed = (ROOT / "docs" / "testing.md").read_text(encoding="utf-8").partition("| Broken |")[2]
    names = re.findall(r"^\| ([^|]+) \| `tests/", listed, re.MULTILINE)
    assert sorted(names) == sorted(build.name for build in BUILDS)


@pytest.mark.parametrize("build", BUILDS, ids=lambda build: build.name)
def test_the_line_that_a_build_breaks_is_there_once(build: Build) -> None:
    assert (ROOT / build.module).read_text(encoding="utf-8").count(build.line) == 1
    files = re.findall(r"tests/[\w/]+\.py", build.tests)
    assert files
    assert all((ROOT / file).exists() for file in files)
