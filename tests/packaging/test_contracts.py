"""Each rule about who may import whom is seen to fail: a rule that cannot fail protects nothing."""

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("tallystick", "workflows", "activities", "api")
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]

# Rule, module that breaks it, and the line that does.
BREACHES = [
    (
        "Requests flow down: api, then workflows, then activities, then the core",
        "activities/breach.py",
        "import workflows",
    ),
    (
        "Inside the core, facts come before cryptography and storage",
        "tallystick/crypto/breach.py",
        "import tallystick.store",
    ),
    (
        "What runs at a party's machine knows no database",
        "tallystick/receiver/breach.py",
        "import tallystick.store.database.session",
    ),
    (
        "The domain's rooms have an order, and every room a place in it",
        "tallystick/domain/agreement/breach.py",
        "import tallystick.domain.claim.claim",
    ),
    (
        "The domain's rooms have an order, and every room a place in it",
        "tallystick/domain/acts/votes/breach.py",
        "import tallystick.domain.admission.door",
    ),
    (
        "No files and no folders that stand together import each other in a circle",
        "tallystick/crypto/json/breach.py",
        "import tallystick.crypto.envelope",
    ),
    (
        "No files and no folders that stand together import each other in a circle",
        "tallystick/client/problems.py",
        "import tallystick.client.http",
    ),
    ("The domain knows no framework", "tallystick/domain/breach.py", "import pydantic"),
    (
        "The domain has no clock, no randomness, no input and no output",
        "tallystick/domain/breach.py",
        "import time",
    ),
    (
        "Cryptography takes bytes and gives bytes: no framework, no network, no database",
        "tallystick/crypto/breach.py",
        "import socket",
    ),
    (
        "Storage knows neither Temporal nor HTTP frameworks",
        "tallystick/store/breach.py",
        "import temporalio.client",
    ),
    ("Workflows do no input or output of their own", "workflows/breach.py", "import httpx"),
    ("The API reaches activities only through workflows", "api/breach.py", "import activities"),
    (
        "No noun's routes import those of another",
        "api/routes/inbox.py",
        "import api.routes.acts",
    ),
    ("The core starts processes, it imports none of them", "tallystick/cli/breach.py", "import uvicorn"),
]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Copy what import-linter reads: the four packages and the configuration."""
    for package in PACKAGES:
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def lint(tree: Path) -> tuple[int, str]:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    result = subprocess.run(command, cwd=tree, capture_output=True, text=True, check=False, timeout=60)
    return result.returncode, result.stdout + result.stderr


def test_tree_as_it_is_keeps_every_rule(tree: Path) -> None:
    code, output = lint(tree)
    assert code == 0, output
    assert f"Contracts: {len(CONTRACTS)} kept, 0 broken." in output


@pytest.mark.parametrize(
    ("rule", "module", "line"), BREACHES, ids=[f"{breach[0]}: {breach[1]}" for breach in BREACHES]
)
def test_rule_is_seen_to_fail_when_broken(tree: Path, rule: str, module: str, line: str) -> None:
    (tree / module).write_text(f'"""A breach."""\n\n{line}\n')
    code, output = lint(tree)
    assert code == 1, output
    assert f"{rule} BROKEN" in output


@pytest.mark.parametrize("package", ["tallystick", "tallystick.domain"])
def test_a_new_room_must_say_where_it_belongs(tree: Path, package: str) -> None:
    (tree / package.replace(".", "/") / "breach.py").write_text('"""A module in no layer."""\n')
    code, output = lint(tree)
    assert code == 1, output
    assert f"{package}.breach" in output


def test_every_rule_has_its_breach() -> None:
    assert {contract["name"] for contract in CONTRACTS} == {breach[0] for breach in BREACHES}
