"""What the summary of an agreement says of several people: that any one of them may act."""

from dataclasses import replace

import pytest

from tallystick.domain.agreement.summary import summarise
from tallystick.domain.ids import PersonId
from tests.support.worlds.agreements import AGREEMENT


@pytest.mark.parametrize(
    ("claimants", "said"),
    [
        (("a@x",), "a@x may file a claim."),
        (("a@x", "b@x"), "a@x or b@x may file a claim."),
        (("a@x", "b@x", "c@x"), "a@x, b@x or c@x may file a claim."),
    ],
)
def test_any_one_of_those_who_have_a_power_may_use_it(claimants: tuple[str, ...], said: str) -> None:
    powers = replace(AGREEMENT.authorities, claimants=tuple(map(PersonId, claimants)))
    assert said in summarise(replace(AGREEMENT, authorities=powers))
