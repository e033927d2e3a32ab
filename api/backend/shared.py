"""One look for all who ask meanwhile: what anybody may ask without a key must not cost more if many ask."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Shared(Generic[T]):
    """An answer that is looked up once at a time, and given to all who have asked in the meantime."""

    def __init__(self, look: Callable[[], Coroutine[Any, Any, T]]) -> None:
        """Look with `look`."""
        self._look = look
        self._looking: asyncio.Task[T] | None = None

    async def answer(self) -> T:
        """Return what is found now, or what is being looked up already."""
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())
        return await asyncio.shield(self._looking)  # one who goes away takes it from nobody else
