"""How the inbox says what follows if nobody acts in time."""

from typing import TypeAlias

from tallystick.domain.agreement.windows import DisputeWait, HoldWait, IntakeWait, UnprovenNoticeWait

Wait: TypeAlias = IntakeWait | DisputeWait | HoldWait | UnprovenNoticeWait


def then(wait: Wait | None) -> str:
    """Return what follows on the end of a wait that the parties have agreed, or that there is none."""
    return f"after that: {wait.then.replace('_', ' ')}" if wait is not None else "no end is agreed"
