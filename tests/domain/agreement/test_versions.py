"""Which versions only lengthen calendars: claims that run under an earlier one are counted by them."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Final

import pytest

from tallystick.domain.agreement.agreement import Agreement, depositor
from tallystick.domain.agreement.deadlines import CalendarExhaustedError, deadline
from tallystick.domain.agreement.versions import (
    check_in_force,
    only_lengthens_calendars,
    with_longest_calendars,
)
from tallystick.domain.ids import Digest
from tallystick.domain.periods import Period
from tallystick.domain.refusals import BadTimingError
from tests.support.worlds.agreements import AGREEMENT, agreement

DIGEST: Final = Digest("sha256:" + 64 * "1")
NEW_YEAR: Final = date(2029, 1, 1)
LATE: Final = datetime(2028, 12, 20, 9, tzinfo=UTC)


def longer(until: date = date(2029, 12, 31), **changes: object) -> Agreement:
    calendars = tuple(
        replace(one, covers_until=until, holidays=(*one.holidays, NEW_YEAR)) for one in AGREEMENT.calendars
    )
    return agreement(**{"version": 2, "supersedes": DIGEST, "calendars": calendars, **changes})


def other_calendar(**changes: object) -> Agreement:
    first, *rest = longer().calendars
    return longer(calendars=(replace(first, **changes), *rest))  # type: ignore[arg-type]


def test_a_version_with_longer_calendars_and_nothing_else_only_lengthens_them() -> None:
    later = longer(effective_from=AGREEMENT.effective_from + timedelta(days=700))
    assert only_lengthens_calendars(AGREEMENT, later)
    assert with_longest_calendars(AGREEMENT, [later]).calendars == later.calendars


@pytest.mark.parametrize(
    "later",
    [
        longer(title="Another title"),
        longer(windows=replace(AGREEMENT.windows, objection=Period("P1D"))),
        longer(date(2028, 12, 30)),
        longer(calendars=longer().calendars[:2]),
        other_calendar(weekend=("sun",)),
        other_calendar(id="de-be"),
        other_calendar(holidays=(*AGREEMENT.calendars[0].holidays, date(2027, 7, 1))),
        other_calendar(holidays=AGREEMENT.calendars[0].holidays[1:]),
    ],
    ids=["title", "window", "shorter", "fewer", "weekend", "name", "holiday more", "holiday less"],
)
def test_a_version_that_changes_anything_else_counts_for_no_running_claim(later: Agreement) -> None:
    assert not only_lengthens_calendars(AGREEMENT, later)
    assert with_longest_calendars(AGREEMENT, [later]) is AGREEMENT


def test_versions_read_one_by_one_or_together_give_the_same_calendars() -> None:
    versions = [longer(), longer(title="Another title", version=3), longer(date(2031, 1, 1), version=4)]
    versions += [longer(date(2030, 1, 1), version=5)]
    one_by_one = AGREEMENT
    for version in versions:
        one_by_one = with_longest_calendars(one_by_one, [version])
    assert one_by_one == with_longest_calendars(AGREEMENT, versions)
    assert one_by_one.calendars == versions[2].calendars


def test_longer_calendars_move_no_deadline_that_was_known_and_reach_those_that_were_not() -> None:
    reaching = with_longest_calendars(AGREEMENT, [longer()])
    vendor, window = depositor(AGREEMENT), Period("5 business days")
    start = datetime(2026, 11, 24, 9, tzinfo=UTC)
    while start < LATE - timedelta(days=14):
        known = deadline(start, window, recipient=vendor, agreement=AGREEMENT)
        assert deadline(start, window, recipient=vendor, agreement=reaching) == known
        start += timedelta(days=23, hours=5)
    with pytest.raises(CalendarExhaustedError, match="calendar de-by"):
        deadline(LATE, Period("10 business days"), recipient=vendor, agreement=AGREEMENT)
    found = deadline(LATE, Period("10 business days"), recipient=vendor, agreement=reaching)
    assert "Mon 2029-01-01 not counted: holiday in de-by and gb-eng" in found.explanation


def test_a_version_is_in_force_from_the_very_second_that_it_names() -> None:
    check_in_force(AGREEMENT, [], at=AGREEMENT.effective_from)
    with pytest.raises(BadTimingError, match="not in force yet"):
        check_in_force(AGREEMENT, [], at=AGREEMENT.effective_from - timedelta(seconds=1))
