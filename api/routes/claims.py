"""Claims: filed, listed, looked at: record, counts, deadlines, and why one is not released yet."""

from typing import Annotated

from fastapi import Query, Response

from api.answers import claim_views
from api.answers.acknowledged import acknowledgement, on_record
from api.answers.claims import (
    ClaimList,
    ClaimView,
    DeadlineList,
    Delivery,
    Explanation,
    RecordPage,
    TallyView,
    Timeline,
)
from api.answers.delivery import delivery_of
from api.answers.documents import DocumentList, document_list
from api.answers.record import record_page
from api.answers.shapes import Recorded
from api.backend.backend import Backend, ClaimNotCarriedError, OpenBackend
from api.http.auth import Caller, Known
from api.http.bounded import in_lane
from api.http.openapi import ENVELOPE_BODY
from api.http.paging import Cursor, ItemLimit, Limit, NumberCursor, page_of
from api.http.routing import strict_router
from api.http.statements import Posted, PostedStatement, envelope_of, once
from api.http.turns import Lane, in_turn
from api.http.visibility import NAME_PATTERN, ClaimName, seen_case, seen_claim, seen_version
from tallystick.crypto.envelope import Envelope, envelope_bytes, statement_id
from tallystick.crypto.hints import named
from tallystick.domain.authorship.authors import check_stages
from tallystick.domain.claim.state import ClaimState
from tallystick.domain.ids import AgreementId, Digest, PersonId, StageId
from tallystick.domain.inbox.waiting import Awaited, waiting
from tallystick.domain.kinds import Kind
from tallystick.limits.api import LIST_PAGE_CLAIMS_MAX, LIST_PAGE_ITEMS_MAX
from tallystick.limits.logs import EVIDENCE_ENTRIES_MAX
from tallystick.messages import ClaimStart
from tallystick.proof.reading import header_of, keys_of
from tallystick.store.blobs.replicas import NoGoodReplicaError
from tallystick.store.cases.casefile import CaseFile
from tallystick.store.cases.documents import DocumentStores
from tallystick.store.cases.extension import unextended
from tallystick.store.cases.filing import check_may_be_filed, read_filing
from tallystick.store.database.session import reading
from tallystick.store.ledger import ledger
from tallystick.store.registers import claims

router = strict_router("claims")

RecordStart = Annotated[int, Query(ge=0, le=EVIDENCE_ENTRIES_MAX, description="The first entry of the page.")]
StageName = Annotated[str | None, Query(pattern=NAME_PATTERN, description="One of the claim's stages.")]


@router.post("/claims", status_code=201, response_model=Recorded, openapi_extra=ENVELOPE_BODY)
async def file_claim(caller: Known, posted: PostedStatement, backend: OpenBackend) -> Response:
    """File a claim. 201 means that it is on record, and that its workflow carries it."""
    return await once(backend, posted, Recorded, lambda: _filed(backend, caller, posted))


@router.get("/claims")
@in_lane(Lane.HEAVY)
def list_claims(
    *,
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
    cursor: Cursor = None,
    limit: Limit = LIST_PAGE_CLAIMS_MAX,
) -> ClaimList:
    """Return a page of the claims that the caller may see; what is not wanted is left out of its page."""
    at = backend.now()
    with reading(backend.database) as session:
        page = page_of(backend, session, caller, cursor, limit)
    chosen = [
        claim_views.claim_view(case, at)
        for case in page.cases
        if (state is None or case.claim.state is state) and _waits_for(case, waiting_for, backend)
    ]
    return ClaimList(claims=chosen, unreadable=page.unreadable, next=page.following)


@router.get("/claims/{claim}")
def show_claim(claim: ClaimName, caller: Known, backend: OpenBackend) -> ClaimView:
    """Return a claim as its record leaves it, and what it waits for."""
    return claim_views.claim_view(seen_case(backend, caller, claim), backend.now())


@router.get("/claims/{claim}/timeline")
@in_lane(Lane.HEAVY)
def show_timeline(
    claim: ClaimName,
    caller: Known,
    backend: OpenBackend,
    cursor: NumberCursor = None,
    limit: ItemLimit = LIST_PAGE_ITEMS_MAX,
) -> Timeline:
    """Return a page of the statements and events on record, in the order in which they count."""
    return claim_views.timeline(seen_case(backend, caller, claim), start=int(cursor or 0), limit=limit)


@router.get("/claims/{claim}/record")
@in_lane(Lane.HEAVY)
def show_record(claim: ClaimName, caller: Known, backend: OpenBackend, start: RecordStart = 0) -> RecordPage:
    """Return the record as it was signed, page by page: who folds it need not believe this server."""
    return record_page(seen_case(backend, caller, claim), start=start)


@router.get("/claims/{claim}/documents")
@in_lane(Lane.HEAVY)
def show_documents(
    claim: ClaimName,
    caller: Known,
    backend: OpenBackend,
    cursor: NumberCursor = None,
    limit: ItemLimit = LIST_PAGE_ITEMS_MAX,
) -> DocumentList:
    """Return a page of the claim's documents, and how large each is that its author's party has sent."""
    case = seen_case(backend, caller, claim)
    with reading(backend.database) as session:
        return document_list(session, case, start=int(cursor or 0), limit=limit)


@router.get("/claims/{claim}/tally")
@in_lane(Lane.HEAVY)
def show_tally(claim: ClaimName, caller: Known, backend: OpenBackend) -> TallyView:
    """Return which approvals and denials count now, and why each counts or does not."""
    case, astray = _seen_with_log(backend, caller, claim)
    return claim_views.tallies(case, backend.now(), astray)


@router.get("/claims/{claim}/deadlines")
def show_deadlines(claim: ClaimName, caller: Known, backend: OpenBackend) -> DeadlineList:
    """Return the claim's deadlines, each with the days that were counted and why."""
    return claim_views.deadline_list(seen_case(backend, caller, claim), backend.now())


@router.get("/claims/{claim}/explain")
@in_lane(Lane.HEAVY)
def explain_claim(
    claim: ClaimName, caller: Known, backend: OpenBackend, stage: StageName = None
) -> Explanation:
    """Return which premises of a release are met, as far as the record and the log decide them."""
    case, astray = _seen_with_log(backend, caller, claim)
    wanted = None if stage is None else StageId(stage)
    if wanted is not None:
        check_stages(case.claim, (wanted,))
    return claim_views.explanation(case, wanted, backend.now(), astray)


@router.get("/claims/{claim}/delivery")
@in_lane(Lane.HEAVY)
def show_delivery(claim: ClaimName, caller: Known, backend: OpenBackend) -> Delivery:
    """Return what a receiver needs, besides the record, to fetch and open what is released."""
    case = seen_case(backend, caller, claim)
    with reading(backend.database) as session:
        return delivery_of(session, case)


@router.get(
    "/claims/{claim}/evidence",
    response_class=Response,
    responses={
        200: {
            "description": "The evidence file: one canonical JSON document, signed by the log key.",
            "content": {"application/json": {"schema": {"type": "object"}}},
        }
    },
)
@in_lane(Lane.HEAVY)
async def export_evidence(claim: ClaimName, caller: Known, backend: OpenBackend) -> Response:
    """Return the claim's evidence file, which anyone can verify without this server.

    The worker makes it, because it is signed with a key that the API does not have; until the log has
    grown, everyone who asks gets the same file, and nothing is written.
    """
    case, log_size = await in_turn(_seen_with_log_size, backend, caller, claim)
    digest = await backend.exports.evidence_of(case.claim.digest, log_size=log_size)
    try:
        data = await in_turn(_whole, backend, digest)
    except NoGoodReplicaError:
        backend.exports.forget(case.claim.digest)
        digest = await backend.exports.evidence_of(case.claim.digest, log_size=log_size)
        data = await in_turn(_whole, backend, digest)
    return Response(data, media_type="application/json", headers=_download(case.claim.id))


def _waits_for(case: CaseFile, wanted: str | None, backend: Backend) -> bool:
    if wanted is None:
        return True
    items = waiting(case.agreement, case.claim, backend.now())
    if wanted in set(Awaited):
        return any(item.what == wanted for item in items)
    return any(PersonId(wanted) in item.on for item in items)


async def _filed(backend: Backend, caller: Caller, posted: Posted) -> Recorded:
    sent = await envelope_of(posted, Kind.CLAIM)
    told = await in_turn(_at_the_door, backend, caller, sent)
    if isinstance(told, Recorded):
        return told
    (agreement, envelope), digest = told, statement_id(sent)
    start = ClaimStart(claim=digest, agreement=agreement, envelope=envelope_bytes(envelope).decode())
    try:
        acknowledged = await backend.engine.file_claim(start)
    except ClaimNotCarriedError:
        # Its workflow has run to its end since the check at the door, and never runs again: it is on record.
        told = await in_turn(_at_the_door, backend, caller, sent)
        if isinstance(told, Recorded):
            return told
        raise
    return acknowledgement(digest, acknowledged)


def _at_the_door(backend: Backend, caller: Caller, sent: Envelope) -> tuple[AgreementId, Envelope] | Recorded:
    """Return the claim as it may be filed now, and under what; or the answer that it got when it was.

    Raises:
        TallystickError: No such agreement for this caller, or the rule that refuses the claim.
    """
    about = header_of(sent)
    with reading(backend.database) as session:
        registered = seen_version(session, caller, about.agreement, about.agreement_digest)
        envelope = named(sent, keys_of(registered.signed().agreement))
        stored = claims.by_digest(session, statement_id(sent))
        if stored is not None:
            told = on_record(backend.case(session, stored), stored.digest)
            assert told is not None, "a claim's record begins with its filing"
            return told
        signed = read_filing(registered, envelope)
    stores = DocumentStores(database=backend.database, blobs=backend.blobs)
    documents, at = stores.documents_of(signed.body), backend.now()
    with reading(backend.database) as session:
        check_may_be_filed(session, backend.cases, registered, signed, documents=documents, at=at)
    return registered.agreement_id, envelope


def _seen_with_log(backend: Backend, caller: Caller, claim: str) -> tuple[CaseFile, frozenset[Digest]]:
    """Return a case, and what helps its release though its author had verified another log."""
    with reading(backend.database) as session:
        case = backend.case(session, seen_claim(session, caller, claim))
        return case, unextended(session, case)


def _seen_with_log_size(backend: Backend, caller: Caller, claim: str) -> tuple[CaseFile, int]:
    with reading(backend.database) as session:
        case = backend.case(session, seen_claim(session, caller, claim))
        return case, ledger.frontier_of(session, case.agreement.id).size


def _whole(backend: Backend, digest: Digest) -> bytes:
    return b"".join(backend.blobs.open_verified(digest).chunks)


def _download(name: str) -> dict[str, str]:
    return {
        "Content-Disposition": f'attachment; filename="{name}.evidence.json"',
    }
