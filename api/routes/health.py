"""Whether the process runs and is ready, and what everybody may know about the deployment."""

from collections import Counter
from typing import Final

from fastapi import APIRouter, Depends
from fastapi.concurrency import run_in_threadpool

from api.answers.shapes import DeploymentAnswer, Health
from api.backend.backend import Backend, OpenBackend
from api.http.problems import NotReadyError
from api.http.routing import VERSION, check_query
from tallystick import __version__
from tallystick.domain.errors import TallystickError
from tallystick.store.database.session import database_now, reading
from tallystick.store.registers import agreements, claims

router = APIRouter(tags=["operations"], dependencies=[Depends(check_query)])

DEPLOYMENT: Final = f"{VERSION}/deployment"
PUBLIC: Final = frozenset({DEPLOYMENT, "/healthz", "/readyz"})
"""The paths at which a caller need not say who they are."""


@router.get(DEPLOYMENT)
def show_deployment(backend: OpenBackend) -> DeploymentAnswer:
    """Return the deployment's name and public keys, which agreements pin."""
    public = backend.deployment()
    return DeploymentAnswer(
        deployment=public.id,
        log_key=public.engine.log_key,
        decision_key=public.engine.decision_key,
        gate_recipient=public.engine.gate_recipient,
        root_keys=public.root_keys,
        version=__version__,
    )


@router.get("/healthz")
async def show_health() -> Health:
    """Return that the process is running; the database and Temporal are not asked."""
    return Health(ok=True)


@router.get("/readyz")
async def show_ready(backend: OpenBackend) -> Health:
    """Return that requests can be served: the database and Temporal answer.

    Raises:
        NotReadyError: One of them does not.
    """
    database = await run_in_threadpool(_database_answers, backend)
    temporal = await backend.engine.reachable()
    if not (database and temporal):
        raise NotReadyError("the database or Temporal does not answer", database=database, temporal=temporal)
    return Health(ok=True)


def claims_by_state(backend: Backend) -> Counter[str]:
    """Return how many claims are in each state; one that cannot be read counts as `UNREADABLE`."""
    with reading(backend.database) as session:
        every = agreements.agreement_ids(session)
        states = Counter(case.claim.state.value for case in backend.readable_cases(session, every))
        unreadable = len(claims.of_agreements(session, every)) - states.total()
    return states + Counter(UNREADABLE=unreadable)


def _database_answers(backend: Backend) -> bool:
    try:
        with reading(backend.database) as session:
            database_now(session)
            agreements.agreement_ids(session)
    except TallystickError:
        return False
    return True
