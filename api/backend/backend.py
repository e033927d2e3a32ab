"""What the API is built on: the database, the blobs, the clock, and the engine behind a port.

The API holds no key. It asks the worker or the gate for what needs one, through
`EnginePort`; tests pass one of their own there, and everything else is real.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Protocol, cast

from fastapi import Depends, Request
from sqlalchemy import Engine
from sqlmodel import Session

from api.backend.exports import Exports
from api.backend.known_keys import KnownKeys
from api.backend.remembered import Remembered
from tallystick.crypto.keys import key_id
from tallystick.domain.agreement.deployment import Deployment
from tallystick.domain.errors import TallystickError
from tallystick.domain.ids import AgreementId, Digest, PublicKey
from tallystick.limits.api import API_CONNECTIONS_MAX
from tallystick.messages import (
    Acknowledged,
    ClaimStart,
    DealCustody,
    EvidenceRequest,
    Submission,
    VerifyDeposit,
)
from tallystick.settings import Settings
from tallystick.site import Site
from tallystick.store.blobs.opened import open_blobs
from tallystick.store.blobs.replicas import ReplicatedBlobs
from tallystick.store.blobs.uploads import Uploads
from tallystick.store.cases.casefile import CaseFile
from tallystick.store.cases.kept import Cases
from tallystick.store.damage import unless_damaged
from tallystick.store.database.session import open_database, reading
from tallystick.store.registers import agreements, claims
from tallystick.store.registers.claims import StoredClaim


class EngineUnreachableError(TallystickError):
    """The engine did not say in time that the statement is on record."""

    code = "engine-unreachable"
    why = (
        "Temporal or its worker did not answer: your request is not acknowledged, but may still be recorded."
    )
    advice = "Send the same request again: repeating loses nothing, and nothing happens twice."
    retryable = True


class ClaimNotCarriedError(TallystickError):
    """No workflow carries the claim at the moment."""

    code = "claim-not-carried"
    why = "The claim's workflow has ended, or was lost and is being rebuilt from the ledger."
    advice = "Send the same request again in a minute: repeating loses nothing."
    retryable = True


class EnginePort(Protocol):
    """The engine as the API sees it; each call may be repeated."""

    async def file_claim(self, start: ClaimStart) -> Acknowledged:
        """Return once the claim is on record, and its workflow carries it.

        Raises:
            TallystickError: The engine's own check refused it, as the door would.
            EngineUnreachableError: It is not known whether it is on record.
            ClaimNotCarriedError: Its workflow has run to its end, and never runs again.
        """
        ...

    async def submit(
        self, claim: Digest, statement: Digest, submission: Submission, *, known: int
    ) -> Acknowledged:
        """Return once the statement is on record.

        Args:
            known: The index in the ledger of the claim's latest entry, on which the statement is admissible.

        Raises:
            TallystickError: The engine's own check refused it, as the door would.
            EngineUnreachableError: It is not known whether it is on record.
            ClaimNotCarriedError: No workflow of this claim runs.
        """
        ...

    async def verify_deposit(self, asked: VerifyDeposit) -> None:
        """Ask for a deposit's verdict; if this fails, the worker finds the deposit by itself."""
        ...

    async def deal_custody(self, asked: DealCustody) -> None:
        """Ask for a custody epoch; if this fails, the worker notices by itself."""
        ...

    async def look(self, claim: Digest, reason: str) -> None:
        """Nudge a claim's workflow; if this fails, it looks at its next timer."""
        ...

    async def evidence(self, asked: EvidenceRequest) -> Digest:
        """Return the digest of the blob that holds the claim's evidence file.

        Raises:
            TallystickError: The record cannot be exported.
            EngineUnreachableError: The worker did not answer.
        """
        ...

    async def reachable(self) -> bool:
        """Return whether Temporal answers."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Backend:
    """Everything a route may use; opened once, when the app is made."""

    settings: Settings
    database: Engine
    blobs: ReplicatedBlobs
    uploads: Uploads
    engine: EnginePort
    cases: Cases
    keys: KnownKeys
    entitled: Remembered[tuple[Digest, Digest], bool]
    exports: Exports
    clock: Callable[[], datetime]

    def now(self) -> datetime:
        """Return the time, UTC, in whole seconds."""
        return self.clock().astimezone(UTC).replace(microsecond=0)

    def case(self, session: Session, stored: StoredClaim) -> CaseFile:
        """Return the case file of a claim, as its record stands in `session`.

        Raises:
            RecordUnreadableError: The record does not fold.
            DatabaseUnavailableError: The database is out of reach.
        """
        return self.cases.load(session, stored.agreement_id, stored.digest)

    def readable_cases(self, session: Session, agreement_ids: Collection[AgreementId]) -> Iterator[CaseFile]:
        """Yield the case files under some agreements: one that cannot be read is logged, and hides no other.

        Raises:
            DatabaseUnavailableError: The database is out of reach.
        """
        for stored in claims.of_agreements(session, agreement_ids):
            with unless_damaged("a claim's record is unreadable", claim=stored.digest):
                yield self.case(session, stored)

    def deployment(self) -> Deployment:
        """Return what is public of the deployment, with the root keys of this process's settings.

        Raises:
            DeploymentUnreadableError: The file was altered.
        """
        return _public(self.settings)


def _public(settings: Settings) -> Deployment:
    public = Site(root=settings.data_dir).deployment()
    return Deployment(
        id=settings.deployment,
        engine=public.engine,
        root_keys=settings.root_keys or public.root_keys,
        letter_key=public.letter_key,
    )


def utc_now() -> datetime:
    """Return the time by this machine's clock."""
    return datetime.now(UTC)


def _keys_on_record(
    settings: Settings, database: Engine, fingerprints: Collection[Digest]
) -> Mapping[Digest, PublicKey]:
    """Return those of some keys that an agreement lists, or that are the escrow agent's root keys."""
    with reading(database) as session:
        known = dict(agreements.public_keys(session, fingerprints))
    with unless_damaged("the deployment's public file is unreadable"):  # hides nobody whom agreements list
        known |= {key_id(key): key for key in _public(settings).root_keys if key_id(key) in fingerprints}
    return known


def open_backend(settings: Settings, engine: EnginePort, clock: Callable[[], datetime]) -> Backend:
    """Open what `settings` name; the database is connected at its first use.

    Raises:
        TallystickError: A folder cannot be made, or the database URL cannot be used.
    """
    blobs = open_blobs(settings)
    database = open_database(settings.database_url, connections_max=API_CONNECTIONS_MAX)
    return Backend(
        settings=settings,
        database=database,
        blobs=blobs,
        uploads=Uploads(settings.uploads_dir, blobs),
        engine=engine,
        cases=Cases(),
        keys=KnownKeys(partial(_keys_on_record, settings, database)),
        entitled=Remembered(),
        exports=Exports(engine.evidence),
        clock=clock,
    )


async def backend_of(request: Request) -> Backend:
    """Return the backend of the app that serves `request`; a coroutine, so that no thread is woken for it."""
    return cast("Backend", request.app.state.backend)


OpenBackend = Annotated[Backend, Depends(backend_of)]
