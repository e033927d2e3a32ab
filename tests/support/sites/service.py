"""The API over a real database and real blobs; only the engine behind it is a neighbour of the tests.

`RecordingEngine` does what the workflow does, at once and in this process: it has the worker's own
activities admit and record, and lets the world record what falls due.
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import httpx
import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi import FastAPI

from activities.ledger import LedgerActivities
from api.app import create_app
from api.backend.backend import ClaimNotCarriedError, EngineUnreachableError
from tallystick.crypto.envelope import Envelope, envelope_bytes, envelope_json
from tallystick.crypto.json.canonical import canonical_bytes
from tallystick.crypto.keys import SigningKey, key_id
from tallystick.domain.agreement.deployment import Deployment, Publication, write_deployment
from tallystick.domain.ids import DeploymentId, Digest, PersonId, sha256_digest
from tallystick.domain.record.fold import state_after
from tallystick.domain.statements.signed import Body
from tallystick.messages import (
    Acknowledged,
    ClaimStart,
    DealCustody,
    EvidenceRequest,
    FileClaim,
    RecordAct,
    Submission,
    VerifyDeposit,
)
from tallystick.settings import Settings, read_settings
from tallystick.store.cases.evidence import export
from tallystick.store.database.session import transaction
from tests.support.worlds.agreements import AGREEMENT, ANA, LETTER_KEY, LOG_KEY, PEOPLE
from tests.support.worlds.gate_worlds import FILED, World, typed
from tests.support.worlds.prepared_worlds import deposited, prepared_world

API: Final = "http://escrow.test"
ROOT: Final = PEOPLE[ANA].signing_key.public_key
STRANGER: Final = SigningKey(b"nobody's key, in any agreement..")


@dataclass(kw_only=True)
class Clock:
    """The time, as the API and its neighbour believe."""

    now: datetime = FILED

    def read(self) -> datetime:
        return self.now

    def passes(self, span: timedelta) -> None:
        self.now += span


@dataclass(kw_only=True)
class RecordingEngine:
    """The engine as a neighbour of the API: it records at once, or is away."""

    world: World
    clock: Clock
    away: bool = False
    ended: bool = False
    asked: list[object] = field(default_factory=list[object])

    async def file_claim(self, start: ClaimStart) -> Acknowledged:
        self._answer(start)
        with typed():
            self._ledger.file_claim(FileClaim(start=start, at=self.clock.now))
        if self.ended:
            raise ClaimNotCarriedError("its workflow has run to its end")
        return self._told(start.claim, start.claim)

    async def submit(
        self, claim: Digest, statement: Digest, submission: Submission, *, known: int
    ) -> Acknowledged:
        assert known >= 0
        self._answer(submission)
        if self.ended:
            raise ClaimNotCarriedError("no such workflow runs")
        case = replace(self.world, claim=claim).case()
        request = RecordAct(
            claim=claim,
            agreement=case.agreement.id,
            envelope=submission.envelope,
            at=self.clock.now,
            after=max(entry.index for entry in case.raw),
        )
        with typed():
            self._ledger.record_act(request)
        told = self._told(claim, statement)
        replace(self.world, claim=claim).settle(self.clock.now)
        return told

    async def verify_deposit(self, asked: VerifyDeposit) -> None:
        self.asked.append(asked)

    async def deal_custody(self, asked: DealCustody) -> None:
        self.asked.append(asked)

    async def look(self, claim: Digest, reason: str) -> None:
        self.asked.append((claim, reason))

    async def evidence(self, asked: EvidenceRequest) -> Digest:
        self._answer(asked)
        with transaction(self.world.database) as session:
            data = export(session, Digest(asked.claim), LOG_KEY, root_keys=[ROOT], at=self.clock.now)
        digest = sha256_digest(data)
        self.world.blobs.put(digest, len(data), lambda: [data])
        return digest

    async def reachable(self) -> bool:
        return not self.away

    @property
    def _ledger(self) -> LedgerActivities:
        """What records a workflow's statements: each is admitted there once more, if it is an act."""
        return LedgerActivities(
            database=self.world.database, blobs=self.world.blobs, log_key=LOG_KEY, grown=lambda _: None
        )

    def _told(self, claim: Digest, statement: Digest) -> Acknowledged:
        case = replace(self.world, claim=claim).case()
        entry = case.claim.entry_of(statement)
        assert entry is not None, "what was recorded is on record"
        state = state_after(case.claim, entry)
        return Acknowledged(
            statement=statement, index=entry.index, accepted_at=entry.accepted_at, state=state
        )

    def _answer(self, asked: object) -> None:
        self.asked.append(asked)
        if self.away:
            raise EngineUnreachableError("no answer in time", reason="away")


@dataclass(kw_only=True)
class Service:
    """A running API, and everyone who may call it."""

    world: World
    app: FastAPI
    engine: RecordingEngine
    clock: Clock
    http: httpx.AsyncClient

    async def get(self, path: str, person: PersonId | None = ANA, **parameters: object) -> httpx.Response:
        query = {name: value for name, value in parameters.items() if value is not None}
        return await self.http.get(f"/v1{path}", params=query or None, headers=self.signed_in(person))  # type: ignore[arg-type]

    async def post(
        self, path: str, envelope: Envelope | bytes, person: PersonId | None = ANA, **headers: str
    ) -> httpx.Response:
        data = envelope if isinstance(envelope, bytes) else envelope_bytes(envelope)
        sent = {"content-type": "application/json", **self.signed_in(person)}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.http.post(f"/v1{path}", content=data, headers=sent)

    async def says(self, noun: str, kind: type[Body], person: PersonId, **members: object) -> httpx.Response:
        """Let a person sign an act on the world's claim, and send it."""
        return await self.post(
            f"/claims/{self.world.claim}/{noun}", self.act(kind, person, **members), person
        )

    def act(self, kind: type[Body], person: PersonId, **members: object) -> Envelope:
        body = self.world.body(kind, person, self.clock.now, claim=self.world.claim, **members)
        return self.world.signed(body, PEOPLE[person].signing_key)

    def filing(self, **changes: object) -> Envelope:
        every = {"stages": tuple(stage.id for stage in AGREEMENT.stages)}
        return self.world.filing(deposited(self.world), self.clock.now, **(every | changes))

    def signed_in(self, person: PersonId | None) -> dict[str, str]:
        if person is None:
            return {}
        return {"authorization": f"Bearer {self.token(PEOPLE[person].signing_key)}"}

    def token(self, key: SigningKey, **changes: object) -> str:
        return bearer(key, self.clock.now, **changes)


def bearer(key: SigningKey, at: datetime, **changes: object) -> str:
    """A bearer token as clients make it, some of its claims replaced."""
    issued = int(at.timestamp())
    claims_made = {"sub": key_id(key.public_key), "aud": "test", "iat": issued, "exp": issued + 300}
    private = Ed25519PrivateKey.from_private_bytes(key.secret_seed())
    return jwt.encode({**claims_made, **changes}, private, algorithm="EdDSA")


def settings_in(folder: Path, *, read_only: str = "") -> Settings:
    """The settings of a deployment over the stores of a world in `folder`, one perhaps only to be read."""
    public = Deployment(
        id=DeploymentId("test"),
        engine=AGREEMENT.engine,
        root_keys=(ROOT,),
        letter_key=Publication(envelope=envelope_json(LETTER_KEY.published)),
    )
    (folder / "deployment.json").write_bytes(canonical_bytes(write_deployment(public)))
    return read_settings(
        {
            "TALLYSTICK_DEPLOYMENT": "test",
            "TALLYSTICK_DATA": str(folder),
            "TALLYSTICK_DATABASE_URL": f"sqlite:///{folder}/store.db",
            "TALLYSTICK_BLOBS": f"{(folder / 'north').as_uri()} {(folder / 'south').as_uri()}",
            "TALLYSTICK_BLOBS_READ_ONLY": (folder / read_only).as_uri() if read_only else "",
            "TALLYSTICK_ROOT_KEYS": ROOT,
            "TALLYSTICK_POLL_SECONDS": "1",
        }
    )


@asynccontextmanager
async def serving(world: World, *, read_only: str = "") -> AsyncGenerator[Service]:
    """The API over `world`, called without a network."""
    clock = Clock()
    engine = RecordingEngine(world=world, clock=clock)
    app = create_app(settings_in(world.folder, read_only=read_only), engine_port=engine, clock=clock.read)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url=API) as http:
        yield Service(world=world, app=app, engine=engine, clock=clock, http=http)
    app.state.backend.database.dispose()
    world.database.dispose()


def template_world(folder: Path) -> World:
    """A registered agreement with dealt custody and a verified deposit, to be copied for each test."""
    return prepared_world(folder)
