"""What each test of the receiver begins with: a release, the next one, and an escrow agent."""

from pathlib import Path

import pytest

from tests.support.worlds.agreements import DOCS
from tests.support.worlds.deliveries import CONTENT, Release
from tests.support.worlds.escrows import FolderEscrow


@pytest.fixture(scope="session")
def release(tmp_path_factory: pytest.TempPathFactory) -> Release:
    return Release(scratch=tmp_path_factory.mktemp("release"))


@pytest.fixture(scope="session")
def next_release(tmp_path_factory: pytest.TempPathFactory) -> Release:
    content = {**CONTENT, DOCS: {"operations.md": b"Version two.\n"}}
    return Release(scratch=tmp_path_factory.mktemp("next"), number=2, content=content)


@pytest.fixture
def escrow(tmp_path: Path, release: Release) -> FolderEscrow:
    return FolderEscrow(tmp_path / "escrow", release)
