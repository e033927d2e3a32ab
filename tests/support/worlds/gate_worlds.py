"""A deployment on disk with a claim that is ready for release: the gate's test bench.

Everything is real: keys, seals, an SQLite file, two blob stores, the ledger, the gate. Clocks are told.
"""

import io
import shutil
import sqlite3
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Final

from sqlalchemy import Engine
from temporalio.exceptions import ApplicationError

from activities.gate.decide import GateActivities
from activities.gate.journal import GateJournal
from tallystick.crypto import age
from tallystick.crypto.envelope import Envelope, new_nonce, sign, statement_id
from tallystick.crypto.keyfile import PrivateKeys
from tallystick.crypto.keys import SigningKey
from tallystick.crypto.log.note import origin_of
from tallystick.domain.admission.door import admit
from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.agreement.parties import ChannelKind
from tallystick.domain.bodies import BODIES
from tallystick.domain.codec import encode_object
from tallystick.domain.ids import (
    ComponentId,
    DeploymentId,
    Digest,
    PersonId,
    PublicKey,
    StageId,
    sha256_digest,
)
from tallystick.domain.kinds import Happening, Purpose
from tallystick.domain.progress.due import due
from tallystick.domain.record.generations import newest_generation
from tallystick.domain.statements.acts import Approval
from tallystick.domain.statements.custody import Custody
from tallystick.domain.statements.deposits import Deposit, DepositedComponent
from tallystick.domain.statements.engine import ChannelResult, Event, Notice
from tallystick.domain.statements.filing import ClaimFiling, EvidenceDocument
from tallystick.domain.statements.header import LedgerSeen
from tallystick.domain.statements.receipts import ReceivedComponent
from tallystick.domain.statements.signed import Body, write_body
from tallystick.faults import from_failure
from tallystick.messages import DealCustody, DecideStage, GateAnswer, SightNotice
from tallystick.proof.reading import read_signed
from tallystick.store.blobs.folder import FileBlobStore
from tallystick.store.blobs.replicas import ReplicatedBlobs
from tallystick.store.blobs.uploads import blobs_with
from tallystick.store.cases.casefile import CaseFile, load
from tallystick.store.database.session import reading, transaction
from tallystick.store.ledger import ledger
from tallystick.store.ledger.checkpoints import sign_checkpoint
from tallystick.store.ledger.entry import names_of
from tallystick.store.ledger.ledger import frontier_of
from tallystick.store.ledger.tree import root_at
from tallystick.store.registers import agreements, claims, deposits
from tallystick.store.registers.custody import epochs, missing_epochs, verified_custody
from tests.support.copies import copy_database
from tests.support.worlds.agreements import (
    AGREEMENT,
    ANA,
    BEA,
    CRITICAL,
    DECISION_KEY,
    DORA,
    GATE_IDENTITY,
    KIM,
    LOG_KEY,
    PEOPLE,
    TOM,
    receivers,
    signing_key,
)
from tests.support.worlds.documents import ITEMS, document, sealed, upload
from tests.support.worlds.groundwork import as_shown, received
from tests.support.worlds.ledgers import new_engine

MONDAY: Final = datetime(2026, 10, 5, 9, tzinfo=UTC)
FILED: Final = MONDAY + timedelta(days=1)
ACKNOWLEDGED: Final = FILED + timedelta(hours=2)
READY: Final = MONDAY + timedelta(days=25)
"""After the objection window, with every approval given."""
ROOT_KEYS: Final = frozenset({PEOPLE[ANA].signing_key.public_key})
SIGNERS: Final = (DORA, BEA, ANA, KIM, TOM)
DEPLOYMENT: Final = DeploymentId("test")


@contextmanager
def typed() -> Generator[None]:
    """Receive the heartbeats that an activity sends to Temporal."""
    try:
        yield
    except ApplicationError as failure:
        refusal = from_failure(failure)
        assert refusal is not None
        raise refusal from failure


@dataclass(frozen=True, kw_only=True)
class World:
    """One deployment under `folder`."""

    folder: Path
    agreement: Agreement = AGREEMENT
    claim: Digest = field(default=Digest("sha256:" + 64 * "0"))

    @cached_property
    def database(self) -> Engine:
        return new_engine(self.folder)

    @cached_property
    def digest(self) -> Digest:
        return statement_id(self.agreement_statement())

    @property
    def blobs(self) -> ReplicatedBlobs:
        return ReplicatedBlobs(
            [FileBlobStore(self.folder / place, name=place) for place in ("north", "south")]
        )

    def agreement_statement(self) -> Envelope:
        first = [self.agreement.acting_for(party.id)[0].id for party in self.agreement.parties]
        return sign("agreement", encode_object(self.agreement), [signing_key(person) for person in first])

    def gate(
        self,
        *,
        at: datetime = READY,
        database_at: datetime | None = None,
        halted: bool = False,
        root_keys: frozenset[PublicKey] = ROOT_KEYS,
        tell: Callable[[str], None] = lambda _: None,
    ) -> GateActivities:
        return GateActivities(
            database=self.database,
            blobs=self.blobs,
            keys=PrivateKeys(
                person=PersonId("gate@test"),
                signing_key=DECISION_KEY,
                age_identity=GATE_IDENTITY.secret_text(),
            ),
            journal=GateJournal(self.folder / "journal"),
            root_keys=root_keys,
            halted=lambda: halted,
            clock=lambda: at,
            database_clock=lambda _: database_at or at,
            tell=tell,
        )

    def decide(self, gate: GateActivities | None = None, stage: StageId = CRITICAL) -> GateAnswer:
        with typed():
            return (gate or self.gate()).decide_stage(DecideStage(claim=self.claim, stage=stage))

    def register(self, at: datetime = MONDAY) -> None:
        with transaction(self.database) as session:
            agreements.register(session, self.agreement_statement(), at)

    def deal(self) -> None:
        gate = self.gate(at=MONDAY)
        with reading(self.database) as session:
            wanted = missing_epochs(session, self.agreement.id, self.agreement)
        for component, epoch in wanted:
            gate.deal(DealCustody(agreement=self.agreement.id, component=component, epoch=epoch))

    def deposit(
        self,
        contents: Mapping[ComponentId, bytes],
        live: Mapping[ComponentId, Digest],
        seen: LedgerSeen | None = None,
    ) -> Digest:
        components = tuple(self.sealed(name, plain, live[name]) for name, plain in contents.items())
        with reading(self.database) as session:
            last = deposits.latest(session, self.agreement.id)
        body = self.body(
            Deposit,
            DORA,
            MONDAY,
            number=1 if last is None else last.number + 1,
            previous=None if last is None else last.digest,
            watermark=MONDAY,
            components=components,
            ledger_seen=seen,
        )
        envelope = self.signed(body, PEOPLE[DORA].signing_key)
        with transaction(self.database) as session:
            stored = deposits.record(session, envelope, MONDAY)
        verdict = self.body(
            Event, self.engine_person, MONDAY, happening=Happening.DEPOSIT_VERIFIED, cause=stored.digest
        )
        with transaction(self.database) as session:
            ledger.append(session, self.agreement.id, self.signed(verdict, LOG_KEY), MONDAY, claim=None)
        return stored.digest

    def sealed(self, name: ComponentId, plain: bytes, custody: Digest) -> DepositedComponent:
        out = io.BytesIO()
        with reading(self.database) as session:
            (recipient,) = (
                epoch.body.recipient
                for epoch in epochs(session, self.agreement.id)
                if epoch.digest == custody
            )
        sealed = age.seal(io.BytesIO(plain), out, [age.parse_recipient(recipient)])
        self.blobs.put(sealed.digest, sealed.size_bytes, lambda: [out.getvalue()])
        return DepositedComponent(
            component=name,
            custody=custody,
            sealed_digest=sealed.digest,
            sealed_bytes=sealed.size_bytes,
            manifest_digest=sha256_digest(plain),
            files=1,
            payload_bytes=len(plain),
        )

    @property
    def engine_person(self) -> PersonId:
        return PersonId("engine@test")

    def body(self, kind: type[Body], person: PersonId, at: datetime, **members: object) -> Body:
        return kind(
            deployment=self.agreement.deployment,
            agreement=self.agreement.id,
            agreement_digest=self.digest,
            person=person,
            issued_at=at,
            nonce=new_nonce(),
            **members,
        )

    def signed(self, body: Body, *keys: SigningKey) -> Envelope:
        (kind,) = (kind for kind, form in BODIES.items() if type(body) is form)
        return sign(kind, write_body(body), list(keys))

    def documents(
        self, at: datetime, items: Sequence[str] = ITEMS, *, sender: PersonId = BEA
    ) -> tuple[EvidenceDocument, ...]:
        """What a claim filed at `at` says of its documents, which the claimant has uploaded by now."""
        files = [sealed(self.agreement, item) for item in items]
        with reading(self.database) as session:
            new = [one for one in files if not blobs_with(session, sha256_digest(one))]
        for one in new:
            self.uploads(one, sender, at=at)
        return tuple(document(self.agreement, item, at) for item in items)

    def uploads(self, data: bytes, person: PersonId = BEA, *, at: datetime = FILED) -> Digest:
        """Let a person upload a file as evidence, whatever is in it."""
        return upload(self.database, self.blobs, data, under=self.agreement.id, sender=person, at=at)

    def filing(self, deposit: Digest, at: datetime = FILED, **changes: object) -> Envelope:
        members: dict[str, object] = {
            "generation": newest_generation(),
            "condition": "insolvency",
            "deposit": deposit,
            "stages": (CRITICAL,),
            "evidence": changes.get("evidence") or self.documents(at),
            "receivers": receivers(BEA),
            "purpose": Purpose.RELEASE,
            "declaration": "Support has ceased.",
            **changes,
        }
        return self.signed(self.body(ClaimFiling, BEA, at, **members), PEOPLE[BEA].signing_key)

    def file(self, deposit: Digest, at: datetime = FILED, **changes: object) -> "World":
        envelope = self.filing(deposit, at, **changes)
        with transaction(self.database) as session:
            claims.file(session, envelope, at)
        return replace(self, claim=statement_id(envelope))

    def case(self) -> CaseFile:
        with reading(self.database) as session:
            return load(session, self.claim)

    def say(self, kind: type[Body], person: PersonId, at: datetime, **members: object) -> Digest:
        """Record an act of `person` about the claim, through the one door."""
        body = self.body(kind, person, at, claim=self.claim, **members)
        return self.record(self.signed(body, PEOPLE[person].signing_key), at)

    def record(self, envelope: Envelope, at: datetime) -> Digest:
        case = self.case()
        signed = read_signed(envelope, self.agreement)
        admit(self.agreement, case.claim, signed, at=at)
        self.slip_in(envelope, at)
        return signed.id

    def slip_in(self, envelope: Envelope, at: datetime) -> None:
        """Append an envelope that nobody admitted, as anyone who writes the database can."""
        names = names_of(envelope)
        with transaction(self.database) as session:
            ledger.append(
                session, self.agreement.id, envelope, at, claim=names.claim, decision=names.decision
            )

    def settle(self, at: datetime) -> None:
        """Record all that is due at `at`."""
        while (owed := due(self.agreement, self.case().claim, at=at)) is not None:
            body = self.body(
                Event,
                self.engine_person,
                at,
                claim=self.claim,
                happening=owed.happening,
                stage=owed.stage,
                until=owed.until,
                cause=owed.cause,
                because=owed.because,
            )
            self.record(self.signed(body, LOG_KEY), at)

    def notify(self, at: datetime) -> None:
        channels = (
            ChannelResult(
                kind=ChannelKind.EMAIL,
                address="legal@nordwind.example",
                taken=True,
                own=False,
                detail="the mail server took it",
            ),
        )
        body = self.body(
            Notice,
            self.engine_person,
            at,
            claim=self.claim,
            party=self.agreement.parties[0].id,
            attempt=1,
            text_digest=sha256_digest(b"notice"),
            channels=channels,
        )
        self.record(self.signed(body, LOG_KEY), at)

    def sight(self, at: datetime) -> None:
        """Let the gate sign that it saw the notice."""
        self.gate(at=at).sight_notice(SightNotice(claim=self.claim, at=at))

    def approve(self, person: PersonId, at: datetime, **changes: object) -> Digest:
        members: dict[str, object] = {
            "stages": (CRITICAL,),
            "purpose": Purpose.RELEASE,
            "expires_at": at + timedelta(days=25),
            "reason": "The papers are in order.",
            **as_shown(self.case().claim),
        }
        return self.say(Approval, person, at, **(members | changes))

    def received(self, stage: StageId = CRITICAL) -> tuple[ReceivedComponent, ...]:
        """What a receiver of the world's claim gets of a stage: the pinned deposit's bytes."""
        with reading(self.database) as session:
            stored = deposits.by_digest(session, self.agreement.id, self.case().claim.filing.deposit)
        assert stored is not None
        return received(stored.body(), self.agreement.stage(stage).components)

    def seen(self, size: int | None = None) -> LedgerSeen:
        """What somebody has verified of the log: all of it, or its first entries."""
        with reading(self.database) as session:
            length = frontier_of(session, self.agreement.id).size if size is None else size
            root = root_at(session, self.agreement.id, length)
        return LedgerSeen(size=length, root=Digest(f"sha256:{root.hex()}"))

    def sign_checkpoint(self, key: SigningKey = LOG_KEY) -> bytes:
        with transaction(self.database) as session:
            return sign_checkpoint(
                session, self.agreement.id, key, origin_of(self.agreement.deployment, self.agreement.id)
            )

    def execute(self, statement: str, *values: object) -> None:
        """Write into the database behind the code's back."""
        with sqlite3.connect(self.folder / "store.db") as connection:
            done = connection.execute(statement, values)
            assert done.rowcount == 1
        connection.close()

    def stored_blobs(self) -> list[str]:
        return sorted(str(path.relative_to(self.folder)) for path in self.folder.glob("*/blobs/*/*/*"))

    def copied_to(self, folder: Path) -> "World":
        """A copy of the world elsewhere, to be spoilt."""
        shutil.copytree(self.folder, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("store.db*"))
        copy_database(self.folder / "store.db", folder / "store.db")
        return replace(self, folder=folder)

    def custody_of(self, component: ComponentId) -> Custody:
        with reading(self.database) as session:
            stored = deposits.by_digest(session, self.agreement.id, self.case().claim.filing.deposit)
            assert stored is not None
            deposit = read_signed(stored.entry.statement(), self.agreement).body
            assert isinstance(deposit, Deposit)
            (deposited,) = (c for c in deposit.components if c.component == component)
            return verified_custody(session, self.agreement.id, deposited.custody, deposited.component).body

    def sealed_files(self, digest: Digest) -> list[Path]:
        hexadecimal = digest.removeprefix("sha256:")
        return sorted(self.folder.glob(f"*/blobs/*/*/{hexadecimal}"))
