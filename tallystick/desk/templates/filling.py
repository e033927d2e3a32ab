"""A draft of an agreement, made from a template, and the lines that are left to edit in it."""

import json
import pkgutil
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from string import Template
from typing import Final

from tallystick.desk.templates.holidays import Place, calendar_of, time_zone_of
from tallystick.domain.agreement.windows import Calendar
from tallystick.domain.errors import MalformedError
from tallystick.domain.ids import PartyId, PersonId, name, party_of

_PLACEHOLDER: Final = re.compile(r"\$\{(\w+?)\}")
_SEAT: Final = re.compile(r"([a-z]+)_([123])")
_SEATS: Final = ("first", "second", "third")
_EDIT: Final = re.compile(r"# EDIT: (.+)$")
_CALLED: Final[Mapping[str, str]] = {"depositor": "vendor", "beneficiary": "customer", "second": "customer-2"}
"""What these parties are called if nobody says; the others are called what they are."""


class TemplateName(StrEnum):
    """The templates there are; each is a file beside this module."""

    THREE_PARTY = "three-party"
    FOUR_PARTY = "four-party"
    MULTI_BENEFICIARY = "multi-beneficiary"
    SOURCE_ONLY = "source-only"


class SparePartyError(MalformedError):
    """A part is named that the template does not have."""

    code = "spare-party"
    why = "Each template has parts of its own; an id is given to one of them as PART=ID."
    advice = "Name one of the parts that are listed, or take another template."


class SpareSeatError(MalformedError):
    """A person is named for whom the template has no seat."""

    code = "spare-seat"
    why = "A template has two or three seats for each of its parties."
    advice = "Name persons of the template's parties, no more than it has seats; add others to the draft."


@dataclass(frozen=True, slots=True, kw_only=True)
class Particulars:
    """What somebody says about the agreement that they start.

    Attributes:
        parties: The ids of parties, by the template's word for each, such as `depositor`; others get an
            id that says what they are.
        persons: Who takes the seats of these parties, in this order; other seats are called `first`,
            `second` and `third`.
        places: Where the depositor, the beneficiaries and the agent do business; the last one counts for
            all others.
    """

    id: str
    title: str
    effective_from: date
    covers_until: date
    parties: Mapping[str, PartyId] = field(default_factory=dict[str, PartyId])
    persons: Sequence[PersonId] = ()
    places: Sequence[Place] = ()


def filled(template: TemplateName, particulars: Particulars) -> str:
    """Return the draft: YAML with comments.

    Raises:
        SpareSeatError: A person is named for whom there is no seat.
        HolidaysMissingError: A place is named, and the library `holidays` is not installed.
        UnknownCountryError: It knows no holidays of a place.
    """
    text = _text(template)
    words = dict.fromkeys(_PLACEHOLDER.findall(text))
    values = {**_terms(particulars), **_seats(particulars, words), **_places(particulars, _slots(text))}
    return Template(text).substitute(values)


def edits(draft: str) -> Iterator[str]:
    """Yield each line of a draft that its parties have to edit: `line 7: what the agreement is about`."""
    for number, line in enumerate(draft.splitlines(), 1):
        if (marked := _EDIT.search(line)) is not None:
            yield f"line {number}: {marked[1]}"


def read_parties(template: TemplateName, written: Sequence[str]) -> dict[str, PartyId]:
    """Return the ids of parties that are written as `depositor=nordwind`.

    Raises:
        SparePartyError: The template has no such part.
        MalformedNameError: An id is not a name.
    """
    parts = _slots(_text(template))
    parties = dict[str, PartyId]()
    for part, _, given in (one.partition("=") for one in written):
        if part not in parts:
            raise SparePartyError(f"{template} has no part {part}", parts=parts)
        parties[part] = PartyId(name(given))
    return parties


def _text(template: TemplateName) -> str:
    data = pkgutil.get_data("tallystick.desk.templates", f"{template}.yaml")
    assert data is not None, "it is in the package"
    return data.decode()


def _slots(text: str) -> list[str]:
    """Return the parts that a template has, in the order of its parties."""
    words = dict.fromkeys(_PLACEHOLDER.findall(text))
    return [word.removesuffix("_calendar") for word in words if word.endswith("_calendar")]


def _terms(particulars: Particulars) -> dict[str, str]:
    return {
        "id": particulars.id,
        "title": _quoted(particulars.title),
        "effective_from": f"{particulars.effective_from.isoformat()}T00:00:00Z",
    }


def _quoted(text: str) -> str:
    """Return a text as YAML writes it, which is also how JSON does."""
    return json.dumps(text, ensure_ascii=False)


def _seats(particulars: Particulars, words: Mapping[str, None]) -> dict[str, str]:
    """Return who sits in each seat that a template names, and what they are called."""
    waiting, values = list(particulars.persons), dict[str, str]()
    for slot, seat in (match.groups() for match in map(_SEAT.fullmatch, words) if match is not None):
        party = _party(particulars, slot)
        named = next((one for one in waiting if party_of(one) == party), None)
        person = named or f"{_SEATS[int(seat) - 1]}@{party}"
        if named is not None:
            waiting.remove(named)
        values[f"{slot}_{seat}"] = person
        values[f"{slot}_{seat}_name"] = _quoted(f"{person.partition('@')[0].capitalize()} of {party}")
    if waiting:
        raise SpareSeatError(f"the template has no seat for {waiting[0]}", persons=waiting)
    return values


def _party(particulars: Particulars, slot: str) -> PartyId:
    return particulars.parties.get(slot) or PartyId(_CALLED.get(slot, slot))


def _places(particulars: Particulars, slots: Sequence[str]) -> dict[str, str]:
    """Return the parties with their calendars and time zones, and the calendars themselves."""
    values, calendars = dict[str, str](), dict[str, Calendar]()
    for number, slot in enumerate(slots):
        place = particulars.places[min(number, len(particulars.places) - 1)] if particulars.places else None
        calendar = _calendar(particulars, place)
        calendars[calendar.id] = calendar
        party = _party(particulars, slot)
        values[slot], values[f"{slot}_calendar"] = party, calendar.id
        values[f"{slot}_name"] = _quoted(f"{party.capitalize()} Ltd")
        values[f"{slot}_zone"] = "Etc/UTC" if place is None else time_zone_of(place)
    return {**values, "calendars": "\n".join(map(_written, calendars.values()))}


def _calendar(particulars: Particulars, place: Place | None) -> Calendar:
    if place is not None:
        return calendar_of(place, since=particulars.effective_from, until=particulars.covers_until)
    return Calendar(id="weekdays", weekend=("sat", "sun"), holidays=(), covers_until=particulars.covers_until)


def _written(calendar: Calendar) -> str:
    """Return a calendar as a template writes it, with a line for each holiday."""
    days = "".join(f"\n      - {day.isoformat()}" for day in calendar.holidays)
    return (
        f"  - id: {calendar.id} # EDIT: check the holidays against the law; new ones are made each year\n"
        f"    weekend: [{', '.join(calendar.weekend)}]\n"
        f"    holidays:{days or ' []'}\n"
        f"    covers_until: {calendar.covers_until.isoformat()}"
    )
