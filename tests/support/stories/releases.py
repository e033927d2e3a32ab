"""A release as people drive it over HTTP: each signs with their own key, and repeats what got no answer.

One `Release` has an agreement of its own, so that many run on one site without waiting
for each other. To have something break, pass `at`: it is called at each point.
"""

import io
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Final, TypeVar

from api.http.problems import NoSuchThingError
from tallystick.cli.commands.receive import RemoteEscrow
from tallystick.client.answers import objects, text
from tallystick.client.blobs import BlobAlteredError, get_small_blob, put_blob
from tallystick.client.http import Client
from tallystick.crypto import age
from tallystick.crypto.custody.gate import contributed_identity
from tallystick.crypto.envelope import Envelope, new_nonce, sign, statement_id
from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.bodies import BODIES
from tallystick.domain.codec import encode_object
from tallystick.domain.errors import TallystickError
from tallystick.domain.ids import AgreementId, ComponentId, Digest, PersonId, StageId, sha256_digest
from tallystick.domain.json import JsonObject
from tallystick.domain.kinds import Purpose, ReceiptOutcome
from tallystick.domain.record.generations import newest_generation
from tallystick.domain.statements.acts import Approval, Intake, NoticeAcknowledgement
from tallystick.domain.statements.deposits import Deposit, DepositedComponent
from tallystick.domain.statements.filing import ClaimFiling, EvidenceDocument
from tallystick.domain.statements.receipts import Receipt, ReceivedComponent
from tallystick.domain.statements.signed import Body, write_body
from tallystick.proof.evidence.verify import verify
from tallystick.receiver.delivery import OfferedComponent, OfferedStage, VerifiedDelivery, read_delivery
from tallystick.store.blobs.store import BlobMissingError
from tests.support.judges.history import Attempt, History, Told
from tests.support.worlds.agreements import ANA, BEA, DORA, KIM, PEOPLE, TOM, keys_of, receivers
from tests.support.worlds.documents import ITEMS, document, sealed
from tests.support.worlds.ledgers import happened

PATIENCE_SECONDS: Final = 60.0
"""I-11: once faults end, every claim that can move on does so within this time."""
_LOOK_SECONDS: Final = 0.05
_SIGNERS: Final = (DORA, BEA, KIM, TOM, ANA)


class Point(StrEnum):
    """A point of a release at which something may break."""

    AGREEMENT = "agreement registered"
    DEPOSIT = "deposit posted"
    CLAIM = "claim filed"
    NOTICE = "notice given"
    APPROVAL = "approval posted"
    QUORUM = "quorum reached"
    DECISION = "decision recorded"
    RECEIPT = "receipt posted"


class When(StrEnum):
    """The side of the answer on which something breaks: before or after it."""

    BEFORE = "while the request is under way"
    AFTER = "after the answer"


_T = TypeVar("_T")

Hook = Callable[[Point, When], None]


class GaveUpError(AssertionError):
    """A claim that could move on did not do so within `PATIENCE_SECONDS`."""


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


def _nothing_breaks(_: Point, __: When) -> None:
    return


@dataclass(kw_only=True)
class Release:
    """One agreement, one deposit, one claim; its clients saw `history`, and were offered `parts` to open."""

    api: str
    database: Path
    agreement: Agreement
    scratch: Path
    at: Hook = _nothing_breaks
    history: History = field(default_factory=History)
    contents: Mapping[ComponentId, bytes] = field(default_factory=dict[ComponentId, bytes])
    claim: Digest = field(default=Digest(""))
    nonce: str = ""
    checkpoints_seen: list[bytes] = field(default_factory=list[bytes])
    parts: list[OfferedComponent] = field(default_factory=list[OfferedComponent])

    def __post_init__(self) -> None:
        self._clients: dict[PersonId, Client] = {}
        self.contents = {
            part.id: f"{self.agreement.id}: {part.id}".encode() for part in self.agreement.components
        }

    def run(self) -> None:
        """Drive the release from agreement to evidence."""
        self.agree()
        self.deposit()
        self.file()
        self.accept()
        self.approve(ANA)
        self.insist("approvals", self.approval(KIM), KIM, Point.APPROVAL)
        self.recorded("window-ended")
        self.insist("approvals", self.approval(TOM), TOM, Point.QUORUM)
        for stage in self.agreement.stages:
            self.receive(stage.id)
        self.recorded("release-completed")
        self.check_evidence("RELEASED")

    # ------------------------------------------------------------------ step by step

    def agree(self) -> None:
        self.insist("/v1/agreements", self.agreement_statement, ANA, Point.AGREEMENT)
        self.recorded("custody", len(self.agreement.components))

    def deposit(self) -> None:
        live = self.insisted(self._custody)
        parts = tuple(
            self._sealed(part, text(epoch, "custody"), text(epoch, "recipient"))
            for part, epoch in live.items()
        )
        body = self.body(Deposit, DORA, number=1, watermark=_now(), components=parts)
        envelope = self.signed(body, DORA)
        self.insist(f"/v1/agreements/{self.agreement.id}/deposits", envelope, DORA, Point.DEPOSIT)
        self.deposited = statement_id(envelope)
        self.recorded("deposit-verified")

    def file(self, **members: object) -> None:
        envelope = self.filing(**members)
        self.claim = statement_id(envelope)
        self.insist("/v1/claims", envelope, BEA, Point.CLAIM)

    def filing(self, **members: object) -> Envelope:
        """A claim that could be filed."""
        self.nonce = new_nonce()
        filing: dict[str, object] = {
            "generation": newest_generation(),
            "condition": "insolvency",
            "deposit": self.deposited,
            "stages": tuple(stage.id for stage in self.agreement.stages),
            "evidence": self.documents,
            "receivers": receivers(BEA),
            "purpose": Purpose.RELEASE,
            "declaration": "Support has ceased.",
            "nonce": self.nonce,
        }
        return self.signed(self.body(ClaimFiling, BEA, **(filing | members)), BEA)

    @cached_property
    def documents(self) -> tuple[EvidenceDocument, ...]:
        """The documents that claims name: sealed to their readers, and uploaded before a claim names them."""
        return tuple(self.document(item, sealed(self.agreement, item)) for item in ITEMS)

    def document(self, item: str, data: bytes) -> EvidenceDocument:
        """Upload the sealed document for an item, as a claimant does before she signs."""
        self._uploads(item, data, BEA, "evidence")
        return document(self.agreement, item, _now(), data)

    def accept(self) -> None:
        self.insist("intakes", self.act(Intake, ANA, accepted=True), ANA, Point.NOTICE)
        self.recorded("notice")
        self.insist("acknowledgements", self.act(NoticeAcknowledgement, DORA), DORA)
        self.recorded("window-opened")

    def approve(self, person: PersonId) -> None:
        self.insist("approvals", self.approval(person), person)

    def approval(self, person: PersonId, **members: object) -> Envelope:
        said: dict[str, object] = {
            "stages": tuple(stage.id for stage in self.agreement.stages),
            "purpose": Purpose.RELEASE,
            "expires_at": _now() + timedelta(minutes=30),
            "reason": "The papers are in order.",
        }
        return self.act(Approval, person, **(said | members))

    def receive(self, stage: StageId, outcome: ReceiptOutcome = ReceiptOutcome.ACTIVATED) -> None:
        """Open what a stage releases, compare it with what was deposited, and report it."""
        self.recorded(f"released {stage}")
        self.at(Point.DECISION, When.BEFORE)
        self.until(f"{stage} can be fetched", lambda: self._opens(stage))
        self.at(Point.DECISION, When.AFTER)
        self.checkpoints_seen.append(self.insisted(self._checkpoint))
        envelope = self.act(
            Receipt, BEA, stage=stage, outcome=outcome, components=self._received(stage), detail="As ordered."
        )
        self.insist("receipts", envelope, BEA, Point.RECEIPT)

    def check_evidence(self, state: str) -> None:
        """Fetch the evidence file, and verify it without the server."""

        def holds() -> bool:
            data = self.client(BEA).get_bytes(f"/v1/claims/{self.claim}/evidence")
            report = verify(data, trust=statement_id(self.agreement_statement))
            assert report.holds, report.broken
            return report.state == state

        self.until("the evidence verifies", holds)
        self.history.recovered()

    # ------------------------------------------------------------------ sending and asking

    def insist(self, path: str, envelope: Envelope, person: PersonId, point: Point | None = None) -> Attempt:
        """Send until the answer is known; the statement has to be acknowledged."""
        if point is not None:
            self.at(point, When.BEFORE)
        give_up = time.monotonic() + PATIENCE_SECONDS
        while (made := self.send(path, envelope, person)).told is Told.UNKNOWN:
            if time.monotonic() > give_up:
                raise GaveUpError(f"{self.agreement.id}: {path} was answered {made.code} for too long")
            time.sleep(_LOOK_SECONDS)
        assert made.told is Told.OK, f"{self.agreement.id}: {path} was refused: {made.code}"
        if point is not None:
            self.at(point, When.AFTER)
        return made

    def send(self, path: str, envelope: Envelope, person: PersonId) -> Attempt:
        """Send once."""
        whole = path if path.startswith("/") else f"/v1/claims/{self.claim}/{path}"
        return self.history.attempt(
            path, envelope, lambda: self.client(person).post_statement(whole, envelope)
        )

    def until(self, what: str, check: Callable[[], bool]) -> None:
        """Wait until `check` holds; a server that does not answer is asked again."""
        give_up, last = time.monotonic() + PATIENCE_SECONDS, "no"
        while True:
            try:
                if check():
                    return
                last = "no"
            except TallystickError as error:
                last = f"{error.code}: {error}"
                if not error.retryable and error.code not in _NOT_YET:
                    raise
            if time.monotonic() > give_up:
                raise GaveUpError(f"{self.agreement.id}: waited in vain until {what}; {last}; {self.told()}")
            time.sleep(_LOOK_SECONDS)

    def told(self) -> str:
        """What the claim waits for; explains a failure."""
        if not self.claim:
            return "not filed"
        try:
            view = self.get(f"/v1/claims/{self.claim}")
        except TallystickError as error:
            return error.code
        return f"{view['state']}, {view['waiting']}"

    def get(self, path: str, person: PersonId = BEA) -> JsonObject:
        return self.client(person).get(path)

    def state(self) -> str:
        return self.insisted(lambda: text(self.get(f"/v1/claims/{self.claim}"), "state"))

    def insisted(self, ask: Callable[[], _T]) -> _T:
        """Return what `ask` returns, once the server answers."""
        answers: list[_T] = []

        def answered() -> bool:
            answers.append(ask())
            return True

        self.until("the server answers", answered)
        return answers[-1]

    def recorded(self, what: str, times: int = 1) -> None:
        """Wait until the ledger has `what`: a kind of statement, a happening, or `released STAGE`."""
        self.until(f"{what} is on record", lambda: self.happened().count(what) >= times)

    def happened(self) -> list[str]:
        """Return what is on record under the agreement, in order."""
        return happened(self.database, self.agreement.id)

    def client(self, person: PersonId) -> Client:
        if person not in self._clients:
            self._clients[person] = Client(
                self.api,
                keys_of(person),
                now=lambda: datetime.now(UTC),
                pause=lambda seconds: time.sleep(min(seconds, 0.25)),
            )
        return self._clients[person]

    def close(self) -> None:
        for client in self._clients.values():
            client.__exit__()
        self._clients.clear()

    # ------------------------------------------------------------------ statements

    @cached_property
    def agreement_statement(self) -> Envelope:
        return sign("agreement", encode_object(self.agreement), [PEOPLE[one].signing_key for one in _SIGNERS])

    def body(self, kind: type[Body], person: PersonId, **members: object) -> Body:
        header: dict[str, object] = {
            "deployment": self.agreement.deployment,
            "agreement": self.agreement.id,
            "agreement_digest": statement_id(self.agreement_statement),
            "person": person,
            "issued_at": _now(),
            "nonce": new_nonce(),
        }
        return kind(**(header | members))  # type: ignore[arg-type]

    def act(self, kind: type[Body], person: PersonId, **members: object) -> Envelope:
        return self.signed(self.body(kind, person, **({"claim": self.claim} | members)), person)

    def signed(self, body: Body, *persons: PersonId) -> Envelope:
        (kind,) = (kind for kind, form in BODIES.items() if type(body) is form)
        return sign(kind, write_body(body), [PEOPLE[person].signing_key for person in persons])

    # ------------------------------------------------------------------ behind the steps

    def _checkpoint(self) -> bytes:
        path = f"/v1/agreements/{self.agreement.id}/ledger/checkpoint"
        return self.client(DORA).get_bytes(path, media_type="text/plain")

    def _custody(self) -> Mapping[ComponentId, JsonObject]:
        epochs = objects(self.get(f"/v1/agreements/{self.agreement.id}"), "custody")
        return {ComponentId(text(one, "component")): one for one in epochs}

    def _sealed(self, part: ComponentId, custody: str, recipient: str) -> DepositedComponent:
        plain, out = self.contents[part], io.BytesIO()
        sealed = age.seal(io.BytesIO(plain), out, [age.parse_recipient(recipient)])
        self._uploads(part, out.getvalue(), DORA, "deposit")
        return DepositedComponent(
            component=part,
            custody=Digest(custody),
            sealed_digest=sealed.digest,
            sealed_bytes=sealed.size_bytes,
            manifest_digest=sha256_digest(plain),
            files=1,
            payload_bytes=len(plain),
        )

    def _uploads(self, what: str, data: bytes, person: PersonId, purpose: str) -> None:
        file, under = self.scratch / f"{self.agreement.id}-{what}.age", self.agreement.id
        file.write_bytes(data)
        sender, digest = self.client(person), sha256_digest(data)
        self.insisted(lambda: put_blob(sender, file, digest, agreement=under, purpose=purpose))

    def _delivery(self) -> VerifiedDelivery:
        escrow = RemoteEscrow(client=self.client(BEA))
        shown, record = escrow.delivery(self.claim), escrow.record(self.claim)
        return read_delivery(shown, record, claim=self.claim, keys=keys_of(BEA), trust=self._trust, at=_now())

    def _trust(self, _: AgreementId, digest: Digest) -> None:
        assert digest == statement_id(self.agreement_statement)

    def _opens(self, stage: StageId) -> bool:
        """Whether the stage's files are there, and open to what was deposited."""
        delivery = self._delivery()
        offered = [one for one in delivery.offered if one.stage == stage]
        return bool(offered) and all(self._plain_of(delivery, one) for one in offered)

    def _plain_of(self, delivery: VerifiedDelivery, stage: OfferedStage) -> bool:
        own = PEOPLE[BEA].identity
        for part in stage.components:
            sealed = {leaf: get_small_blob(self.client(BEA), one) for leaf, one in part.contributions.items()}
            identity = contributed_identity(part.custody, sealed, claim=delivery.claim, identity=own)
            data, out = get_small_blob(self.client(BEA), part.deposited.sealed_digest), io.BytesIO()
            age.open_sealed(io.BytesIO(data), out, [identity])
            assert out.getvalue() == self.contents[part.deposited.component]
        return True

    def _received(self, stage: StageId) -> tuple[ReceivedComponent, ...]:
        (offered,) = (one for one in self.insisted(self._delivery).offered if one.stage == stage)
        self.parts += offered.components
        return tuple(
            ReceivedComponent(
                component=part.deposited.component,
                sealed_digest=part.deposited.sealed_digest,
                manifest_digest=part.deposited.manifest_digest,
            )
            for part in offered.components
        )


_NOT_YET: Final = frozenset(error.code for error in (NoSuchThingError, BlobMissingError, BlobAlteredError))
"""A log has no checkpoint yet, a blob is not in the stores yet, an answer was cut off."""
