"""All parsers as one target, for a short run in one process: byte 0 of an input chooses its parser."""

from collections.abc import Iterable, Mapping
from typing import Final

from tests.fuzz.corpus import kept
from tests.fuzz.target import Target
from tests.fuzz.targets.all import TARGETS

_NAMES: Final = tuple(TARGETS)


def judge_together(data: bytes) -> bool:
    """What the chosen parser accepts is judged as in a run of its own."""
    return bool(data) and TARGETS[_NAMES[data[0] % len(_NAMES)]].judge(data[1:])


def _seeds() -> Iterable[bytes]:
    for place, name in enumerate(_NAMES):
        for data in (*TARGETS[name].seeds(), *kept(name)):
            yield bytes([place]) + data


TOGETHER: Final = Target(
    name="together",
    judge=judge_together,
    seeds=_seeds,
    size_bytes_max=max(target.size_bytes_max for target in TARGETS.values()),
)
BY_NAME: Final[Mapping[str, Target]] = {**TARGETS, TOGETHER.name: TOGETHER}
