"""A country's calendar, as an agreement pins it: weekend and public holidays of every year that it covers."""

import pkgutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import zip_longest
from typing import TYPE_CHECKING

from tallystick.domain.agreement.deadlines import WEEKDAYS
from tallystick.domain.agreement.windows import Calendar
from tallystick.domain.errors import TallystickError

if TYPE_CHECKING:
    from holidays import HolidayBase

_EVERYWHERE = "Etc/UTC"


class HolidaysMissingError(TallystickError):
    """A country's holidays are asked for, and the library that knows them is not installed."""

    code = "holidays-missing"
    why = "Public holidays come from the library `holidays`, which Tallystick installs only on request."
    advice = (
        "Run `pip install 'tallystick[holidays]'`, or leave out `--country` and write the dates yourself."
    )


class UnknownCountryError(TallystickError):
    """A country or region whose holidays the library does not know."""

    code = "unknown-country"
    why = "Countries are written by ISO 3166, such as DE; regions by ISO 3166-2, such as BY or DE-BY."
    advice = "Name another, or leave out `--country` and write the dates yourself."


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a party does business: its country (ISO 3166), and its region if that has own holidays."""

    country: str
    region: str | None = None

    @property
    def id(self) -> str:
        """Return what the place's calendar is called in an agreement, such as `de-by`."""
        return "-".join(filter(None, (self.country, self.region))).lower()


def read_places(countries: Sequence[str], regions: Sequence[str]) -> tuple[Place, ...]:
    """Return the places that are written as `DE-BY`, or as `DE` with the region `BY` beside it.

    Args:
        regions: The region of each country, in their order, as far as there are any.
    """
    pairs = zip_longest(countries, regions[: len(countries)])
    return tuple(_read_place(country.upper(), region) for country, region in pairs)


def _read_place(text: str, region: str | None) -> Place:
    country, _, written = text.partition("-")
    return Place(country=country, region=(region.upper() if region else written) or None)


def calendar_of(place: Place, *, since: date, until: date) -> Calendar:
    """Return the calendar of a place for the years from `since` to `until`, both included.

    A holiday that is kept on another day, as the jurisdiction says, is there on both.

    Raises:
        HolidaysMissingError: The library `holidays` is not installed.
        UnknownCountryError: It does not know the country, or the region; the facts list those it knows.
    """
    found = _holidays(place, range(since.year, until.year + 1))
    return Calendar(
        id=place.id,
        weekend=tuple(WEEKDAYS[day] for day in sorted(found.weekend)),
        holidays=tuple(sorted(day for day in found if since <= day <= until)),
        covers_until=until,
    )


def _holidays(place: Place, years: range) -> "HolidayBase":
    try:
        import holidays  # noqa: PLC0415 - optional, and large
    except ImportError:
        raise HolidaysMissingError("the library holidays is not installed") from None
    known = holidays.list_supported_countries(include_aliases=False)
    if place.country not in known:
        message = f"{place.country} is not a country whose holidays are known"
        raise UnknownCountryError(message, country=place.country)
    if place.region is not None and place.region not in known[place.country]:
        message = f"{place.country} has no region {place.region} whose holidays are known"
        raise UnknownCountryError(message, known=list(known[place.country]))
    return holidays.country_holidays(place.country, subdiv=place.region, years=years, observed=True)


def time_zone_of(place: Place) -> str:
    """Return the first time zone that the IANA database lists for the country, or UTC if it lists none."""
    table = (pkgutil.get_data("tzdata", "zoneinfo/zone.tab") or b"").decode()
    zones = (line.split("\t") for line in table.splitlines() if not line.startswith("#"))
    return next((zone for country, _, zone, *_ in zones if country == place.country), _EVERYWHERE)
