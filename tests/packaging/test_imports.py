"""Of our four names, `workflows` is also somebody else's: here it must mean this checkout's."""

import ast
import importlib
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from itertools import chain
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("tallystick", "workflows", "activities", "api")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
# The names below come with a declared dependency that is made of them, and are meant to be used through it.
CARRIED = {
    "click": "typer",
    "google": "temporalio",  # protobuf
    "httpcore": "httpx",
    "pydantic_core": "pydantic",
    "sqlalchemy": "sqlmodel",
    "starlette": "fastapi",
    "typing_extensions": "pydantic",
}


@pytest.mark.parametrize("package", PACKAGES)
def test_package_is_imported_from_this_checkout(package: str) -> None:
    origin = importlib.import_module(package).__file__
    assert origin is not None
    assert Path(origin) == ROOT / package / "__init__.py"


@pytest.mark.parametrize("package", PACKAGES)
def test_no_other_distribution_owns_the_name(package: str) -> None:
    assert set(packages_distributions().get(package, [])) <= {"tallystick"}


@pytest.mark.parametrize("package", PACKAGES)
def test_package_is_typed_and_says_what_it_is(package: str) -> None:
    assert (ROOT / package / "py.typed").is_file()
    assert (importlib.import_module(package).__doc__ or "").strip(" .")


def test_console_script_points_into_the_unique_name() -> None:
    assert PROJECT["scripts"] == {"tallystick": "tallystick.cli.main:main"}


def test_publishing_is_refused_by_the_index() -> None:
    assert "Private :: Do Not Upload" in PROJECT["classifiers"]


def imported(folder: str) -> Iterator[tuple[str, str]]:
    """Yield the top-level name of each absolute import below `folder`, and the file that has it."""
    for path in sorted((ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                yield from (
                    (alias.name.partition(".")[0], str(path.relative_to(ROOT))) for alias in node.names
                )
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                yield (node.module or "").partition(".")[0], str(path.relative_to(ROOT))


def foreign(folder: str) -> set[tuple[str, str]]:
    return {
        (name, file) for name, file in imported(folder) if name not in {*sys.stdlib_module_names, *PACKAGES}
    }


def test_domain_imports_the_standard_library_only() -> None:
    assert foreign("tallystick/domain") == set()


@pytest.mark.parametrize("package", PACKAGES)
def test_every_import_is_a_declared_dependency(package: str) -> None:
    lines = [*PROJECT["dependencies"], *chain(*PROJECT["optional-dependencies"].values())]
    declared = {normal(re.split(r"[>=\[; ]", line)[0]) for line in lines}
    owners = packages_distributions()
    undeclared = {
        (name, file)
        for name, file in foreign(package)
        if not declared & {normal(owner) for owner in [*owners.get(name, []), CARRIED.get(name, "")]}
    }
    assert undeclared == set()


def normal(distribution: str) -> str:
    return distribution.lower().replace("_", "-")


@pytest.mark.parametrize("lock", ["run.txt", "dev.txt"])
def test_lock_holds_hashes_and_names_no_place(lock: str) -> None:
    text = (ROOT / "requirements" / lock).read_text()
    pins = re.findall(r"^[a-z0-9][^ ]*==[^ ]+.*\\$", text, re.MULTILINE)
    assert pins
    assert len(pins) == len(re.findall(r"^[a-z0-9]", text, re.MULTILINE)), "a line without == and a hash"
    assert not re.search(r"://|index-url|find-links|file:|^-e", text, re.MULTILINE)


def test_both_locks_pin_the_same_releases() -> None:
    run, dev = (
        set(re.findall(r"^([^ #]+==[^ ;]+)", (ROOT / "requirements" / lock).read_text(), re.MULTILINE))
        for lock in ("run.txt", "dev.txt")
    )
    assert run <= dev
