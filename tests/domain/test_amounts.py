"""Counted nouns read as English does."""

import pytest

from tallystick.domain.amounts import counted


@pytest.mark.parametrize(
    ("count", "many", "told"),
    [
        (0, None, "0 agreements"),
        (1, None, "1 agreement"),
        (2, None, "2 agreements"),
        (1, "entries", "1 agreement"),
        (2, "entries", "2 entries"),
    ],
)
def test_only_one_has_the_singular(count: int, many: str | None, told: str) -> None:
    assert counted(count, "agreement", many) == told
