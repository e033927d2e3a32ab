"""Periods as agreements write them."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.domain.codec import MalformedDocumentError, decode, encode
from tallystick.domain.periods import Period
from tallystick.limits.agreements import BUSINESS_DAYS_MAX, PERIOD_MAX


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("PT48H", timedelta(hours=48)),
        ("P10D", timedelta(days=10)),
        ("PT20S", timedelta(seconds=20)),
        ("P1DT2H3M4S", timedelta(days=1, hours=2, minutes=3, seconds=4)),
        ("PT0S", timedelta()),
    ],
)
def test_plain_duration(text: str, duration: timedelta) -> None:
    period = Period(text)
    assert period.duration == duration
    assert period.business_days is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("PT48H", "48 hours"),
        ("P1D", "1 day"),
        ("P90D", "90 days"),
        ("PT24H", "24 hours"),
        ("PT90M", "90 minutes"),
        ("P1DT2H3M4S", "1 day 2 hours 3 minutes 4 seconds"),
        ("PT0S", "0 seconds"),
        ("1 business day", "1 business day"),
        ("10 business days", "10 business days"),
    ],
)
def test_words_say_what_was_signed(text: str, words: str) -> None:
    assert Period(text).words == words


@pytest.mark.parametrize(
    ("text", "days"), [("10 business days", 10), ("1 business day", 1), ("400 business days", 400)]
)
def test_business_days(text: str, days: int) -> None:
    period = Period(text)
    assert period.business_days == days
    assert period.duration == timedelta()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "P",
        "PT",
        "P1DT",
        "P1Y",
        "P1M",
        "P1W",
        "-P1D",
        "P1.5D",
        "p1d",
        "P1D ",
        "P1D\n",
        "PT1M1H",
        "P٣D",
        "٣ business days",
        "0 business days",
        "01 business days",
        "10 days",
        "10 business days\n",
        "ten business days",
        f"{BUSINESS_DAYS_MAX + 1} business days",
        f"P{PERIOD_MAX.days + 1}D",
        f"P{PERIOD_MAX.days}DT1S",
    ],
)
def test_other_form_or_longer_is_refused(text: str) -> None:
    with pytest.raises(MalformedDocumentError):
        Period(text)


def test_longest_period_is_accepted() -> None:
    assert Period(f"P{PERIOD_MAX.days}D").duration == PERIOD_MAX


def test_refusal_says_where_the_period_is() -> None:
    with pytest.raises(MalformedDocumentError) as caught:
        decode(Period, "soon", "/windows/objection")
    assert caught.value.facts["at"] == "/windows/objection"


def test_number_is_not_a_period() -> None:
    with pytest.raises(MalformedDocumentError):
        decode(Period, 10)


@given(st.integers(0, 3659), st.integers(0, 23), st.integers(0, 59), st.integers(0, 59))
def test_duration_adds_up_and_text_is_kept(days: int, hours: int, minutes: int, seconds: int) -> None:
    text = f"P{days}DT{hours}H{minutes}M{seconds}S"
    period = decode(Period, text)
    assert period.duration == timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    assert encode(period) == text
