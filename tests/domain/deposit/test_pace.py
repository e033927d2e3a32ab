"""How many deposits there may be in a day, of a depositor and of one person."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Final

import pytest

from tallystick.domain.codec import instant_text
from tallystick.domain.deposit.pace import EarlierDeposit, TooManyDepositsError, check_pace, named_bytes
from tallystick.domain.ids import PersonId
from tallystick.domain.statements.deposits import Deposit
from tallystick.limits.storage import (
    DEPOSIT_DAY,
    DEPOSITED_BYTES_PER_DAY_MAX,
    DEPOSITS_PER_DAY_MAX,
    DEPOSITS_PER_PERSON_AND_DAY_MAX,
)
from tests.support.worlds.groundwork import BEGIN
from tests.support.worlds.world import World

BODY: Final = World().deposit.body
DIRK: Final = PersonId("dirk@nordwind")
NOW: Final = BEGIN + timedelta(days=7)
SECOND: Final = timedelta(seconds=1)


def earlier(count: int, body: Deposit = BODY, *, first_at: timedelta = DEPOSIT_DAY) -> list[EarlierDeposit]:
    """So many deposits, the first one so long ago, newest first."""
    begun = NOW - first_at
    size = named_bytes(body)
    return [
        EarlierDeposit(accepted_at=begun + turn * SECOND, person=body.person, size_bytes=size)
        for turn in reversed(range(count))
    ]


def refusal(body: Deposit, before: Sequence[EarlierDeposit]) -> TooManyDepositsError:
    with pytest.raises(TooManyDepositsError) as caught:
        check_pace(body, before, NOW)
    return caught.value


def test_one_person_deposits_so_often_in_a_day_and_then_another_still_may() -> None:
    almost, full = (
        earlier(count, first_at=DEPOSIT_DAY - SECOND)
        for count in (DEPOSITS_PER_PERSON_AND_DAY_MAX - 1, DEPOSITS_PER_PERSON_AND_DAY_MAX)
    )
    check_pace(BODY, almost, NOW)
    assert refusal(BODY, full).facts["limit"] == DEPOSITS_PER_PERSON_AND_DAY_MAX
    check_pace(replace(BODY, person=DIRK), full, NOW)


def test_all_persons_together_deposit_so_often_in_a_day() -> None:
    dirk = replace(BODY, person=DIRK)
    mixed = [
        *earlier(DEPOSITS_PER_DAY_MAX // 2, first_at=timedelta(hours=1)),
        *earlier(DEPOSITS_PER_DAY_MAX // 2, dirk, first_at=timedelta(hours=2)),
    ]
    check_pace(BODY, mixed[1:], NOW)
    assert refusal(BODY, mixed).facts["limit"] == DEPOSITS_PER_DAY_MAX


def test_a_refusal_says_when_there_is_room_again_and_then_there_is() -> None:
    full = earlier(DEPOSITS_PER_PERSON_AND_DAY_MAX, first_at=DEPOSIT_DAY - SECOND)
    assert refusal(BODY, full).facts["again_at"] == instant_text(NOW + SECOND)
    check_pace(BODY, full, NOW + SECOND)


def test_files_that_are_named_again_count_again() -> None:
    whole = replace(BODY.components[0], sealed_bytes=DEPOSITED_BYTES_PER_DAY_MAX // 2)
    large = replace(BODY, components=(whole,))
    one = earlier(1, large, first_at=timedelta(hours=1))
    check_pace(large, one, NOW)
    assert refusal(large, one * 2).facts["limit"] == DEPOSITED_BYTES_PER_DAY_MAX
    check_pace(large, earlier(2, large, first_at=DEPOSIT_DAY + 2 * SECOND), NOW)
