"""A claim that a calendar ends in: told before it is filed, refused only if nothing can be counted."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Final

import pytest

from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.agreement.deadlines import CalendarExhaustedError
from tallystick.domain.soundness.check import examine
from tallystick.domain.soundness.simulation.calendars import check_calendars_reach
from tallystick.domain.statements.filing import ClaimFiling
from tests.support.worlds.agreements import SPARE_SEATS
from tests.support.worlds.world import World

TODAY: Final = datetime(2026, 11, 27, 19, tzinfo=UTC)


def until(day: date) -> Agreement:
    return replace(
        SPARE_SEATS, calendars=tuple(replace(one, covers_until=day) for one in SPARE_SEATS.calendars)
    )


def filing(*stages: str) -> ClaimFiling:
    world = World()
    world.files(stages=stages)
    return world.claim.filing


def codes(agreement: Agreement) -> set[str]:
    return {finding.code for finding in examine(agreement, at=TODAY)} - {
        "calendar-short",
        "holiday-not-covered",
    }


def test_the_finding_names_the_calendar_its_end_and_the_day() -> None:
    (found,) = (f for f in examine(until(date(2026, 12, 4)), at=TODAY) if f.code == "calendar-ends-in-claim")
    assert found.where == "/calendars/0/covers_until"
    assert "2026-12-04, the last day that calendar de-by covers" in found.message


def test_the_last_day_on_which_a_claim_can_be_filed_is_reported_and_is_the_last() -> None:
    short = until(date(2027, 1, 31))
    (found,) = (f for f in examine(short, at=TODAY) if f.code == "calendar-ends-soon")
    last = datetime.combine(
        date.fromisoformat(found.message.removeprefix("no claim filed after ")[:10]),
        TODAY.time(),
        TODAY.tzinfo,
    )
    ends = {"calendar-ends-in-claim"}
    assert not ends & {f.code for f in examine(short, at=last - timedelta(days=1))}
    assert ends & {f.code for f in examine(short, at=last + timedelta(days=1))}


def test_calendars_that_reach_a_season_ahead_are_enough() -> None:
    assert codes(until(date(2027, 6, 30))) == set()


def test_a_claim_is_refused_if_its_own_deadlines_cannot_be_computed() -> None:
    with pytest.raises(CalendarExhaustedError, match="calendar de-by"):
        check_calendars_reach(until(date(2026, 12, 4)), filing("critical"), at=TODAY)


def test_a_claim_is_not_refused_for_what_only_a_slow_depositor_or_another_stage_would_need() -> None:
    # Acknowledged at once, the window ends on 14 December; with stage source, or no word, it takes longer.
    short = until(date(2026, 12, 30))
    check_calendars_reach(short, filing("critical"), at=TODAY)
    assert "calendar-ends-in-claim" in codes(short)
