"""What documents call by its name in the code is there under that name."""

import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    page.relative_to(ROOT).as_posix()
    for page in (*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"))
    if page.name != "CHANGELOG.md"
)
FOLDERS = ("tallystick", "workflows", "activities", "api", "tests", "deploy")
_CODE = re.compile(r"`([A-Za-z_./-]+)`")
_CONSTANT = re.compile(r"_?[A-Z][A-Z_]+[A-Z]|_[a-z_]+|[a-z]+_[a-z_]+")
_FILE = re.compile(r"(tallystick|workflows|activities|api|tests|docs)/.*\.(py|md)")
_EXAMPLES = {"notice_days", "test_same_key_in_two_groups_counts_once"}  # of how things are named


@cache
def names() -> frozenset[str]:
    found = set[str]()
    for folder in FOLDERS:
        for file in (ROOT / folder).rglob("*"):
            code = file.suffix in {".py", ".yaml", ".example", ".json"} and "node_modules" not in file.parts
            if code and file != Path(__file__):
                found.update(re.findall(r"[A-Za-z_][A-Za-z_0-9]*", file.read_text()))
    return frozenset(found)


def gone(page: str) -> Iterable[str]:
    """Yield what a page names and nothing has: constants and functions, and files by their path."""
    for said in _CODE.findall(page):
        if _CONSTANT.fullmatch(said) and said not in names() | _EXAMPLES:
            yield said
        if _FILE.fullmatch(said) and not (ROOT / said).is_file():
            yield said


@pytest.mark.parametrize("page", PAGES)
def test_document_names_only_what_is_there(page: str) -> None:
    assert list(gone((ROOT / page).read_text())) == []


@pytest.mark.parametrize("lost", ["_NO_SUCH_" + "TABLE", "no_such_" + "function", "tallystick/no/such.py"])
def test_name_that_nothing_has_is_seen(lost: str) -> None:
    assert list(gone(f"A line for it in `{lost}`.")) == [lost]
