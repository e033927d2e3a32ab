"""What the API drops every day: uploads that nobody continues, answers that nobody asks for again."""

import asyncio
from datetime import timedelta
from typing import Final, NoReturn

from fastapi.concurrency import run_in_threadpool

from api.backend.backend import Backend
from tallystick import telemetry
from tallystick.lasting import Lasting
from tallystick.limits.storage import ANSWER_KEPT_MAX, UPLOAD_IDLE_MAX
from tallystick.store.blobs import room
from tallystick.store.database import idempotency
from tallystick.store.database.session import transaction

_log = telemetry.logger(__name__)
_DAY: Final = timedelta(days=1)


async def keep_tidying(backend: Backend) -> NoReturn:
    """Tidy at once and then every day: what is left behind uses up the disk."""
    tidying = Lasting("what was left behind was not dropped")
    while True:
        with tidying.attempt():
            await run_in_threadpool(tidy, backend)
        await asyncio.sleep(tidying.pause(_DAY).total_seconds())


def tidy(backend: Backend) -> None:
    """Drop uploads that nobody continues, with the room that they took, and answers that have expired.

    Raises:
        TallystickError: The folder or the database failed; the rest is dropped another time.
    """
    now = backend.now()
    uploads = backend.uploads.discard_stale(now - UPLOAD_IDLE_MAX)
    with transaction(backend.database) as session:
        rooms = room.drop_idle(session, now)
        answers = idempotency.forget(session, now - ANSWER_KEPT_MAX)
    _log.info("dropped what was left behind", uploads=uploads, rooms=rooms, answers=answers)
