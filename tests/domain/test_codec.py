"""The one way between JSON and dataclasses: strict, with one form, and errors that point."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from enum import StrEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.domain.codec import (
    MalformedDocumentError,
    Prose,
    decode,
    decode_with_defaults,
    encode,
    encode_object,
    instant,
    instant_text,
)
from tallystick.domain.ids import Digest, PartyId, PersonId, PublicKey
from tallystick.domain.json import JsonValue
from tallystick.domain.periods import Period
from tallystick.domain.quoting import drawn_by
from tallystick.limits.documents import LIST_LENGTH_MAX, TEXT_LENGTH_MAX


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


@dataclass(frozen=True, kw_only=True)
class Inner:
    number: int
    colour: Colour = Colour.RED


@dataclass(frozen=True, kw_only=True)
class Outer:
    text: str
    flag: bool
    inner: Inner
    inners: tuple[Inner, ...] = ()
    maybe: str | None = None
    at: datetime | None = None
    day: date | None = None
    hour: time | None = None
    period: Period | None = None
    person: PersonId | None = None
    party: PartyId | None = None
    digest: Digest | None = None
    key: PublicKey | None = None


def outer(**members: JsonValue) -> dict[str, JsonValue]:
    small: dict[str, JsonValue] = {
        "text": "t",
        "flag": True,
        "inner": {"number": 1, "colour": "red"},
    }
    return {**small, **members}


FULL = outer(
    inners=[{"number": -2, "colour": "blue"}],
    maybe="m",
    at="2026-11-24T09:00:00Z",
    day="2026-12-25",
    hour="17:00",
    period="10 business days",
    person="ana@harbour",
    party="harbour",
    digest="sha256:" + "0" * 64,
    key="ed25519:" + "f" * 64,
)


@pytest.mark.parametrize("value", [outer(), FULL])
def test_value_in_its_one_form_is_read_and_written_alike(value: JsonValue) -> None:
    assert encode(decode(Outer, value)) == value


def test_values_have_their_types() -> None:
    read = decode(Outer, FULL)
    assert read.at == datetime(2026, 11, 24, 9, tzinfo=UTC)
    assert read.day == date(2026, 12, 25)
    assert read.hour == time(17)
    assert read.period == Period("10 business days")
    assert read.inners == (Inner(number=-2, colour=Colour.BLUE),)


def test_absence_is_not_written() -> None:
    assert set(encode_object(decode(Outer, outer()))) == {"text", "flag", "inner"}


@pytest.mark.parametrize(("member", "nothing"), [("inners", []), ("maybe", None)])
def test_nothing_is_said_by_absence_alone(member: str, nothing: JsonValue) -> None:
    with pytest.raises(MalformedDocumentError):
        decode(Outer, outer(**{member: nothing}))


def test_default_left_out_is_not_a_signed_form_but_may_be_written_by_hand() -> None:
    value = outer(inner={"number": 1})
    with pytest.raises(MalformedDocumentError, match="one form"):
        decode(Outer, value)
    assert decode_with_defaults(Outer, value).inner == Inner(number=1, colour=Colour.RED)


@pytest.mark.parametrize(
    ("value", "at"),
    [
        (None, ""),
        ([], ""),
        ("text", ""),
        ({"text": "t"}, ""),
        (outer(more=1), ""),
        (outer(text=1), "/text"),
        (outer(text=None), "/text"),
        (outer(text="x" * (TEXT_LENGTH_MAX + 1)), "/text"),
        (outer(flag=1), "/flag"),
        (outer(flag="true"), "/flag"),
        (outer(maybe=None), "/maybe"),
        (outer(inner=[]), "/inner"),
        (outer(inner={"number": True, "colour": "red"}), "/inner/number"),
        (outer(inner={"number": "1", "colour": "red"}), "/inner/number"),
        (outer(inner={"number": 1, "colour": "green"}), "/inner/colour"),
        (outer(inner={"number": 1, "colour": "RED"}), "/inner/colour"),
        (outer(inners={}), "/inners"),
        (outer(inners="red"), "/inners"),
        (outer(inners=[{"number": 1, "colour": "red"}, 7]), "/inners/1"),
        (outer(inners=[{"number": 1, "colour": "red"}] * (LIST_LENGTH_MAX + 1)), "/inners"),
        (outer(at="2026-11-24 09:00:00Z"), "/at"),
        (outer(at="2026-11-24T09:00:00+00:00"), "/at"),
        (outer(at="2026-11-24T09:00:00.5Z"), "/at"),
        (outer(at="2026-11-24T09:00:60Z"), "/at"),
        (outer(at="2026-11-24T09:00:00Z\n"), "/at"),
        (outer(at="٢٠٢٦-11-24T09:00:00Z"), "/at"),
        (outer(at="2026-02-30T09:00:00Z"), "/at"),
        (outer(at="0000-01-01T00:00:00Z"), "/at"),
        (outer(day="20261225"), "/day"),
        (outer(day="2026-W52-5"), "/day"),
        (outer(day="2026-02-30"), "/day"),
        (outer(hour="24:00"), "/hour"),
        (outer(hour="7:00"), "/hour"),
        (outer(hour="17:00:00"), "/hour"),
        (outer(hour="1\u0667:00"), "/hour"),
        (outer(period="soon"), "/period"),
        (outer(person="ana"), "/person"),
        (outer(person="ana@x@y"), "/person"),
        (outer(party="Harbour"), "/party"),
        (outer(digest="sha256:" + "A" * 64), "/digest"),
        (outer(digest="sha256:0"), "/digest"),
        (outer(key="0" * 64), "/key"),
        (outer(at=1), "/at"),
        (outer(day=1), "/day"),
        (outer(hour=1), "/hour"),
        (outer(period=1), "/period"),
        (outer(person=1), "/person"),
        (outer(party=[]), "/party"),
        (outer(digest=True), "/digest"),
        (outer(key={}), "/key"),
    ],
)
def test_anything_else_is_refused_where_it_stands(value: JsonValue, at: str) -> None:
    with pytest.raises(MalformedDocumentError) as caught:
        decode_with_defaults(Outer, value)
    assert caught.value.facts["at"] == at


def test_unknown_and_missing_members_are_named() -> None:
    with pytest.raises(MalformedDocumentError, match="unknown member") as unknown:
        decode(Outer, outer(more=1))
    assert unknown.value.facts == {"at": "", "member": "more"}
    with pytest.raises(MalformedDocumentError) as misspelt:
        decode(Outer, {**outer(), "texxt": "t"})
    assert misspelt.value.facts["did_you_mean"] == "text"
    with pytest.raises(MalformedDocumentError, match="missing member") as missing:
        decode(Outer, {"text": "t", "flag": True})
    assert missing.value.facts["member"] == "inner"


def test_pointer_starts_where_the_caller_says() -> None:
    with pytest.raises(MalformedDocumentError) as caught:
        decode(Inner, {"number": "1"}, "/body")
    assert caught.value.facts["at"] == "/body/number"


def test_instant_is_written_in_utc_and_whole_seconds() -> None:
    cet = timezone(timedelta(hours=1))
    assert instant_text(datetime(2026, 11, 24, 10, 0, 0, 999_999, tzinfo=cet)) == "2026-11-24T09:00:00Z"


def test_time_without_zone_is_not_an_instant() -> None:
    with pytest.raises(AssertionError):
        instant_text(datetime(2026, 11, 24))  # noqa: DTZ001 - what must not happen


@given(st.datetimes(datetime(1, 1, 2), timezones=st.just(UTC)))  # noqa: DTZ001 - the bound of a strategy
def test_instant_survives_being_written_down(moment: datetime) -> None:
    assert instant(instant_text(moment)) == moment.replace(microsecond=0)


TEXTS = st.text(max_size=20).filter(lambda text: drawn_by(text) is None)
INNERS = st.builds(Inner, number=st.integers(), colour=st.sampled_from(Colour))
OUTERS = st.builds(
    Outer,
    text=TEXTS,
    flag=st.booleans(),
    inner=INNERS,
    inners=st.lists(INNERS, max_size=3).map(tuple),
    maybe=st.none() | TEXTS,
    at=st.none() | st.datetimes(timezones=st.just(UTC)).map(lambda at: at.replace(microsecond=0)),
    day=st.none() | st.dates(),
    hour=st.none() | st.times().map(lambda hour: hour.replace(second=0, microsecond=0)),
    period=st.none() | st.integers(1, 400).map(lambda days: Period(f"{days} business days")),
    person=st.none(),
    party=st.none(),
    digest=st.none(),
    key=st.none(),
)


@given(OUTERS)
def test_every_value_survives_being_written_down(value: Outer) -> None:
    assert decode(Outer, encode(value)) == value


@dataclass(frozen=True, kw_only=True)
class Letter:
    title: str
    lines: tuple[str, ...] = ()
    story: Prose | None = None


@pytest.mark.parametrize("character", ["\n", "\x1b", "\u202e", "\u200b", "\u2028", "\u3164", "\U000e0041"])
@pytest.mark.parametrize("member", ["title", "lines"])
def test_a_text_of_one_line_has_no_character_that_draws(character: str, member: str) -> None:
    text = f"a{character}b"
    document = {"title": "a", "lines": ["b"], **({"title": text} if member == "title" else {"lines": [text]})}
    with pytest.raises(MalformedDocumentError, match="may not stand in a text of one line") as refused:
        decode(Letter, document)
    assert refused.value.facts["character"] == f"U+{ord(character):04X}"
    assert refused.value.facts["at"] == ("/title" if member == "title" else "/lines/0")


def test_prose_may_have_any_characters() -> None:
    story = "first\nsecond \u202e"
    assert decode(Letter, {"title": "a", "story": story}).story == story
