"""Whoever has much to be read has only some places for it, and gives them back."""

from contextlib import ExitStack
from datetime import timedelta
from threading import Event

import pytest

from activities.places import Places, ReadingBusyError, SlowShare
from tallystick.limits.processes import SLOW_KNOWN_MAX


def test_an_owner_has_only_its_own_places_and_others_have_theirs() -> None:
    places = Places(2, ReadingBusyError)
    with ExitStack() as reading:
        reading.enter_context(places.place("one"))
        reading.enter_context(places.place("one", "two"))
        with pytest.raises(ReadingBusyError) as busy, places.place("two", "one"):
            pass
        assert busy.value.retryable
        assert busy.value.facts["owner"] == "one"
        reading.enter_context(places.place("two"))  # the refused one has taken none


def test_a_place_is_free_again_after_a_failure() -> None:
    places = Places(1, ReadingBusyError)
    with pytest.raises(OSError, match="lost"), places.place("one"):
        raise OSError("lost")
    with places.place("one"):
        pass


def test_those_whose_last_work_was_slow_have_few_places_together_and_leave_the_rest_to_others() -> None:
    places = Places(9, ReadingBusyError, slow=SlowShare(after=timedelta(0), places=2))
    for slow in ("one", "two", "three"):
        with places.place(slow):
            pass
    with ExitStack() as reading:
        reading.enter_context(places.place("one"))
        reading.enter_context(places.place("two", "unknown"))
        with pytest.raises(ReadingBusyError) as busy, places.place("three"):
            pass
        assert busy.value.facts == {"limit": 2}
        for quick in range(9):
            reading.enter_context(places.place(f"quick {quick}"))
    with places.place("three"):  # the places of the slow are given back
        pass


def test_who_is_quick_again_is_slow_no_more() -> None:
    places = Places(9, ReadingBusyError, slow=SlowShare(after=timedelta(seconds=0.2), places=0))
    with places.place("one"):
        assert not Event().wait(0.3)
    with pytest.raises(ReadingBusyError), places.place("one"):
        pass
    places = Places(9, ReadingBusyError, slow=SlowShare(after=timedelta(seconds=0.2), places=1))
    with places.place("one"):
        assert not Event().wait(0.3)
    for _ in range(2):
        with places.place("one"):
            pass
    with places.place("one"), places.place("one"):
        pass


def test_only_so_many_are_known_to_be_slow() -> None:
    places = Places(1, ReadingBusyError, slow=SlowShare(after=timedelta(0), places=0))
    for owner in range(SLOW_KNOWN_MAX + 1):
        with places.place(str(owner)):
            pass
    with places.place("0"):  # forgotten: it is known for the longest time
        pass
    with pytest.raises(ReadingBusyError), places.place("2"):
        pass
