"""Whether the process runs and is ready, and what everybody may know about the deployment."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final, cast

from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.concurrency import run_in_threadpool

from api.answers.shapes import DeploymentAnswer, Health, Json
from api.backend.backend import Backend
from api.backend.shared import Shared
from api.http.openapi import operation_id
from api.http.problems import NotReadyError
from api.http.routing import VERSION, check_query
from tallystick import __version__
from tallystick.crypto.envelope import envelope_from_json
from tallystick.crypto.letter_key import read_published, webhook_key
from tallystick.domain.agreement.deployment import Deployment
from tallystick.domain.errors import TallystickError
from tallystick.store.blobs import behind
from tallystick.store.blobs.behind import CopiesBehind
from tallystick.store.damage import DAMAGES, unless_damaged
from tallystick.store.database.session import database_now, reading
from tallystick.store.ledger import checkpoints
from tallystick.store.registers import agreements, claims

router = APIRouter(
    tags=["operations"], dependencies=[Depends(check_query)], generate_unique_id_function=operation_id
)

DEPLOYMENT: Final = f"{VERSION}/deployment"
PUBLIC: Final = frozenset({DEPLOYMENT, "/healthz", "/readyz"})
"""The paths at which a caller need not say who they are."""


@router.get(DEPLOYMENT)
async def show_deployment(request: Request) -> DeploymentAnswer:
    """Return the deployment's name and public keys, which agreements pin.

    Each command asks for them first. So it takes no place among those without a key, and those who ask at
    the same time share one look.
    """
    public = await cast("Shared[Deployment]", request.app.state.public).answer()
    published = None if public.letter_key is None else cast("Json", public.letter_key.envelope)
    return DeploymentAnswer(
        deployment=public.id,
        log_key=public.engine.log_key,
        decision_key=public.engine.decision_key,
        gate_recipient=public.engine.gate_recipient,
        root_keys=public.root_keys,
        letter_key=published,
        webhook_key=_webhook_key(public),
        version=__version__,
    )


def _webhook_key(public: Deployment) -> str | None:
    """Return the letter key that the log key has published; None if it has published none."""
    if public.letter_key is not None:
        with unless_damaged("the letter key's publication cannot be read"):
            envelope = envelope_from_json(public.letter_key.envelope)
            published = read_published(envelope, deployment=public.id, log_key=public.engine.log_key)
            return webhook_key(published.letter_key)
    return None


@router.get("/healthz")
async def show_health() -> Health:
    """Return that the process is running; the database and Temporal are not asked."""
    return Health(ok=True)


@router.get("/readyz")
async def show_ready(request: Request) -> Health:
    """Return that requests can be served: the database and Temporal answer.

    Those who ask at the same time share one look.

    Raises:
        NotReadyError: One of them does not.
    """
    database, temporal = await cast("Shared[tuple[bool, bool]]", request.app.state.ready).answer()
    if not (database and temporal):
        raise NotReadyError("the database or Temporal does not answer", database=database, temporal=temporal)
    return Health(ok=True)


def install(app: FastAPI, backend: Backend) -> None:
    """Have `app` say whether it is ready, at one look for all who ask meanwhile."""
    app.state.ready = Shared(lambda: _ready(backend))
    app.state.public = Shared(lambda: run_in_threadpool(backend.deployment))


async def _ready(backend: Backend) -> tuple[bool, bool]:
    return await run_in_threadpool(_database_answers, backend), await backend.engine.reachable()


def figures(backend: Backend) -> Mapping[str, tuple[str, Callable[[], float]]]:
    """Return what is looked up for each scrape; no claim is read, and no store."""
    return {
        "tallystick_claims": ("Claims on record.", partial(_claims_on_record, backend)),
        "tallystick_logs_unsigned": (
            "Logs with entries that no signed checkpoint covers; more than a moment: see the worker's log.",
            partial(_logs_unsigned, backend),
        ),
        "tallystick_damage_found": (
            "Records that this process could not read, each once a day; any: see its log, and the runbook.",
            lambda: DAMAGES.found,
        ),
        "tallystick_copies_behind": (
            "Blobs of which some store has no good copy.",
            lambda: _copies_behind(backend).blobs,
        ),
        "tallystick_copies_behind_seconds": (
            "For how long the first of them has lacked one.",
            partial(_behind_for_seconds, backend),
        ),
    }


def _claims_on_record(backend: Backend) -> int:
    with reading(backend.database) as session:
        return claims.on_record(session)


def _logs_unsigned(backend: Backend) -> int:
    with reading(backend.database) as session:
        return len(checkpoints.logs_to_sign(session))


def _copies_behind(backend: Backend) -> CopiesBehind:
    with reading(backend.database) as session:
        return behind.count(session)


def _behind_for_seconds(backend: Backend) -> float:
    since = _copies_behind(backend).since
    return 0 if since is None else (backend.now() - since).total_seconds()


def _database_answers(backend: Backend) -> bool:
    try:
        with reading(backend.database) as session:
            database_now(session)
            agreements.agreement_ids(session)
    except TallystickError:
        return False
    return True
