"""Deadlines that explain themselves: business days, cut-off hours, deemed receipt.

A deadline is an instant and the reasons for it. The calendars are the agreement's
own, pinned in its signed bytes, so no upgrade of a holiday library moves a date.
Where a rule can be read in two ways, the later instant is taken: no reading of a
clock may shorten the time that a party was promised.
"""

import re
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, lru_cache, partial
from itertools import groupby
from typing import Final, Generic, TypeVar
from zoneinfo import ZoneInfo

from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.agreement.parties import Party, Role
from tallystick.domain.codec import instant_text
from tallystick.domain.errors import TallystickError
from tallystick.domain.periods import Period
from tallystick.limits.agreements import (
    AGREEMENTS_REMEMBERED_MAX,
    DEADLINE_DAYS_MAX,
    DEADLINES_REMEMBERED_MAX,
    EXPLANATION_LINES_MAX,
    PARTIES_MAX,
)

T = TypeVar("T")

WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
"""How an agreement writes the days of the week, in the order of `date.weekday`."""

_ONE_SECOND: Final = timedelta(seconds=1)
# Capitals keep out what differs from machine to machine: `localtime`, `right/…`, `posix/…`.
_ZONE_NAME: Final = re.compile(r"[A-Z][A-Za-z0-9_+-]{0,31}(?:/[A-Z][A-Za-z0-9_+-]{0,31}){0,2}")


class CalendarExhaustedError(TallystickError):
    """A deadline after the last day for which a calendar lists the holidays."""

    code = "calendar-exhausted"
    why = "The deadline falls after the last day for which the agreement's calendar lists the holidays."
    advice = "Sign a new version of the agreement whose calendar covers later dates."


class UnknownTimeZoneError(TallystickError):
    """A time zone that the IANA database does not have."""

    code = "unknown-time-zone"
    why = "A party's local time is computed from its IANA time zone, such as `Europe/Berlin`."
    advice = "Write the name of the zone as the IANA database does."


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadline:
    """The instant until which something may be done, and why it is this one.

    Attributes:
        at: UTC, whole seconds; an act accepted at this instant is in time.
        explanation: One line for each day counted or skipped; long runs take one line.
    """

    at: datetime
    explanation: tuple[str, ...]


def deadline(start: datetime, period: Period, *, recipient: Party, agreement: Agreement) -> Deadline:
    """Return the end of `period`, which begins at `start`, for `recipient`.

    Plain durations are added to the instant. Business days are counted from
    the day after `start`, in the recipient's time zone. A day counts if it is a business day for the
    recipient and for every escrow agent; the period ends at the cut-off hour of the last one.

    Raises:
        CalendarExhaustedError: A calendar does not reach that far.
        UnknownTimeZoneError: The recipient's time zone is unknown.
        NotInAgreementError: The agreement lacks a party's calendar.
    """
    with _within_years(start):
        return _counting(Same(agreement)).deadline(start, period, recipient)


def _deadline(start: datetime, period: Period, recipient: Party, *, agreement: Agreement) -> Deadline:
    if period.business_days is None:
        end = _whole_second(start + period.duration)
        return Deadline(at=end, explanation=(f"{period.text} after {instant_text(start)}",))
    zone = time_zone(recipient.time_zone)
    first = start.astimezone(zone).date()
    days = list(_counted(first, period.business_days, _diary(agreement, recipient)))
    last, cutoff = days[-1].day, agreement.notice.cutoff
    explanation = (
        f"{_day_text(first)} not counted: the day it begins",
        *_day_lines(days),
        f"ends {_day_text(last)} {cutoff:%H:%M} {recipient.time_zone}",
    )
    return Deadline(at=_instant_of(last, cutoff, zone), explanation=explanation)


def received(sent_at: datetime, *, recipient: Party, agreement: Agreement) -> Deadline:
    """Return when a notice that reached `recipient` at `sent_at` is deemed received.

    After the recipient's cut-off hour, or on a day that is not a business day, it is received when
    business resumes on the next business day; otherwise at the same instant.

    Raises:
        CalendarExhaustedError: A calendar does not reach that far.
        UnknownTimeZoneError: The recipient's time zone is unknown.
        NotInAgreementError: The agreement lacks a party's calendar.
    """
    with _within_years(sent_at):
        return _counting(Same(agreement)).received(sent_at, recipient)


def _received(sent_at: datetime, recipient: Party, *, agreement: Agreement) -> Deadline:
    zone = time_zone(recipient.time_zone)
    local = sent_at.astimezone(zone)
    diary, notice = _diary(agreement, recipient), agreement.notice
    closed = diary.closed(local.date())
    if not closed and sent_at <= _instant_of(local.date(), notice.cutoff, zone):
        why = f"received {instant_text(sent_at)}, within business hours of {recipient.id}"
        return Deadline(at=_whole_second(sent_at), explanation=(why,))
    days = list(_counted(local.date(), 1, diary))
    reason = closed or f"after {notice.cutoff:%H:%M}"
    explanation = (
        f"{_day_text(local.date())} {local:%H:%M} {recipient.time_zone}: {reason}",
        *_day_lines(days[:-1]),
        f"deemed received {_day_text(days[-1].day)} {notice.resumes:%H:%M} {recipient.time_zone}",
    )
    return Deadline(at=_instant_of(days[-1].day, notice.resumes, zone), explanation=explanation)


def later(one: Deadline, other: Deadline) -> Deadline:
    """Return the one that ends later; the first, if both end together."""
    return other if other.at > one.at else one


def unless_far(find: Callable[[], Deadline | None], at: datetime) -> Deadline | None:
    """Return a deadline, or None if it is after a calendar's end, and `at` is before.

    Such a deadline is not over at `at`, whatever days a longer calendar adds. After the calendar's end this
    cannot be told.

    Raises:
        CalendarExhaustedError: The calendar's last day has come, or it is not the calendar that is too short.
    """
    try:
        return find()
    except CalendarExhaustedError as beyond:
        last = beyond.facts.get("covers_until")
        # Before that day begins in UTC: the day after it, when the deadline is at the earliest, begins later
        # in every time zone.
        if isinstance(last, str) and at.astimezone(UTC).date() < date.fromisoformat(last):
            return None
        raise


@contextmanager
def _within_years(start: datetime) -> Generator[None]:
    """Refuse to count outside the years 1 to 9999, in any time zone; others choose the dates they sign."""
    try:
        yield
    except OverflowError as error:
        raise CalendarExhaustedError(
            "the deadline lies outside the years 1 to 9999", after=instant_text(start)
        ) from error


@cache
def time_zone(name: str) -> ZoneInfo:
    """Return the IANA time zone `name`.

    Raises:
        UnknownTimeZoneError: There is none, or its name differs in meaning from machine to machine.
    """
    if _ZONE_NAME.fullmatch(name) is None:
        raise UnknownTimeZoneError("the text is not the name of a time zone", given=name[:64])
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:  # a folder of zones, such as `Europe`, is an OSError
        raise UnknownTimeZoneError("no such time zone", given=name) from error


@dataclass(frozen=True, slots=True, kw_only=True)
class _Day:
    """A day in the count; `closed` says why it does not count, or is empty."""

    day: date
    closed: str


class Same(Generic[T]):
    """A value that equals itself alone: comparing two agreements would take longer than counting anew."""

    __slots__ = ("value",)

    def __init__(self, value: T) -> None:
        """Take the value, which is kept here: so no other has its id."""
        self.value = value

    def __eq__(self, other: object) -> bool:
        """Whether both are of one value, not of two that say the same."""
        return isinstance(other, Same) and other.value is self.value  # pyright: ignore[reportUnknownMemberType] - only its identity is asked

    def __hash__(self) -> int:
        """Return what stands for the value."""
        return id(self.value)


class _Counting:
    """The deadlines that were counted under one agreement; each follows from its arguments alone."""

    def __init__(self, agreement: Agreement) -> None:
        kept = lru_cache(maxsize=DEADLINES_REMEMBERED_MAX)
        self.deadline = kept(partial(_deadline, agreement=agreement))
        self.received = kept(partial(_received, agreement=agreement))
        self.diary = lru_cache(maxsize=PARTIES_MAX)(partial(_Diary, agreement))


@lru_cache(maxsize=AGREEMENTS_REMEMBERED_MAX)
def _counting(same: Same[Agreement]) -> _Counting:
    """Return what was counted under an agreement: a record is folded by asking for few deadlines, often."""
    return _Counting(same.value)


def _diary(agreement: Agreement, recipient: Party) -> "_Diary":
    return _counting(Same(agreement)).diary(recipient)


class _Diary:
    """The days of a recipient and of every escrow agent: which are business days for all of them."""

    def __init__(self, agreement: Agreement, recipient: Party) -> None:
        places = (recipient, *agreement.parties_in(Role.ESCROW_AGENT))
        ids = dict.fromkeys(party.calendar for party in places)
        self.calendars = tuple(agreement.calendar(calendar) for calendar in ids)
        self._last = min(self.calendars, key=lambda calendar: calendar.covers_until)
        self._holidays = [(calendar.id, frozenset(calendar.holidays)) for calendar in self.calendars]
        self._weekends = {
            day: " and ".join(calendar.id for calendar in self.calendars if name in calendar.weekend)
            for day, name in enumerate(WEEKDAYS)
        }

    def closed(self, day: date) -> str:
        """Return why `day` is not a business day, or an empty text.

        Raises:
            CalendarExhaustedError: A calendar does not reach that far.
        """
        calendar, end = self._last.id, self._last.covers_until
        if day > end:
            why = f"{day} is after {end}, the last day that calendar {calendar} covers"
            raise CalendarExhaustedError(why, calendar=calendar, day=str(day), covers_until=str(end))
        if weekend := self._weekends[day.weekday()]:
            return f"weekend in {weekend}"
        holiday = " and ".join(calendar for calendar, holidays in self._holidays if day in holidays)
        return f"holiday in {holiday}" if holiday else ""


def _counted(first: date, wanted: int, diary: _Diary) -> Iterator[_Day]:
    """Yield the days after `first`, closed ones too, until `wanted` business days have passed."""
    for ahead in range(1, DEADLINE_DAYS_MAX + 1):
        day = first + timedelta(days=ahead)
        closed = diary.closed(day)
        yield _Day(day=day, closed=closed)
        wanted -= not closed
        if wanted == 0:
            return
    raise CalendarExhaustedError(
        f"{DEADLINE_DAYS_MAX} days after {first.isoformat()} hold too few business days",
        after=first.isoformat(),
        calendars=[calendar.id for calendar in diary.calendars],
    )


def _instant_of(day: date, hour: time, zone: ZoneInfo) -> datetime:
    """Return when it is `hour` on `day` in `zone`; the later instant, if the clocks change then.

    A skipped hour is read as after the gap, and a repeated hour as the second one
    (PEP 495: of the two folds one is read with the offset before, one with that after).
    """
    local = datetime.combine(day, hour, zone)
    return max(local.replace(fold=fold).astimezone(UTC) for fold in (0, 1))


def _whole_second(moment: datetime) -> datetime:
    """Return `moment` in UTC; rounded up, so that writing it down never shortens a period."""
    whole = moment.astimezone(UTC).replace(microsecond=0)
    return whole if whole == moment else whole + _ONE_SECOND


def _day_lines(days: list[_Day]) -> tuple[str, ...]:
    """Return a line for each counted day, and one for each run of days closed for the same reason."""
    lines: list[str] = []
    number = 0
    for closed, run in groupby(days, key=lambda day: day.closed):
        same = [day.day for day in run]
        if closed:
            span = _day_text(same[0]) if len(same) == 1 else f"{_day_text(same[0])} to {_day_text(same[-1])}"
            lines.append(f"{span} not counted: {closed}")
            continue
        lines += [f"{_day_text(day)} counted: {count}" for count, day in enumerate(same, start=number + 1)]
        number += len(same)
    return _bounded(tuple(lines))


def _bounded(lines: tuple[str, ...]) -> tuple[str, ...]:
    if len(lines) <= EXPLANATION_LINES_MAX:
        return lines
    head = EXPLANATION_LINES_MAX // 2
    tail = EXPLANATION_LINES_MAX - head - 1
    return (*lines[:head], f"({len(lines) - head - tail} lines left out)", *lines[-tail:])


def _day_text(day: date) -> str:
    """Return `day` for people, whatever the locale of the process."""
    return f"{WEEKDAYS[day.weekday()].capitalize()} {day.isoformat()}"
