"""How sentences about an agreement say numbers, lists, periods and quorums: one way for each."""

from collections.abc import Sequence

from tallystick.domain.periods import Period
from tallystick.domain.quoting import quoted


def listed(texts: Sequence[str]) -> str:
    """Return texts that others wrote, each quoted."""
    return ", ".join(map(quoted, texts))


def every(period: Period) -> str:
    """Return how often something happens: `every 7 days`, `every day`."""
    return f"every {period.words.removeprefix('1 ')}"
