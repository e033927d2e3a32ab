"""Lengths of time as agreements write them: `PT48H`, `P10D`, or `10 business days`."""

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from tallystick.domain.amounts import counted
from tallystick.domain.codec import MalformedDocumentError
from tallystick.domain.json import JsonValue
from tallystick.limits.agreements import BUSINESS_DAYS_MAX, PERIOD_MAX

_ISO_8601: Final = re.compile(
    r"P(?:(\d{1,5})D)?(?:T(?:(\d{1,5})H)?(?:(\d{1,5})M)?(?:(\d{1,8})S)?)?", re.ASCII
)
_UNITS: Final = ("day", "hour", "minute", "second")
_WEEK: Final = timedelta(days=7)
_BUSINESS_DAYS: Final = re.compile(r"([1-9]\d{0,3}) business days?", re.ASCII)


def whole_seconds(length: timedelta) -> int:
    """Return a length of time in whole seconds; a part of a second is left out."""
    return length // timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Period:
    """A length of time; its text is kept as the parties signed it.

    Attributes:
        text: An ISO 8601 duration of days, hours, minutes and seconds, or `N business days`.

    Raises:
        MalformedDocumentError: Another form, or longer than `limits.agreements` allows.
    """

    text: str

    def __post_init__(self) -> None:
        """Refuse a period that nobody could count."""
        if self.business_days is not None:
            if self.business_days > BUSINESS_DAYS_MAX:
                raise MalformedDocumentError("too many business days", limit=BUSINESS_DAYS_MAX)
        elif self.duration > PERIOD_MAX:
            raise MalformedDocumentError("the period is too long", limit_days=PERIOD_MAX.days)

    @property
    def business_days(self) -> int | None:
        """The number of business days, or None where this is a plain duration."""
        match = _BUSINESS_DAYS.fullmatch(self.text)
        return int(match.group(1)) if match else None

    @property
    def duration(self) -> timedelta:
        """The plain duration; zero for business days, whose length only a calendar knows.

        Raises:
            MalformedDocumentError: The text is in neither form.
        """
        if self.business_days is not None:
            return timedelta()
        match = _ISO_8601.fullmatch(self.text)
        if match is None or self.text.endswith("T") or not any(match.groups()):
            raise MalformedDocumentError(
                "this is not a period like PT48H, P10D or 10 business days", given=self.text[:64]
            )
        days, hours, minutes, seconds = (int(group or 0) for group in match.groups())
        return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)

    @property
    def roughly(self) -> timedelta:
        """About how long this is, where no calendar is asked: five business days are a week."""
        return self.duration if self.business_days is None else self.business_days * _WEEK / 5

    @property
    def words(self) -> str:
        """The period in words, unit by unit as it was signed: `48 hours`, `10 business days`."""
        match = _ISO_8601.fullmatch(self.text)
        if match is None:
            return counted(self.business_days or 0, "business day")
        counts = [(int(group), unit) for group, unit in zip(match.groups(), _UNITS, strict=True) if group]
        return " ".join(counted(count, unit) for count, unit in counts)

    @classmethod
    def from_json(cls, value: JsonValue, where: str) -> "Period":
        """Return the period that `value` writes.

        Raises:
            MalformedDocumentError: Not the text of a period.
        """
        if not isinstance(value, str):
            raise MalformedDocumentError("the value is not a period", at=where)
        return cls(value)

    def to_json(self) -> JsonValue:
        """Return the text."""
        return self.text
