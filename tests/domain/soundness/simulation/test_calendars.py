"""A claim that a calendar ends in: told before it is filed, refused only if nothing can be counted."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Final

import pytest

from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.agreement.deadlines import CalendarExhaustedError
from tallystick.domain.soundness.check import examine
from tallystick.domain.soundness.simulation.calendars import (
    check_calendars_reach,
    time_given,
)
from tallystick.domain.soundness.simulation.trial import Trial
from tallystick.domain.statements.filing import ClaimFiling
from tests.support.stories.stories import play
from tests.support.worlds.agreements import (
    BEA,
    SPARE_SEATS,
)
from tests.support.worlds.groundwork import FILED_FOR
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


def filed_by_the_agent(last: date) -> tuple[Agreement, ClaimFiling]:
    terms = replace(until(last), authorities=FILED_FOR.authorities, windows=FILED_FOR.windows)
    world = play("ana files on behalf of halden", World(agreement=replace(FILED_FOR, stages=terms.stages)))
    return terms, world.claim.filing


def test_what_the_agent_files_is_played_to_its_end_by_the_beneficiary_and_others_than_its_filer() -> None:
    terms, filing = filed_by_the_agent(date(2028, 1, 31))
    end = Trial(terms, at=TODAY).filed(filing)
    assert (end.claim.state, end.claim.claimant, end.not_released) == ("RELEASED", BEA, ())


def test_what_the_agent_files_is_refused_as_well_if_its_deadlines_cannot_be_computed() -> None:
    terms, filing = filed_by_the_agent(date(2026, 12, 4))
    with pytest.raises(CalendarExhaustedError, match="calendar de-by"):
        check_calendars_reach(terms, filing, at=TODAY)


def test_the_time_to_confirm_is_part_of_the_time_that_a_claim_may_take() -> None:
    endless = replace(FILED_FOR, windows=replace(FILED_FOR.windows, confirmation=None))
    assert time_given(endless) < time_given(FILED_FOR)
