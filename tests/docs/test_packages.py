"""The docstring of a package says where to begin, and names only what the package has."""

import ast
import re
from functools import cache
from pathlib import Path
from typing import Final

import pytest

from tests.support.docs import PACKAGES, ROOT

INITS: Final = sorted(init for package in PACKAGES for init in (ROOT / package).rglob("__init__.py"))
NAME: Final = re.compile(r"`([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)`")


def name_of(init: Path) -> str:
    return str(init.parent.relative_to(ROOT)).replace("/", ".")


def docstring(init: Path) -> str:
    return ast.get_docstring(ast.parse(init.read_text(encoding="utf-8"))) or ""


def names_in(body: list[ast.stmt]) -> set[str]:
    """Return the names that statements define or import, and the members of classes as `Class.member`."""
    names: set[str] = set()
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            names.add(node.name)
        elif isinstance(node, ast.ClassDef):
            names |= {node.name, *(f"{node.name}.{member}" for member in names_in(node.body))}
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names |= {(alias.asname or alias.name).split(".")[0] for alias in node.names}
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names |= {target.id for target in targets if isinstance(target, ast.Name)}
    return names


@cache
def names_of(folder: Path) -> frozenset[str]:
    """Return the names that a package's docstring may use: its modules, its rooms, and their contents."""
    names: set[str] = set()
    for path in (path for path in folder.iterdir() if path.suffix == ".py"):
        inside = names_in(ast.parse(path.read_text(encoding="utf-8")).body)
        names |= inside | {path.stem, *(f"{path.stem}.{name}" for name in inside)}
    for room in (path for path in folder.iterdir() if (path / "__init__.py").exists()):
        below = names_of(room)
        names |= below | {room.name, *(f"{room.name}.{name}" for name in below)}
    return frozenset(names)


def seen_from_above(folder: Path) -> set[str]:
    """Return what the packages around a package contain, by path, such as `claim.state`."""
    names = {folder.name}
    for above in folder.parents[: len(folder.relative_to(ROOT).parts) - 1]:
        beside = {path.stem for path in above.iterdir() if path.suffix in {"", ".py"}}
        names |= {name for name in names_of(above) if name.split(".")[0] in beside}
    return names


@cache
def names_everywhere() -> frozenset[str]:
    return frozenset(
        name
        for package in PACKAGES
        for name in (package, *(f"{package}.{n}" for n in names_of(ROOT / package)))
    )


@pytest.mark.parametrize("init", INITS, ids=name_of)
def test_a_packages_docstring_says_more_than_its_name(init: Path) -> None:
    first, *rest = docstring(init).splitlines()
    assert first.endswith((".", ":"))
    assert len([line for line in rest if line]) in range(2, 8)


@pytest.mark.parametrize("init", INITS, ids=name_of)
def test_a_packages_docstring_names_only_what_is_there(init: Path) -> None:
    there = names_of(init.parent) | seen_from_above(init.parent) | names_everywhere()
    assert [name for name in NAME.findall(docstring(init)) if name not in there] == []


def test_the_check_of_names_misses_what_is_gone() -> None:
    there = names_of(ROOT / "tallystick" / "bag")
    assert {"write_bag", "write", "write.write_bag", "TarWriter.finish"} <= there
    assert not {"wrote_bag", "write.unpack_bag", "TarWriter.begin"} & there


def test_the_map_has_every_package_once() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    rooms = re.findall(r"^\| `([\w/]+)/` \|", text, re.MULTILINE)
    assert sorted(rooms) == sorted(str(init.parent.relative_to(ROOT)) for init in INITS)


def test_the_map_names_every_single_module_of_the_core() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    single = {f"tallystick/{path.name}" for path in (ROOT / "tallystick").glob("*.py")}
    assert single - {"tallystick/__init__.py"} <= set(re.findall(r"`(tallystick/\w+\.py)`", text))
