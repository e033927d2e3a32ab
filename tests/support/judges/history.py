"""What clients asked for and what answers they got, by a clock that only goes forward."""

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from tallystick.client.problems import UnreachableError
from tallystick.crypto.envelope import Envelope, statement_id
from tallystick.domain.errors import TallystickError
from tallystick.domain.ids import Digest
from tallystick.domain.json import JsonObject


class Told(StrEnum):
    """What a client knows of a statement after one attempt."""

    OK = "ok"
    REFUSED = "refused"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One request with a statement in it."""

    statement: Digest
    what: str
    envelope: Envelope
    began: float
    ended: float
    told: Told
    code: str = ""
    index: int | None = None


@dataclass(kw_only=True)
class History:
    """The attempts of all clients of one agreement."""

    attempts: list[Attempt] = field(default_factory=list[Attempt])
    recoveries: list[float] = field(default_factory=list[float])
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _hurt_at: float | None = None

    def attempt(self, what: str, envelope: Envelope, send: Callable[[], JsonObject]) -> Attempt:
        """Send once, and remember what was told."""
        began = time.monotonic()
        told, code, index = Told.OK, "", None
        try:
            answered = send().get("index")
            index = answered if isinstance(answered, int) else None
        except UnreachableError as error:
            told, code = Told.UNKNOWN, error.code
        except TallystickError as error:
            told, code = (Told.UNKNOWN if error.retryable else Told.REFUSED), error.code
        made = Attempt(
            statement=statement_id(envelope),
            what=what,
            envelope=envelope,
            began=began,
            ended=time.monotonic(),
            told=told,
            code=code,
            index=index,
        )
        with self._lock:
            self.attempts.append(made)
        if told is Told.OK:
            self.recovered()
        return made

    def hurt(self, at: float) -> None:
        """Note that the site was disturbed while, or before, this client asked."""
        self._hurt_at = at if self._hurt_at is None else self._hurt_at

    def recovered(self) -> None:
        """Note that something was acknowledged; the first after a fault is how long recovery took."""
        if self._hurt_at is not None:
            self.recoveries.append(time.monotonic() - self._hurt_at)
            self._hurt_at = None


def percentile(spans: Iterable[float], part: float) -> float:
    """Return the span below which a fraction `part` of them lies."""
    ordered = sorted(spans)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))]
