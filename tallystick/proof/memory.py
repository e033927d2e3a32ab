"""What a process keeps of what it made last, bounded by bytes: a number bounds nothing of unbounded size."""

from collections import OrderedDict
from collections.abc import Hashable
from threading import Lock
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Memory(Generic[K, V]):
    """The values that were used last, as many as together weigh no more than a number of bytes.

    A weight is what a value was made from, in bytes, and never less than `bytes_min`: so the number of values
    is bounded, too. Threads may share it.
    """

    def __init__(self, *, bytes_max: int, bytes_min: int) -> None:
        """Begin with none."""
        self._values = OrderedDict[K, tuple[V, int]]()
        self._bytes_max = bytes_max
        self._bytes_min = bytes_min
        self._bytes = 0
        self._lock = Lock()

    def get(self, key: K) -> V | None:
        """Return the value that is kept under `key`, which is now the last that was used."""
        with self._lock:
            if (kept := self._values.get(key)) is None:
                return None
            self._values.move_to_end(key)
            return kept[0]

    def keep(self, key: K, value: V, *, size_bytes: int) -> V:
        """Keep `value` in place of those that were not used for longest, and return it."""
        weight = max(size_bytes, self._bytes_min)
        with self._lock:
            self._bytes -= self._values.pop(key, (None, 0))[1]
            self._values[key] = (value, weight)
            self._bytes += weight
            while self._bytes > self._bytes_max:
                self._bytes -= self._values.popitem(last=False)[1][1]
        return value

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._values.clear()
            self._bytes = 0
