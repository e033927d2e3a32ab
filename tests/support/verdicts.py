"""A verdict on an evidence file, by a process of its own: what it costs in time and memory."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.support.costs import Cost, cost_of

_VERIFIES: Final = """
from tallystick.proof.evidence.verify import verify

def work():
    report = verify(Path(sys.argv[2]).read_bytes())
    return [report.holds, report.steps[-1].premise, report.steps[-1].found]

measured(work)
"""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What a verifier found, and what that took."""

    holds: bool
    premise: str
    found: str
    cost: Cost

    def is_soon_and_small(self) -> bool:
        return self.cost.is_soon_and_small()

    def __str__(self) -> str:
        return f"{self.premise}: {self.found} ({self.cost})"


def verdict_on(file: Path) -> Verdict:
    cost = cost_of(_VERIFIES, str(file), into=file.parent)
    holds, premise, found = cost.said
    return Verdict(holds=holds, premise=premise, found=found, cost=cost)
