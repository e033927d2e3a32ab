"""When a stage whose commands fail is tried again, and when that has to end."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from tallystick.domain.ids import StageId
from tallystick.domain.instants import plus
from tallystick.domain.pauses import backoff
from tallystick.limits.desk import ACTIVATION_PAUSE_MAX, ACTIVATION_PAUSE_MIN, ACTIVATION_REPORT_TIME
from tallystick.receiver.delivery import OfferedStage
from tallystick.receiver.logbook import StageNote

_SHORTEST: Final = timedelta(seconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trying:
    """A stage whose commands have failed so far.

    Attributes:
        again_at: When it is tried again.
        until: When its provisioning window ends.
    """

    stage: StageId
    fault: str
    again_at: datetime
    until: datetime


def trying(note: StageNote, offered: OfferedStage) -> Trying:
    """Return what to tell the user about a staged version that has failed at least once."""
    return Trying(
        stage=note.stage,
        fault=note.reason or "not activated yet",
        again_at=again_at(note),
        until=offered.report_until,
    )


def again_at(note: StageNote) -> datetime:
    """Return when a version that has failed is tried again: after a pause that doubles each time."""
    assert note.tried_at is not None, "it was tried"
    return note.tried_at + backoff(note.tries, ACTIVATION_PAUSE_MIN, ACTIVATION_PAUSE_MAX)


def has_time(note: StageNote, offered: OfferedStage) -> bool:
    """Return whether another try can begin before the provisioning window is about to end."""
    return again_at(note) <= plus(offered.report_until, -ACTIVATION_REPORT_TIME)


def time_left(offered: OfferedStage, at: datetime) -> timedelta:
    """Return how long a command that starts at `at` may run, so that its outcome can still be reported."""
    return max(plus(offered.report_until, -ACTIVATION_REPORT_TIME) - at, _SHORTEST)
