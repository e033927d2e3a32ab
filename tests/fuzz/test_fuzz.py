"""No parser crashes, and none accepts what its strict twin refuses or reads otherwise.

The long runs are `make fuzz-parsers`; here every kept input is tried again, and all
targets are attacked briefly, in one process.
"""

import pytest

from tests.fuzz.__main__ import attack
from tests.fuzz.corpus import kept
from tests.fuzz.targets.all import TARGETS
from tests.fuzz.targets.together import TOGETHER

SECONDS = 15


@pytest.mark.parametrize("name", TARGETS)
def test_seeds_and_kept_inputs_are_judged_as_by_the_twin(name: str) -> None:
    target = TARGETS[name]
    seeds = [target.judge(data) for data in target.seeds()]
    found = [target.judge(data) for data in kept(name)]

    assert any(seeds), "no seed is accepted: nothing is compared with the twin"
    assert found, "nothing is kept"
    assert not all(found), "nothing that is kept is refused"


def test_short_attack_on_all_parsers_finds_nothing() -> None:
    result = attack(TOGETHER.name, seconds=SECONDS, keeping=False)

    assert not result.found, result.told
    assert result.executions > len(list(TOGETHER.seeds()))
    assert result.branches > 0
