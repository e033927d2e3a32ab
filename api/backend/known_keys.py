"""Keys on record, by fingerprint: whose key it is never changes, so it is looked up once."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping
from threading import Lock

from fastapi.concurrency import run_in_threadpool

from tallystick.domain.ids import Digest, PublicKey
from tallystick.limits.api import KEYS_REMEMBERED_MAX


class KnownKeys:
    """The keys of those who asked last. What a key may see is looked up anew for each request.

    Until its key is found, nobody knows who sent a request. So however many ask with keys that are unknown,
    from the same address or from many, they have one thread and one look at a time among them, and a person
    whose key is on record waits for two looks at most.
    """

    def __init__(self, look: Callable[[Collection[Digest]], Mapping[Digest, PublicKey]]) -> None:
        """Begin with none; `look` returns those of some keys that are on record."""
        self._look = look
        self._keys = OrderedDict[Digest, PublicKey]()
        self._lock = Lock()
        self._wanted = set[Digest]()
        self._next: asyncio.Task[None] | None = None
        self._looking = asyncio.Lock()

    async def found(self, fingerprint: Digest) -> None:
        """Return once the key with a fingerprint is remembered, if it is on record.

        Raises:
            DatabaseUnavailableError: The database is out of reach.
        """
        if fingerprint in self._keys:
            return
        self._wanted.add(fingerprint)
        if self._next is None:
            self._next = asyncio.create_task(self._look_for_all())
        await asyncio.shield(self._next)  # one who goes away takes it from nobody else

    async def _look_for_all(self) -> None:
        async with self._looking:
            wanted, self._wanted, self._next = self._wanted, set[Digest](), None
            for fingerprint, key in (await run_in_threadpool(self._look, wanted)).items():
                self._remember(fingerprint, key)

    def get(self, fingerprint: Digest) -> PublicKey | None:
        """Return the key with a fingerprint, if it is remembered."""
        with self._lock:
            if (key := self._keys.get(fingerprint)) is not None:
                self._keys.move_to_end(fingerprint)
            return key

    def _remember(self, fingerprint: Digest, key: PublicKey) -> None:
        """Remember a key that is on record, in place of the one that asked longest ago."""
        with self._lock:
            self._keys[fingerprint] = key
            self._keys.move_to_end(fingerprint)
            while len(self._keys) > KEYS_REMEMBERED_MAX:
                self._keys.popitem(last=False)
