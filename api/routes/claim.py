"""Looking at one claim: its record, its counts, its deadlines, and why it is not released yet."""

from typing import Annotated

from fastapi import Query, Response
from fastapi.concurrency import run_in_threadpool

from api.answers import claim_views
from api.answers.claims import DeadlineList, Delivery, Explanation, TallyView, Timeline
from api.answers.delivery import delivery_of
from api.backend.backend import Backend, OpenBackend
from api.http.auth import Known
from api.http.routing import strict_router
from api.http.visibility import NAME_PATTERN, ClaimName
from api.routes.claims import case_seen
from tallystick.domain.authorship.authors import check_stages
from tallystick.domain.ids import Digest, StageId
from tallystick.messages import EvidenceRequest
from tallystick.store.database.session import reading

router = strict_router("claims")

StageName = Annotated[str | None, Query(pattern=NAME_PATTERN, description="One of the claim's stages.")]


@router.get("/claims/{claim}/timeline")
def show_timeline(claim: ClaimName, caller: Known, backend: OpenBackend) -> Timeline:
    """Return every statement and event on record, in the order in which it counts."""
    return claim_views.timeline(case_seen(backend, caller, claim))


@router.get("/claims/{claim}/tally")
def show_tally(claim: ClaimName, caller: Known, backend: OpenBackend) -> TallyView:
    """Return which approvals and denials count now, and why each counts or does not."""
    return claim_views.tallies(case_seen(backend, caller, claim), backend.now())


@router.get("/claims/{claim}/deadlines")
def show_deadlines(claim: ClaimName, caller: Known, backend: OpenBackend) -> DeadlineList:
    """Return the claim's deadlines, each with the days that were counted and why."""
    return claim_views.deadline_list(case_seen(backend, caller, claim), backend.now())


@router.get("/claims/{claim}/explain")
def explain_claim(
    claim: ClaimName, caller: Known, backend: OpenBackend, stage: StageName = None
) -> Explanation:
    """Return which premises of a release are met, as far as the record alone decides them."""
    case = case_seen(backend, caller, claim)
    wanted = None if stage is None else StageId(stage)
    if wanted is not None:
        check_stages(case.claim, (wanted,))
    return claim_views.explanation(case, wanted, backend.now())


@router.get("/claims/{claim}/delivery")
def show_delivery(claim: ClaimName, caller: Known, backend: OpenBackend) -> Delivery:
    """Return what the receiver must fetch, open or undo."""
    case = case_seen(backend, caller, claim)
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
async def export_evidence(claim: ClaimName, caller: Known, backend: OpenBackend) -> Response:
    """Return the claim's evidence file, which anyone can verify without this server.

    The worker makes it, because it is signed with a key that the API does not have.
    """
    case = await run_in_threadpool(case_seen, backend, caller, claim)
    digest = await backend.engine.evidence(EvidenceRequest(claim=case.claim.digest))
    data = await run_in_threadpool(_whole, backend, digest)
    return Response(data, media_type="application/json", headers=_download(case.claim.id))


def _whole(backend: Backend, digest: Digest) -> bytes:
    return b"".join(backend.blobs.open_verified(digest).chunks)


def _download(name: str) -> dict[str, str]:
    return {
        "Content-Disposition": f'attachment; filename="{name}.evidence.json"',
        "Cache-Control": "no-store",
    }
