"""How the waits of the sound agreement end: after so long that few stories come to it."""

from typing import Final

from tallystick.domain.agreement.windows import (
    DisputeEnd,
    DisputeWait,
    HoldEnd,
    HoldWait,
    IntakeEnd,
    IntakeWait,
    UnprovenNoticeEnd,
    UnprovenNoticeWait,
    Waits,
)
from tallystick.domain.periods import Period

WAITS: Final = Waits(
    intake=IntakeWait(then=IntakeEnd.LAPSE),
    dispute=DisputeWait(after=Period("P180D"), then=DisputeEnd.LAPSE),
    hold=HoldWait(after=Period("P120D"), then=HoldEnd.LAPSE),
    unproven_notice=UnprovenNoticeWait(after=Period("P90D"), then=UnprovenNoticeEnd.LAPSE),
)
