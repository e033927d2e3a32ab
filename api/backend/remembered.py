"""What was found while the logs were as they are now: looked up anew as soon as one of them has grown."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Generic, TypeVar

from tallystick.limits.api import FINDINGS_REMEMBERED_MAX

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Remembered(Generic[K, V]):
    """The findings that were asked for last, each with the state of the logs from which it follows."""

    def __init__(self) -> None:
        """Begin with none."""
        self._found = OrderedDict[K, tuple[Hashable, V]]()
        self._lock = Lock()

    def found(self, wanted: K, *, as_of: Hashable) -> V | None:
        """Return what was found, if the logs are still `as_of` then."""
        with self._lock:
            known = self._found.get(wanted)
        return known[1] if known is not None and known[0] == as_of else None

    def keep(self, wanted: K, found: V, *, as_of: Hashable) -> V:
        """Remember what was found, in place of what was asked for longest ago; return it."""
        with self._lock:
            self._found[wanted] = (as_of, found)
            self._found.move_to_end(wanted)
            while len(self._found) > FINDINGS_REMEMBERED_MAX:
                self._found.popitem(last=False)
        return found

    def forget(self, wanted: K) -> None:
        """Forget what was found."""
        with self._lock:
            self._found.pop(wanted, None)

    def remembered(self, wanted: K, *, as_of: Hashable, look: Callable[[], V]) -> V:
        """Return what was found as of these logs, or what `look` finds now."""
        known = self.found(wanted, as_of=as_of)
        return self.keep(wanted, look(), as_of=as_of) if known is None else known
