"""Whoever has much to be read has only some places for it, and gives them back."""

from contextlib import ExitStack

import pytest

from activities.places import Places, ReadingBusyError


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
