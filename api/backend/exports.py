"""Evidence files of claims: each is made once, however many ask, until the log has grown."""

import asyncio
from collections.abc import Awaitable, Callable

from api.backend.remembered import Remembered
from tallystick.domain.ids import Digest
from tallystick.messages import EvidenceRequest


class Exports:
    """The evidence files that the engine made last, by claim."""

    def __init__(self, export: Callable[[EvidenceRequest], Awaitable[Digest]]) -> None:
        """Have `export` make them."""
        self._export = export
        self._made = Remembered[Digest, Digest]()
        self._under_way = dict[tuple[Digest, int], asyncio.Task[Digest]]()

    async def evidence_of(self, claim: Digest, *, log_size: int) -> Digest:
        """Return the blob with a claim's evidence file, made when its log had `log_size` entries or more.

        Raises:
            TallystickError: As `export`.
        """
        if (known := self._made.found(claim, as_of=log_size)) is not None:
            return known
        wanted = (claim, log_size)
        if (making := self._under_way.get(wanted)) is None:
            making = asyncio.create_task(self._make(claim, log_size))
            self._under_way[wanted] = making
            making.add_done_callback(lambda _: self._under_way.pop(wanted))
        return await asyncio.shield(making)  # one who goes away takes it from nobody else

    async def _make(self, claim: Digest, log_size: int) -> Digest:
        made = await self._export(EvidenceRequest(claim=claim))
        return self._made.keep(claim, made, as_of=log_size)

    def forget(self, claim: Digest) -> None:
        """Have the next file of a claim made anew: the stores have this one no more."""
        self._made.forget(claim)
