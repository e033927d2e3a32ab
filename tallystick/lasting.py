"""Work that is done again and again for as long as a process runs, whatever fails meanwhile.

Wrap each time that it is done in `attempt`, and wait for `pause` after it. Nobody notices a loop that ends,
so no error ends one: what keeps the work from being done is logged, once, until something else does.
"""

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import timedelta

from tallystick import telemetry
from tallystick.domain.errors import TallystickError
from tallystick.domain.pauses import backoff
from tallystick.limits.processes import LASTING_RETRY_MIN, SAID_AGAIN_AFTER, SAID_MAX

_log = telemetry.logger(__name__)


def rest(pause: timedelta) -> None:
    """Wait, and leave the machine to others for a while."""
    time.sleep(pause.total_seconds())


class SaidSeldom:
    """What is wrong with what lasts: it is news once, and again when something else is, or after a day."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin with nothing said; `clock` is in seconds, and only its differences count."""
        self._clock = clock
        self._said: dict[str, tuple[str, float]] = {}

    def is_news(self, about: str, why: str) -> bool:
        """Return whether to say this now, and remember that it was said."""
        now = self._clock()
        before, at = self._said.get(about, ("", now))
        if before == why and now - at < SAID_AGAIN_AFTER.total_seconds():
            return False
        self._said.pop(about, None)
        self._said[about] = (why, now)
        if len(self._said) > SAID_MAX:
            self._said.pop(next(iter(self._said)), None)
        return True

    def forget(self, about: str) -> None:
        """Forget what was wrong: if it is wrong again, that is news."""
        self._said.pop(about, None)


class Lasting:
    """Recurring work, and what has kept it from being done since it was done last."""

    def __init__(self, undone: str, *passing: type[Exception]) -> None:
        """Say in `undone` what an attempt that fails leaves undone, for the log.

        Args:
            passing: Errors besides our own that pass; any other is logged as a defect.
        """
        self._undone = undone
        self._passing: tuple[type[Exception], ...] = (TallystickError, *passing)
        self._failures = 0
        self._said: str | None = None

    @contextmanager
    def attempt(self) -> Generator[None]:
        """Let the block fail by whatever error; remember it, and log it if it is news."""
        try:
            yield
        except self._passing as error:
            if self._failed_anew(error):
                code = getattr(error, "code", type(error).__name__)
                _log.warning(self._undone, code=code, why=str(error))
        except Exception as error:  # noqa: BLE001 - nobody notices a loop that ends
            if self._failed_anew(error):
                _log.exception("defect", what=self._undone)
        else:
            self._failures, self._said = 0, None

    def pause(self, every: timedelta) -> timedelta:
        """Return how long to wait: `every`, or after failures less than that, but longer each time."""
        if not self._failures:
            return every
        return backoff(self._failures, LASTING_RETRY_MIN, every)

    def _failed_anew(self, error: Exception) -> bool:
        """Count a failure, and return whether it is another than the one before."""
        self._failures += 1
        said = f"{type(error).__name__}: {error}"
        news, self._said = said != self._said, said
        return news
