"""Two things timed in turn in one run, so that other load on the machine affects both alike."""

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

Seconds = Sequence[float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Our time and its floor's, round by round, in seconds."""

    ours: Seconds
    floor: Seconds

    def __post_init__(self) -> None:
        assert len(self.ours) == len(self.floor) > 0, "each round has both"

    @property
    def costs(self) -> Seconds:
        """Our time divided by the floor's, in each round."""
        return [ours / floor for ours, floor in zip(self.ours, self.floor, strict=True)]

    @property
    def speeds(self) -> Seconds:
        """Our speed as a fraction of the floor's, in each round."""
        return [floor / ours for ours, floor in zip(self.ours, self.floor, strict=True)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the report.

    Attributes:
        ratios: Ours against the floor in each round; their median is the figure.
        at_most, at_least: The target, if there is one.
        why: Why a target was missed, for readers of the file.
    """

    what: str
    ours: str
    floor: str
    ratios: Sequence[float]
    at_most: float | None = None
    at_least: float | None = None
    why: str = ""

    @property
    def ratio(self) -> float:
        return statistics.median(self.ratios)

    @property
    def holds(self) -> bool | None:
        """Whether the target is met; None if there is none."""
        if self.at_most is not None:
            return self.ratio <= self.at_most
        return None if self.at_least is None else self.ratio >= self.at_least


def race(contestants: Mapping[str, Callable[[], object]], *, rounds: int) -> Mapping[str, Seconds]:
    """Run all contestants in every round, reversing the order each time; return their seconds."""
    times: dict[str, list[float]] = {name: [] for name in contestants}
    for run in contestants.values():
        run()  # files into the page cache, code into memory
    for place in range(rounds):
        order = list(contestants) if place % 2 == 0 else list(contestants)[::-1]
        for name in order:
            begun = time.perf_counter()
            contestants[name]()
            times[name].append(time.perf_counter() - begun)
    return times


def slower(one: Seconds, other: Seconds) -> Seconds:
    """Return, round by round, the longer time."""
    return [max(pair) for pair in zip(one, other, strict=True)]


def milliseconds(times: Seconds) -> str:
    """Return the median as people read it."""
    found = statistics.median(times) * 1000
    return f"{found:.0f} ms" if found >= 10 else f"{found:.2f} ms"


def per_second(size_bytes: int, times: Seconds) -> str:
    """Return the median throughput as people read it."""
    return f"{size_bytes / statistics.median(times) / 1e6:.0f} MB/s"


def percentile(values: Seconds, part: float) -> float:
    """Return the value below which a fraction `part` of all values lies."""
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * part), len(ordered) - 1)]
