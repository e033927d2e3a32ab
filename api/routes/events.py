"""A claim's new entries, as they are recorded: server-sent events, read from the ledger."""

import asyncio
import json
from collections.abc import AsyncGenerator
from datetime import timedelta
from typing import Annotated, Any, Final

from fastapi import Header
from sse_starlette import EventSourceResponse, ServerSentEvent

from api.answers import claim_views
from api.backend.backend import Backend, OpenBackend
from api.http.auth import Caller, Known, looked_up_again
from api.http.bounded import in_lane
from api.http.problems import UnauthenticatedError
from api.http.routing import strict_router
from api.http.turns import Lane, in_turn
from api.http.visibility import ClaimName, seen_case
from tallystick import telemetry
from tallystick.domain.claim.claim import Claim
from tallystick.domain.errors import TallystickError
from tallystick.domain.ids import AgreementId
from tallystick.domain.record.fold import state_at
from tallystick.limits.api import EVENT_STREAM_MAX
from tallystick.store.cases.casefile import CaseFile
from tallystick.store.database.session import reading
from tallystick.store.ledger import ledger
from tallystick.store.registers.claims import NoSuchClaimError

router = strict_router("claims")

_log = telemetry.logger(__name__)
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


_LastEventId = Annotated[
    str,
    Header(
        pattern=r"^(-1|[0-9]{1,18})$", description="The index of the last entry that the caller has seen."
    ),
]


@router.get("/claims/{claim}/events", response_class=EventSourceResponse, responses=_STREAM)
@in_lane(Lane.STREAM)
async def follow_claim(
    claim: ClaimName,
    caller: Known,
    backend: OpenBackend,
    last_event_id: _LastEventId = _FROM_THE_BEGINNING,
) -> EventSourceResponse:
    """Follow a claim: one event for each entry after `Last-Event-ID`; without it, or at -1, for every entry.

    It has been counted among the caller's streams before this begins.
    """
    after = int(last_event_id)
    await in_turn(seen_case, backend, caller, claim)
    return EventSourceResponse(entries_after(backend, caller, claim, after), ping=_PING_SECONDS)


async def entries_after(
    backend: Backend, caller: Caller, claim: str, after: int
) -> AsyncGenerator[ServerSentEvent]:
    """Yield an event for each entry after an index, and for each new one; end after EVENT_STREAM_MAX.

    It ends as soon as the caller may no longer see the claim: a key may be revoked while it is open.
    """
    rounds = max(1, EVENT_STREAM_MAX // max(backend.settings.poll_every, timedelta(milliseconds=1)))
    agreement_id, read_at = None, None
    for _ in range(rounds):
        try:
            size = None if agreement_id is None else await in_turn(_log_size, backend, agreement_id)
            if size is None or size != read_at:  # record and rights follow from the log alone
                case = await in_turn(_seen_now, backend, caller, claim)
                if case is None:
                    return
                for event in await in_turn(_newer, case, after):
                    yield event
                after, agreement_id, read_at = max(after, case.claim.last_index), case.agreement.id, size
        except TallystickError as error:
            if not error.retryable:
                raise
            _log.warning("a stream waits", claim=claim, code=error.code)  # and looks again in the next round
        await asyncio.sleep(backend.settings.poll_every.total_seconds())


def _log_size(backend: Backend, agreement_id: AgreementId) -> int:
    with reading(backend.database) as session:
        return ledger.frontier_of(session, agreement_id).size


def _seen_now(backend: Backend, caller: Caller, claim: str) -> CaseFile | None:
    try:
        return seen_case(backend, looked_up_again(backend, caller), claim)
    except (UnauthenticatedError, NoSuchClaimError):
        return None


def _newer(case: CaseFile, after: int) -> list[ServerSentEvent]:
    """Return an event for each entry after an index, with the state to which it led."""
    entries = enumerate(case.claim.entries)
    return [_event(case.claim, place) for place, entry in entries if entry.index > after]


def _event(claim: Claim, place: int) -> ServerSentEvent:
    index, state = claim.entries[place].index, state_at(claim, place)
    data = {"index": index, "state": state.value, "event": claim_views.event_name(claim, place)}
    return ServerSentEvent(id=str(index), event="entry", data=json.dumps(data))
