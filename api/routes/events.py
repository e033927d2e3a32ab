"""A claim's new entries, as they are recorded: server-sent events, read from the ledger."""

import asyncio
import json
from collections.abc import AsyncGenerator
from datetime import timedelta
from typing import Annotated, Any, Final

from fastapi import Header
from fastapi.concurrency import run_in_threadpool
from sse_starlette import EventSourceResponse, ServerSentEvent

from api.answers import claim_views
from api.backend.backend import Backend, OpenBackend
from api.http.auth import Caller, Known, looked_up_again
from api.http.problems import UnauthenticatedError
from api.http.routing import strict_router
from api.http.visibility import ClaimName, seen_case
from tallystick.domain.errors import TallystickError
from tallystick.domain.record.fold import turns
from tallystick.limits import EVENT_STREAM_MAX, EVENT_STREAMS_MAX
from tallystick.store.cases.casefile import CaseFile
from tallystick.store.registers.claims import NoSuchClaimError

router = strict_router("claims")

_PING_SECONDS: Final = 15
_FROM_THE_BEGINNING: Final = "-1"
_STREAM: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "`data`: {index, state, event}.",
        "content": {
            "text/event-stream": {
                "schema": {
                    "type": "object",
                    "description": "One event.",
                    "required": ["id", "event", "data"],
                    "properties": {
                        "id": {"type": "string", "description": "The entry's index."},
                        "event": {"const": "entry"},
                        "data": {"type": "string", "contentMediaType": "application/json"},
                    },
                }
            }
        },
    }
}


class TooManyStreamsError(TallystickError):
    """As many event streams are open as one process allows."""

    code = "too-many-streams"
    why = "Each open stream costs memory, so their number is limited."
    advice = "Close streams that you do not need, or read the timeline instead."
    retryable = True


class _Streams:
    """Counts the streams that are open in this process."""

    open = 0


@router.get("/claims/{claim}/events", response_class=EventSourceResponse, responses=_STREAM)
async def follow_claim(
    claim: ClaimName,
    caller: Known,
    backend: OpenBackend,
    last_event_id: Annotated[
        str,
        Header(
            pattern=r"^(-1|[0-9]{1,18})$", description="The index of the last entry that the caller has seen."
        ),
    ] = _FROM_THE_BEGINNING,
) -> EventSourceResponse:
    """Follow a claim: one event for each entry after `Last-Event-ID`; without it, or at -1, for every entry.

    Raises:
        TooManyStreamsError: Ask again later.
    """
    after = int(last_event_id)
    await run_in_threadpool(seen_case, backend, caller, claim)
    if _Streams.open >= EVENT_STREAMS_MAX:
        raise TooManyStreamsError("too many streams are open", limit=EVENT_STREAMS_MAX)
    return EventSourceResponse(entries_after(backend, caller, claim, after), ping=_PING_SECONDS)


async def entries_after(
    backend: Backend, caller: Caller, claim: str, after: int
) -> AsyncGenerator[ServerSentEvent]:
    """Yield an event for each entry after an index, and for each new one; end after EVENT_STREAM_MAX.

    It ends as soon as the caller may no longer see the claim: a key may be revoked while it is open.
    """
    _Streams.open += 1
    try:
        rounds = max(1, EVENT_STREAM_MAX // max(backend.settings.poll_every, timedelta(milliseconds=1)))
        for _ in range(rounds):
            case = await run_in_threadpool(_seen_now, backend, caller, claim)
            if case is None:
                return
            for event in await run_in_threadpool(_newer, case, after):
                yield event
            after = max(after, case.claim.last_index)
            await asyncio.sleep(backend.settings.poll_every.total_seconds())
    finally:
        _Streams.open -= 1


def _seen_now(backend: Backend, caller: Caller, claim: str) -> CaseFile | None:
    try:
        return seen_case(backend, looked_up_again(backend, caller), claim)
    except (UnauthenticatedError, NoSuchClaimError):
        return None


def _newer(case: CaseFile, after: int) -> list[ServerSentEvent]:
    """Return an event for each entry after an index, with the state to which it led."""
    return [
        ServerSentEvent(
            id=str(one.entry.index),
            event="entry",
            data=json.dumps(
                {
                    "index": one.entry.index,
                    "state": one.claim.state.value,
                    "event": claim_views.event_name(one),
                }
            ),
        )
        for one in turns(case.terms, case.claim.entries)
        if one.entry.index > after
    ]
