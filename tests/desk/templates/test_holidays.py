"""Calendars of countries and regions, as an agreement pins them."""

import sys
from datetime import date

import pytest

from tallystick.desk.templates.holidays import (
    HolidaysMissingError,
    UnknownCountryError,
    calendar_of,
    read_places,
    time_zone_of,
)
from tallystick.domain.agreement.windows import Calendar

SINCE, UNTIL = date(2026, 12, 1), date(2028, 6, 30)


def calendar(country: str, region: str | None = None) -> Calendar:
    (place,) = read_places([country], [region] if region else [])
    return calendar_of(place, since=SINCE, until=UNTIL)


def test_a_region_keeps_holidays_of_its_own() -> None:
    epiphany = date(2027, 1, 6)
    assert epiphany in calendar("DE", "BY").holidays
    assert epiphany not in calendar("DE", "BE").holidays


def test_a_holiday_that_is_observed_on_another_day_is_pinned_on_both() -> None:
    assert {date(2027, 12, 25), date(2027, 12, 27)} <= set(calendar("GB-ENG").holidays)


def test_all_holidays_lie_within_the_years_that_the_calendar_covers() -> None:
    made = calendar("NL")
    assert made.covers_until == UNTIL
    assert list(made.holidays) == sorted(made.holidays)
    assert made.holidays[0] == date(2026, 12, 25)
    assert made.holidays[-1] == date(2028, 6, 5)


def test_the_weekend_is_the_countrys() -> None:
    assert calendar("IL").weekend == ("fri", "sat")


def test_a_place_names_its_calendar_and_its_time_zone() -> None:
    (bavaria, netherlands) = read_places(["de", "NL"], ["by"])
    assert (bavaria.id, time_zone_of(bavaria)) == ("de-by", "Europe/Berlin")
    assert (netherlands.id, time_zone_of(netherlands)) == ("nl", "Europe/Amsterdam")
    assert time_zone_of(read_places(["XX"], [])[0]) == "Etc/UTC"


def test_an_unknown_country_or_region_is_refused_by_name() -> None:
    with pytest.raises(UnknownCountryError, match="XX is not a country"):
        calendar("XX")
    with pytest.raises(UnknownCountryError, match="DE has no region QQ") as refused:
        calendar("DE-QQ")
    known = refused.value.facts["known"]
    assert isinstance(known, list)
    assert "BY" in known


def test_without_the_library_the_refusal_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "holidays", None)  # as Python marks a module that cannot be imported
    with pytest.raises(HolidaysMissingError) as refused:
        calendar("DE")
    assert "pip install 'tallystick[holidays]'" in refused.value.advice
