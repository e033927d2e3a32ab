"""Dates that others choose, up to both ends of time: they are a finding or a refusal, never a crash."""

import json
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallystick.domain.agreement.agreement import Agreement, depositor
from tallystick.domain.agreement.deadlines import CalendarExhaustedError, deadline, received
from tallystick.domain.authorship.authors import check_times
from tallystick.domain.codec import MalformedDocumentError, decode_with_defaults, encode_object, instant
from tallystick.domain.drill.readiness import Inventory, findings
from tallystick.domain.errors import TallystickError
from tallystick.domain.inbox.deadlines import deadlines
from tallystick.domain.inbox.waiting import waiting
from tallystick.domain.instants import FIRST, LAST, plus
from tallystick.domain.notice.letter import claim_letter
from tallystick.domain.periods import Period
from tallystick.domain.progress.beyond import beyond_calendars
from tallystick.domain.release.conditions_met import unmet_evidence
from tallystick.domain.release.decision import premises_to_tell
from tallystick.domain.soundness.check import errors_among, examine
from tests.support.worlds.agreements import AGREEMENT, CRITICAL, agreement
from tests.support.worlds.world import World

TODAY: Final = datetime(2026, 11, 27, 19, tzinfo=UTC)
ENDS: Final = [FIRST, FIRST + timedelta(hours=13), TODAY, LAST - timedelta(days=3), LAST]
MOMENTS: Final = st.sampled_from(ENDS) | st.datetimes(timezones=st.just(UTC)).map(
    lambda moment: moment.replace(microsecond=0)
)
DATES: Final = st.sampled_from([date.min, date(2026, 12, 1), date.max]) | st.dates()
PERIODS: Final = st.sampled_from(
    [Period(text) for text in ("PT1S", "PT24H", "P3660D", "1 business day", "400 business days")]
)
ZONES: Final = st.sampled_from(["Pacific/Kiritimati", "Pacific/Pago_Pago", "Europe/Berlin", "UTC"])


def for_ever(**changes: object) -> Agreement:
    """The sound agreement with calendars that never end."""
    return agreement(
        calendars=tuple(replace(one, covers_until=date.max) for one in AGREEMENT.calendars), **changes
    )


@given(start=MOMENTS, period=PERIODS, zone=ZONES)
def test_every_deadline_is_a_moment_or_beyond_the_calendar(
    start: datetime, period: Period, zone: str
) -> None:
    terms = for_ever()
    vendor = replace(depositor(terms), time_zone=zone)
    with suppress(CalendarExhaustedError):
        assert deadline(start, period, recipient=vendor, agreement=terms).at >= start
    with suppress(CalendarExhaustedError):
        assert received(start, recipient=vendor, agreement=terms).at >= start


@pytest.mark.parametrize("period", ["PT24H", "10 business days"])
def test_a_deadline_after_the_last_year_is_beyond_the_calendar(period: str) -> None:
    vendor = depositor(AGREEMENT)
    with pytest.raises(CalendarExhaustedError, match="outside the years 1 to 9999"):
        deadline(LAST, Period(period), recipient=vendor, agreement=for_ever())


@given(moment=MOMENTS, days=st.integers(-4_000_000, 4_000_000))
def test_a_sum_of_any_moment_and_span_lies_within_time(moment: datetime, days: int) -> None:
    assert FIRST <= plus(moment, timedelta(days=days)) <= LAST.replace(microsecond=999999)


@given(issued_at=MOMENTS, at=MOMENTS)
def test_times_of_a_statement_are_taken_or_refused(issued_at: datetime, at: datetime) -> None:
    world = World()
    world.files()
    with suppress(TallystickError):
        check_times(replace(world.claim.filing, issued_at=issued_at), at=at)


@given(issued_at=MOMENTS, at=MOMENTS, oldest=PERIODS)
def test_evidence_of_any_date_is_fresh_stale_or_beyond_the_calendar(
    issued_at: datetime, at: datetime, oldest: Period
) -> None:
    world = World()
    world.files()
    documents = tuple(replace(one, issued_at=issued_at) for one in world.claim.filing.evidence)
    terms = agreement(evidence=tuple(replace(item, max_age=oldest) for item in AGREEMENT.evidence))
    with suppress(TallystickError):
        unmet_evidence(terms, replace(world.claim.filing, evidence=documents), at=at)


@settings(max_examples=40)
@given(effective=MOMENTS, until=DATES, holiday=DATES, licence=DATES)
def test_an_agreement_with_any_dates_is_examined(
    effective: datetime, until: date, holiday: date, licence: date
) -> None:
    calendars = tuple(
        replace(one, covers_until=until, holidays=(holiday, *one.holidays)) for one in AGREEMENT.calendars
    )
    first, *rest = AGREEMENT.components
    dated = replace(first, licence=replace(AGREEMENT.components[1].licence, ends_on=licence))
    terms = agreement(effective_from=effective, calendars=calendars, components=(dated, *rest))
    for finding in examine(terms, at=TODAY):
        assert finding.message


@pytest.mark.parametrize("effective", [LAST, TODAY + timedelta(days=4000)])
def test_an_agreement_that_takes_effect_in_another_age_is_refused(effective: datetime) -> None:
    found = errors_among(examine(for_ever(effective_from=effective), at=TODAY))
    assert [finding.code for finding in found] == ["effect-too-late"]


@settings(max_examples=40)
@given(at=MOMENTS, watermark=MOMENTS)
def test_readiness_is_reported_whatever_a_deposit_says_of_its_time(at: datetime, watermark: datetime) -> None:
    deposit = replace(World().deposit.body, watermark=watermark)
    inventory = Inventory(at=at, live=(), deposit=deposit, revoked=(), halted=False)
    assert findings(AGREEMENT, inventory)


def test_a_deposit_of_the_year_1_is_too_old() -> None:
    deposit = replace(World().deposit.body, watermark=FIRST)
    terms = agreement(
        components=tuple(replace(one, max_age=Period("5 business days")) for one in AGREEMENT.components)
    )
    inventory = Inventory(at=TODAY, live=(), deposit=deposit, revoked=(), halted=False)
    assert "deposit-too-old" in {finding.code for finding in findings(terms, inventory)}


@settings(max_examples=30, deadline=None)
@given(begun=MOMENTS.map(lambda moment: max(moment, FIRST + timedelta(days=3))), later=MOMENTS)
def test_a_record_of_any_time_is_read_and_told(begun: datetime, later: datetime) -> None:
    world = World(agreement=for_ever(effective_from=FIRST), now=begun)
    with suppress(TallystickError):
        world.files()
        world.accepts()
        world.acknowledges()
        world.approves("ana@harbour", expires_at=plus(begun, timedelta(days=30)))
        world.at(max(begun, later))
    if world.told is None:
        return
    for at in (begun, later):
        assert waiting(world.agreement, world.claim, at) is not None
        assert premises_to_tell(world.agreement, world.claim, CRITICAL, at=at, unextended=frozenset())
        assert claim_letter(world.agreement, world.claim, at=at)
        beyond_calendars(world.agreement, world.claim, at=at)
        with suppress(CalendarExhaustedError):
            deadlines(world.agreement, world.claim, at)


@pytest.mark.parametrize(
    ("path", "written"),
    [
        (("effective_from",), "0000-01-01T00:00:00Z"),
        (("effective_from",), "10000-01-01T00:00:00Z"),
        (("effective_from",), "2026-02-30T00:00:00Z"),
        (("effective_from",), "9999-12-31T24:00:00Z"),
        (("notice", "cutoff"), "24:00"),
        (("windows", "objection"), "P9999Y"),
        (("windows", "objection"), "P99999D"),
        (("windows", "objection"), "9999 business days"),
        (("windows", "objection"), "PT999999999999999999999S"),
        (("notice", "deemed_after"), "P3661D"),
    ],
)
def test_a_date_that_does_not_exist_is_refused_where_it_stands(path: tuple[str, ...], written: str) -> None:
    document = json.loads(json.dumps(encode_object(AGREEMENT)))
    inner = document
    for name in path[:-1]:
        inner = inner[name]
    inner[path[-1]] = written
    with pytest.raises(MalformedDocumentError) as refused:
        decode_with_defaults(Agreement, document)
    assert refused.value.facts["at"] == "/" + "/".join(path)


@given(text=st.from_regex(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", fullmatch=True))
def test_every_text_of_a_moment_is_a_moment_or_malformed(text: str) -> None:
    with suppress(MalformedDocumentError):
        assert FIRST <= instant(text) <= LAST
