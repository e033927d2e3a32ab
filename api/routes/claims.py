"""Claims: filed, listed, looked at."""

from typing import Annotated

from fastapi import Query, Response
from fastapi.concurrency import run_in_threadpool

from api.answers import claim_views
from api.answers.claims import ClaimList, ClaimView
from api.answers.shapes import Recorded
from api.backend.backend import Backend, ClaimNotCarriedError, OpenBackend
from api.http.auth import Caller, Known
from api.http.openapi import ENVELOPE_BODY
from api.http.routing import strict_router
from api.http.statements import Posted, PostedStatement, envelope_of, once
from api.http.visibility import ClaimName, seen_cases, seen_claim, seen_version
from api.routes.acts import on_record
from tallystick.crypto.envelope import Envelope, body_of, envelope_bytes, statement_id
from tallystick.domain.claim.state import ClaimState
from tallystick.domain.codec import decode
from tallystick.domain.ids import AgreementId, PersonId, claim_id
from tallystick.domain.inbox.waiting import Awaited, waiting
from tallystick.domain.kinds import Kind
from tallystick.domain.statements.filing import ClaimFiling
from tallystick.messages import ClaimStart
from tallystick.store.cases.casefile import CaseFile
from tallystick.store.cases.filing import check_may_be_filed
from tallystick.store.database.session import reading
from tallystick.store.registers import claims

router = strict_router("claims")


@router.post("/claims", status_code=201, response_model=Recorded, openapi_extra=ENVELOPE_BODY)
async def file_claim(caller: Known, posted: PostedStatement, backend: OpenBackend) -> Response:
    """File a claim. 201 means that it is on record, and that its workflow carries it."""
    return await once(backend, posted, Recorded, lambda: _filed(backend, caller, posted))


@router.get("/claims")
def list_claims(
    caller: Known,
    backend: OpenBackend,
    state: Annotated[ClaimState | None, Query(description="Only claims in this state.")] = None,
    waiting_for: Annotated[
        str | None,
        Query(
            pattern=r"^[a-z0-9][a-z0-9@.-]{0,126}$",
            description="Only claims that wait for this person, or for this kind of act.",
        ),
    ] = None,
) -> ClaimList:
    """Return the claims that the caller may see."""
    at = backend.now()
    with reading(backend.database) as session:
        cases = list(seen_cases(backend, session, caller))
    chosen = [
        claim_views.claim_view(case, at)
        for case in cases
        if (state is None or case.claim.state is state) and _waits_for(case, waiting_for, backend)
    ]
    return ClaimList(claims=chosen)


@router.get("/claims/{claim}")
def show_claim(claim: ClaimName, caller: Known, backend: OpenBackend) -> ClaimView:
    """Return a claim as its record leaves it, and what it waits for."""
    return claim_views.claim_view(case_seen(backend, caller, claim), backend.now())


def case_seen(backend: Backend, caller: Caller, claim: str) -> CaseFile:
    """Return the case file of a claim that the caller may see.

    Raises:
        NoSuchClaimError: There is none, or it is not the caller's to see.
        RecordUnreadableError: Its record does not fold.
    """
    with reading(backend.database) as session:
        return backend.case(session, seen_claim(session, caller, claim))


def _waits_for(case: CaseFile, wanted: str | None, backend: Backend) -> bool:
    if wanted is None:
        return True
    items = waiting(case.agreement, case.claim, backend.now())
    if wanted in set(Awaited):
        return any(item.what == wanted for item in items)
    return any(PersonId(wanted) in item.on for item in items)


async def _filed(backend: Backend, caller: Caller, posted: Posted) -> Recorded:
    envelope = envelope_of(posted, Kind.CLAIM)
    told = await run_in_threadpool(_at_the_door, backend, caller, envelope)
    if isinstance(told, Recorded):
        return told
    digest = statement_id(envelope)
    start = ClaimStart(claim=digest, agreement=told, envelope=envelope_bytes(envelope).decode())
    try:
        acknowledged = await backend.engine.file_claim(start)
    except ClaimNotCarriedError:
        # Its workflow has run to its end since the check at the door, and never runs again: it is on record.
        told = await run_in_threadpool(_at_the_door, backend, caller, envelope)
        if isinstance(told, Recorded):
            return told
        raise
    return Recorded(
        statement=digest,
        index=acknowledged.index,
        accepted_at=acknowledged.accepted_at,
        claim=claim_id(digest),
        digest=digest,
        state=acknowledged.state,
    )


def _at_the_door(backend: Backend, caller: Caller, envelope: Envelope) -> AgreementId | Recorded:
    """Return the agreement under which the claim may be filed now, or the answer that it got when it was.

    Raises:
        TallystickError: No such agreement for this caller, or the rule that refuses the claim.
    """
    filing = decode(ClaimFiling, body_of(envelope))
    with reading(backend.database) as session:
        registered = seen_version(session, caller, filing.agreement, filing.agreement_digest)
        stored = claims.by_digest(session, statement_id(envelope))
        if stored is not None:
            told = on_record(backend.case(session, stored), stored.digest)
            assert told is not None, "a claim's record begins with its filing"
            return told
        check_may_be_filed(session, backend.cases, registered, envelope, at=backend.now())
    return registered.agreement_id
