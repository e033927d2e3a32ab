"""What is read from the store is what was written there, or the store is damaged."""

import pytest
from structlog.testing import capture_logs

from tallystick.domain.errors import MalformedError
from tallystick.lasting import SaidSeldom
from tallystick.limits.processes import SAID_AGAIN_AFTER
from tallystick.store.damage import Damages, LedgerCorruptError, as_written, unless_damaged
from tallystick.store.database.session import DatabaseUnavailableError


def test_only_damage_is_passed_over() -> None:
    with unless_damaged("it is unreadable"):
        raise MalformedError("altered")
    with pytest.raises(DatabaseUnavailableError), unless_damaged("it is unreadable"):
        raise DatabaseUnavailableError("no answer")


def test_what_cannot_be_read_any_more_is_damage_and_says_where() -> None:
    with pytest.raises(LedgerCorruptError) as caught, as_written(7):
        raise MalformedError("altered")
    assert caught.value.facts == {"index": 7, "broken_by": "malformed"}


def test_a_database_out_of_reach_is_no_damage() -> None:
    with pytest.raises(DatabaseUnavailableError), as_written(7):
        raise DatabaseUnavailableError("no answer")


def test_the_place_of_the_damage_is_the_one_that_was_found_first() -> None:
    with pytest.raises(LedgerCorruptError) as caught, as_written(7), as_written(3):
        raise MalformedError("altered")
    assert caught.value.facts["index"] == 3


def test_what_is_damaged_is_said_and_counted_once_a_day() -> None:
    at = [0.0]
    damages = Damages(SaidSeldom(lambda: at[0]))

    def look(claim: str) -> None:
        with unless_damaged("it is unreadable", damages=damages, claim=claim):
            raise MalformedError("it is cut short")

    with capture_logs() as logs:
        for claim in ("a", "a", "b", "a"):
            look(claim)
        at[0] = SAID_AGAIN_AFTER.total_seconds()
        look("a")
    assert [line["claim"] for line in logs] == ["a", "b", "a"]
    assert damages.found == 3
