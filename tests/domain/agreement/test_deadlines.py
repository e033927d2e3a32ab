"""Deadlines: the reference timeline, both calendars, every clock, and what they always keep."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.agreement.deadlines import (
    WEEKDAYS,
    CalendarExhaustedError,
    Deadline,
    UnknownTimeZoneError,
    deadline,
    later,
    received,
    time_zone,
)
from tallystick.domain.agreement.parties import Party, Role
from tallystick.domain.agreement.windows import Calendar, NoticeRule
from tallystick.domain.codec import decode, encode
from tallystick.domain.ids import PartyId
from tallystick.domain.periods import Period
from tallystick.limits.agreements import EXPLANATION_LINES_MAX
from tests.support.worlds.agreements import AGREEMENT, CALENDARS, agreement

TEN_DAYS = Period("10 business days")
NORDWIND = AGREEMENT.party(PartyId("nordwind"))
HALDEN = AGREEMENT.party(PartyId("halden"))
NOTICE_SENT = datetime(2026, 12, 14, 16, 40, tzinfo=UTC)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def with_calendar(calendar: Calendar) -> Agreement:
    return agreement(calendars=tuple(calendar if calendar.id == c.id else c for c in CALENDARS))


def with_holiday(version: Agreement, calendar: str, day: date) -> Agreement:
    changed = tuple(
        replace(c, holidays=(*c.holidays, day)) if c.id == calendar else c for c in version.calendars
    )
    return replace(version, calendars=changed)


def moved(party: Party, zone: str) -> Party:
    return replace(party, time_zone=zone)


def open_for(day: date, recipient: Party, version: Agreement) -> bool:
    """Whether nothing is closed that day at the recipient's place and at every escrow agent's."""
    places = (recipient, *version.parties_in(Role.ESCROW_AGENT))
    calendars = [version.calendar(place.calendar) for place in places]
    return not any(
        WEEKDAYS[day.weekday()] in calendar.weekend or day in calendar.holidays for calendar in calendars
    )


def everyday(zone: str, cutoff: time, resumes: time = time(0)) -> tuple[Party, Agreement]:
    """A recipient in `zone`, where every day is a business day."""
    open_always = tuple(replace(calendar, weekend=(), holidays=()) for calendar in CALENDARS)
    version = agreement(calendars=open_always, notice=NoticeRule(cutoff=cutoff, resumes=resumes))
    return moved(NORDWIND, zone), version


def test_notice_after_cutoff_in_berlin_is_received_next_morning() -> None:
    proof = received(NOTICE_SENT, recipient=NORDWIND, agreement=AGREEMENT)
    assert proof.at == at("2026-12-15T08:00:00Z")
    assert proof.explanation == (
        "Mon 2026-12-14 17:40 Europe/Berlin: after 17:00",
        "deemed received Tue 2026-12-15 09:00 Europe/Berlin",
    )


def test_ten_business_days_over_christmas_end_on_31_december() -> None:
    proof = received(NOTICE_SENT, recipient=NORDWIND, agreement=AGREEMENT)
    window = deadline(proof.at, TEN_DAYS, recipient=NORDWIND, agreement=AGREEMENT)
    assert window.at == at("2026-12-31T16:00:00Z")
    assert window.explanation == (
        "Tue 2026-12-15 not counted: the day it begins",
        "Wed 2026-12-16 counted: 1",
        "Thu 2026-12-17 counted: 2",
        "Fri 2026-12-18 counted: 3",
        "Sat 2026-12-19 to Sun 2026-12-20 not counted: weekend in de-by and gb-eng",
        "Mon 2026-12-21 counted: 4",
        "Tue 2026-12-22 counted: 5",
        "Wed 2026-12-23 counted: 6",
        "Thu 2026-12-24 counted: 7",
        "Fri 2026-12-25 not counted: holiday in de-by and gb-eng",
        "Sat 2026-12-26 to Sun 2026-12-27 not counted: weekend in de-by and gb-eng",
        "Mon 2026-12-28 not counted: holiday in gb-eng",
        "Tue 2026-12-29 counted: 8",
        "Wed 2026-12-30 counted: 9",
        "Thu 2026-12-31 counted: 10",
        "ends Thu 2026-12-31 17:00 Europe/Berlin",
    )


def test_german_calendar_alone_ends_a_day_earlier() -> None:
    agents_in_bavaria = tuple(replace(party, calendar="de-by") for party in AGREEMENT.parties)
    window = deadline(
        at("2026-12-15T08:00:00Z"),
        TEN_DAYS,
        recipient=NORDWIND,
        agreement=agreement(parties=agents_in_bavaria),
    )
    assert window.at == at("2026-12-30T16:00:00Z")


def test_bank_holiday_announced_mid_window_moves_it_by_a_day() -> None:
    england = Calendar(
        id="gb-eng",
        weekend=("sat", "sun"),
        holidays=(date(2022, 8, 29),),
        covers_until=date(2022, 12, 31),
    )
    before = with_calendar(england)
    after = with_holiday(before, "gb-eng", date(2022, 9, 19))
    start = at("2022-09-07T10:00:00Z")
    assert deadline(start, TEN_DAYS, recipient=HALDEN, agreement=before).at == at("2022-09-21T16:00:00Z")
    assert deadline(start, TEN_DAYS, recipient=HALDEN, agreement=after).at == at("2022-09-22T16:00:00Z")


def test_holiday_of_a_calendar_that_is_neither_partys_changes_nothing() -> None:
    start = at("2026-12-15T08:00:00Z")
    dutch = with_holiday(AGREEMENT, "nl", date(2026, 12, 16))
    assert deadline(start, TEN_DAYS, recipient=NORDWIND, agreement=dutch) == deadline(
        start, TEN_DAYS, recipient=NORDWIND, agreement=AGREEMENT
    )


@pytest.mark.parametrize(
    ("sent", "deemed", "why"),
    [
        ("2026-12-14T16:00:00Z", "2026-12-14T16:00:00Z", "the cut-off hour itself is in time"),
        ("2026-12-14T16:00:01Z", "2026-12-15T08:00:00Z", "a second after it is not"),
        ("2026-12-14T06:00:00Z", "2026-12-14T06:00:00Z", "early is not late"),
        ("2026-12-12T10:00:00Z", "2026-12-14T08:00:00Z", "a Saturday"),
        ("2026-12-24T17:00:00Z", "2026-12-29T08:00:00Z", "Christmas, and the agent's Boxing Day"),
        ("2026-12-28T10:00:00Z", "2026-12-29T08:00:00Z", "a holiday at the agent's alone"),
        ("2026-10-23T15:30:00Z", "2026-10-26T08:00:00Z", "over the end of summer time"),
    ],
)
def test_notice_is_deemed_received_by_the_recipients_clock(sent: str, deemed: str, why: str) -> None:
    assert received(at(sent), recipient=NORDWIND, agreement=AGREEMENT).at == at(deemed), why


def test_plain_durations_are_added_as_instants() -> None:
    start = at("2026-10-24T12:00:00Z")  # summer time ends in the night that follows
    window = deadline(start, Period("P1D"), recipient=NORDWIND, agreement=AGREEMENT)
    assert window == Deadline(at=start + timedelta(hours=24), explanation=("P1D after 2026-10-24T12:00:00Z",))


def test_part_of_a_second_is_never_cut_off() -> None:
    start = at("2026-10-24T12:00:00.000001Z")
    window = deadline(start, Period("PT1S"), recipient=NORDWIND, agreement=AGREEMENT)
    assert window.at == at("2026-10-24T12:00:02Z")


def test_hour_that_is_skipped_comes_after_the_gap() -> None:
    recipient, version = everyday("Europe/Berlin", time(2, 30))
    window = deadline(
        at("2027-03-27T12:00:00Z"), Period("1 business day"), recipient=recipient, agreement=version
    )
    assert window.at == at("2027-03-28T01:30:00Z")  # 03:30 summer time


def test_hour_that_occurs_twice_means_the_second_one() -> None:
    recipient, version = everyday("Europe/Berlin", time(2, 30))
    window = deadline(
        at("2026-10-24T12:00:00Z"), Period("1 business day"), recipient=recipient, agreement=version
    )
    assert window.at == at("2026-10-25T01:30:00Z")  # winter time


def test_party_at_plus_thirteen_counts_its_own_days() -> None:
    recipient, version = everyday("Pacific/Tongatapu", time(17))
    friday_there = at("2026-12-10T12:00:00Z")  # Thursday noon in London, Friday 01:00 in Tonga
    window = deadline(friday_there, Period("1 business day"), recipient=recipient, agreement=version)
    assert window.at == datetime(2026, 12, 12, 17, tzinfo=ZoneInfo("Pacific/Tongatapu"))
    assert window.at == at("2026-12-12T04:00:00Z")


def test_day_beyond_the_calendar_is_refused_by_the_calendars_name() -> None:
    england = replace(AGREEMENT.calendar("gb-eng"), covers_until=date(2026, 12, 30))
    with pytest.raises(CalendarExhaustedError) as caught:
        deadline(at("2026-12-15T08:00:00Z"), TEN_DAYS, recipient=NORDWIND, agreement=with_calendar(england))
    assert caught.value.facts["calendar"] == "gb-eng"
    assert caught.value.facts["day"] == "2026-12-31"


def test_last_covered_day_still_counts() -> None:
    england = replace(AGREEMENT.calendar("gb-eng"), covers_until=date(2026, 12, 31))
    window = deadline(
        at("2026-12-15T08:00:00Z"), TEN_DAYS, recipient=NORDWIND, agreement=with_calendar(england)
    )
    assert window.at == at("2026-12-31T16:00:00Z")


@pytest.mark.parametrize(("start", "covered"), [("2026-12-15", "9999-12-31"), ("9999-12-30", "9999-12-31")])
def test_calendar_without_business_days_is_refused(start: str, covered: str) -> None:
    never = tuple(
        replace(
            c,
            weekend=("mon", "tue", "wed", "thu", "fri", "sat", "sun"),
            covers_until=date.fromisoformat(covered),
        )
        for c in CALENDARS
    )
    with pytest.raises(CalendarExhaustedError):
        deadline(at(f"{start}T08:00:00Z"), TEN_DAYS, recipient=NORDWIND, agreement=agreement(calendars=never))


@pytest.mark.parametrize(
    "zone",
    ["Europe/Nowhere", "Europe", "localtime", "right/Europe/Berlin", "../etc/passwd", "", "/Europe/Berlin"],
)
def test_unknown_time_zone_is_refused(zone: str) -> None:
    with pytest.raises(UnknownTimeZoneError):
        time_zone(zone)


def test_explanation_of_a_long_period_is_folded() -> None:
    recipient, version = everyday("Europe/Berlin", time(17))
    window = deadline(
        at("2027-01-01T08:00:00Z"), Period("400 business days"), recipient=recipient, agreement=version
    )
    assert len(window.explanation) == EXPLANATION_LINES_MAX + 2
    assert "(337 lines left out)" in window.explanation
    assert "counted: 1" in window.explanation[1]
    assert "counted: 400" in window.explanation[-2]


def test_deadline_survives_being_written_down() -> None:
    window = deadline(NOTICE_SENT, TEN_DAYS, recipient=NORDWIND, agreement=AGREEMENT)
    assert decode(Deadline, encode(window)) == window


EARLY = Deadline(at=at("2026-12-01T00:00:00Z"), explanation=("early",))
LATE = Deadline(at=at("2026-12-02T00:00:00Z"), explanation=("late",))


def test_later_of_two_deadlines() -> None:
    assert later(EARLY, LATE) is LATE
    assert later(LATE, EARLY) is LATE
    assert later(EARLY, replace(EARLY, explanation=("other",))) is EARLY


ZONES = ("Europe/Berlin", "Pacific/Tongatapu", "Pacific/Kiritimati", "America/Havana", "Pacific/Pago_Pago")
MOMENTS = st.datetimes(datetime(2027, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001
HOURS = st.times().map(lambda hour: hour.replace(second=0, microsecond=0))
WEEKENDS = st.sampled_from([(), ("sat", "sun"), ("thu", "fri"), ("sun",), ("thu", "fri", "sat", "sun")])
HOLIDAYS = st.lists(st.dates(date(2027, 1, 1), date(2028, 3, 1)), max_size=12).map(tuple)
NOTICE_RULES = st.builds(NoticeRule, cutoff=HOURS, resumes=HOURS, deemed_after=st.none())


@st.composite
def agreements(draw: DrawFn) -> Agreement:
    covered = date(2031, 1, 1)
    calendars = tuple(
        replace(c, weekend=draw(WEEKENDS), holidays=draw(HOLIDAYS), covers_until=covered) for c in CALENDARS
    )
    return agreement(calendars=calendars, notice=draw(NOTICE_RULES))


RECIPIENTS = st.sampled_from([moved(NORDWIND, zone) for zone in ZONES])
COUNTS = st.integers(1, 60)


def business_days(count: int) -> Period:
    return Period(f"{count} business days")


@given(agreements(), RECIPIENTS, MOMENTS, MOMENTS, COUNTS)
def test_later_start_never_ends_earlier(
    version: Agreement, recipient: Party, one: datetime, other: datetime, count: int
) -> None:
    first, second = sorted((one, other))
    period = business_days(count)
    assert (
        deadline(first, period, recipient=recipient, agreement=version).at
        <= deadline(second, period, recipient=recipient, agreement=version).at
    )


@given(agreements(), RECIPIENTS, MOMENTS, COUNTS)
def test_one_more_business_day_ends_later(
    version: Agreement, recipient: Party, start: datetime, count: int
) -> None:
    assert (
        deadline(start, business_days(count), recipient=recipient, agreement=version).at
        < deadline(start, business_days(count + 1), recipient=recipient, agreement=version).at
    )


@given(agreements(), RECIPIENTS, MOMENTS, COUNTS, st.dates(date(2027, 1, 1), date(2027, 12, 31)))
def test_another_holiday_never_shortens(
    version: Agreement, recipient: Party, start: datetime, count: int, day: date
) -> None:
    more = with_holiday(version, "gb-eng", day)
    for period in (business_days(count), Period("PT36H")):
        before = deadline(start, period, recipient=recipient, agreement=version).at
        assert before <= deadline(start, period, recipient=recipient, agreement=more).at
    assert (
        received(start, recipient=recipient, agreement=version).at
        <= received(start, recipient=recipient, agreement=more).at
    )


@given(agreements(), RECIPIENTS, MOMENTS, COUNTS)
def test_nothing_ends_before_it_begins(
    version: Agreement, recipient: Party, start: datetime, count: int
) -> None:
    assert deadline(start, business_days(count), recipient=recipient, agreement=version).at >= start
    assert received(start, recipient=recipient, agreement=version).at >= start


@given(agreements(), RECIPIENTS, MOMENTS, COUNTS)
def test_exactly_as_many_business_days_are_counted_as_promised(
    version: Agreement, recipient: Party, start: datetime, count: int
) -> None:
    zone = time_zone(recipient.time_zone)
    end = deadline(start, business_days(count), recipient=recipient, agreement=version).at
    first, last = start.astimezone(zone).date(), end.astimezone(zone).date()
    between = [first + timedelta(days=ahead) for ahead in range(1, (last - first).days + 1)]
    counted = [day for day in between if open_for(day, recipient, version)]
    assert len(counted) == count
    assert counted[-1] == last
