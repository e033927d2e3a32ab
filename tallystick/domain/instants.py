"""Sums of moments and spans that end where the calendar of dates does: years 1 to 9999.

Others choose the dates in what they sign, from the first to the last. A sum beyond one end is that end, which
is earlier, or later, than everything that it is compared with.
"""

from datetime import UTC, datetime, timedelta
from typing import Final

FIRST: Final = datetime.min.replace(tzinfo=UTC)
LAST: Final = datetime.max.replace(microsecond=0, tzinfo=UTC)


def plus(moment: datetime, span: timedelta) -> datetime:
    """Return the moment `span` after `moment` (before it, if negative), or the last or first there is."""
    try:
        return moment + span
    except OverflowError:
        return LAST if span > timedelta() else FIRST
