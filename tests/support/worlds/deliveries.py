"""A decided claim with real keys, seals and shares, and an escrow agent that is a folder.

What the escrow shows follows from the receipts it was sent, as the server's does; it
lies on disk, so that it outlives a receiver that is killed.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cached_property
from pathlib import Path
from typing import Final, TypedDict

from tallystick.bag.write import write_bag
from tallystick.crypto.age import SealingWriter, parse_recipient
from tallystick.crypto.custody.claim_recipient import claim_identity
from tallystick.crypto.custody.gate import GATE_LEAF, CustodyEpoch, contribute, deal_epoch, gate_share
from tallystick.crypto.envelope import (
    Envelope,
    envelope_bytes,
    envelope_json,
    parse_envelope,
    sign,
    statement_id,
)
from tallystick.crypto.keyfile import PrivateKeys
from tallystick.crypto.keys import SigningKey
from tallystick.domain.codec import encode_object
from tallystick.domain.ids import AgreementId, ComponentId, DeploymentId, Digest, PersonId, StageId
from tallystick.domain.json import JsonObject, JsonValue
from tallystick.domain.kinds import Kind, Purpose, ReceiptOutcome
from tallystick.domain.record.generations import newest_generation
from tallystick.domain.statements.custody import Custody, SealedShare
from tallystick.domain.statements.deposits import Deposit, DepositedComponent
from tallystick.domain.statements.engine import DecisionStatement
from tallystick.domain.statements.filing import ClaimFiling
from tallystick.domain.statements.header import Contribution, Header
from tallystick.domain.statements.receipts import Receipt
from tallystick.proof.reading import read_signed
from tests.support.worlds.agreements import (
    ACTIVATION_RULES,
    AGREEMENT,
    BEA,
    CRITICAL,
    DECISION_KEY,
    DOCS,
    DORA,
    GATE_IDENTITY,
    LICENCE_KEYS,
    PEOPLE,
    PROVISIONAL,
)

AT: Final = datetime(2026, 11, 24, 9, tzinfo=UTC)
GATE: Final = PersonId("gate@test")
CONTENT: Final[Mapping[ComponentId, Mapping[str, bytes]]] = {
    DOCS: {"operations.md": b"How to run it.\n", "deep/er/notes.md": b"Notes.\n"},
    LICENCE_KEYS: {"keys.json": b'{"seats": 250}\n'},
    ACTIVATION_RULES: {"rules.json": b'{"offline": true}\n', "install.sh": b"#!/bin/sh\n"},
}


def agreement_envelope() -> Envelope:
    """The sound agreement, signed by someone of every party."""
    keys = {actor.person.party: actor.signing_key for actor in PEOPLE.values()}
    return sign(Kind.AGREEMENT, encode_object(AGREEMENT), list(keys.values()))


def digest_of(raw: bytes) -> Digest:
    return Digest("sha256:" + hashlib.sha256(raw).hexdigest())


def keys_of(person: PersonId) -> PrivateKeys:
    actor = PEOPLE[person]
    return PrivateKeys(
        person=person, signing_key=actor.signing_key, age_identity=actor.identity.secret_text()
    )


class HeaderMembers(TypedDict):
    """The header of every statement under the agreement."""

    deployment: DeploymentId
    agreement: AgreementId
    agreement_digest: Digest
    person: PersonId
    issued_at: datetime
    nonce: str


@dataclass(frozen=True, kw_only=True)
class Sealed:
    """A component as it was deposited: where its bytes are, and its facts."""

    deposited: DepositedComponent
    custody: Envelope
    body: Custody
    share: bytes
    raw: bytes


@dataclass(frozen=True, kw_only=True)
class Release:
    """One deposit of three components, and a claim on it; they differ for each `number`."""

    scratch: Path
    number: int = 1
    content: Mapping[ComponentId, Mapping[str, bytes]] | None = None

    @cached_property
    def agreement(self) -> Envelope:
        return agreement_envelope()

    @cached_property
    def sealed(self) -> Mapping[ComponentId, Sealed]:
        return {component: self.seal(component) for component in CONTENT}

    @cached_property
    def deposit(self) -> Envelope:
        body = Deposit(
            **self.header(DORA, "deposit"),
            number=1,
            watermark=AT,
            components=tuple(sealed.deposited for sealed in self.sealed.values()),
        )
        return said(Kind.DEPOSIT, body, PEOPLE[DORA].signing_key)

    @cached_property
    def filing(self) -> Envelope:
        header = self.header(BEA, "claim")
        identity = claim_identity(PEOPLE[BEA].identity, header["nonce"])
        body = ClaimFiling(
            **header,
            generation=newest_generation(),
            condition="insolvency",
            deposit=statement_id(self.deposit),
            stages=(PROVISIONAL, CRITICAL),
            evidence=(),
            recipient=str(identity.recipient()),
            purpose=Purpose.RELEASE,
            declaration="So it is.",
        )
        return said(Kind.CLAIM, body, PEOPLE[BEA].signing_key)

    @property
    def claim(self) -> Digest:
        return statement_id(self.filing)

    def header(self, person: PersonId, what: str) -> HeaderMembers:
        return HeaderMembers(
            deployment=AGREEMENT.deployment,
            agreement=AGREEMENT.id,
            agreement_digest=statement_id(self.agreement),
            person=person,
            issued_at=AT,
            nonce=hashlib.sha256(f"{what} {self.number}".encode()).hexdigest()[:32],
        )

    def seal(self, component: ComponentId) -> Sealed:
        epoch = CustodyEpoch(
            deployment=AGREEMENT.deployment, agreement=AGREEMENT.id, component=component, number=self.number
        )
        dealt = deal_epoch(epoch, GATE_IDENTITY.recipient())
        body = Custody(
            **self.header(GATE, f"custody {component}"),
            component=component,
            epoch=self.number,
            recipient=dealt.recipient,
            commitments=dealt.commitments,
            shares=(SealedShare(leaf=GATE_LEAF, sealed_digest=digest_of(dealt.sealed_share)),),
        )
        custody = said(Kind.CUSTODY, body, DECISION_KEY)
        deposited, raw = self.seal_bag(component, body.recipient, statement_id(custody))
        return Sealed(deposited=deposited, custody=custody, body=body, share=dealt.sealed_share, raw=raw)

    def seal_bag(
        self, component: ComponentId, recipient: str, custody: Digest
    ) -> tuple[DepositedComponent, bytes]:
        folder = self.scratch / f"source-{self.number}" / component
        for path, content in (self.content or CONTENT)[component].items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(content)
        file = self.scratch / f"{component}-{self.number}.age"
        with file.open("wb") as out:
            writer = SealingWriter(out, [parse_recipient(recipient)])
            bag = write_bag(
                folder, writer, name=component, external_identifier="test", bagged_on=date(2026, 11, 24)
            )
            sealed = writer.finish()
        deposited = DepositedComponent(
            component=component,
            custody=custody,
            sealed_digest=sealed.digest,
            sealed_bytes=sealed.size_bytes,
            manifest_digest=bag.manifest_digest,
            files=bag.files,
            payload_bytes=bag.payload_bytes,
        )
        return deposited, file.read_bytes()

    def contribution(self, component: ComponentId) -> bytes:
        sealed = self.sealed[component]
        share = gate_share(sealed.body, sealed.share, GATE_IDENTITY)
        filing = read_signed(self.filing, AGREEMENT).body
        assert isinstance(filing, ClaimFiling)
        recipient = parse_recipient(filing.recipient)
        return contribute(share, sealed.body, claim=self.claim, recipient=recipient)


def said(kind: Kind, body: Header, key: SigningKey) -> Envelope:
    return sign(kind, encode_object(body), [key])


class FolderEscrow:
    """The escrow agent's server, as files: blobs, one delivery, and the receipts it was sent."""

    def __init__(
        self, folder: Path, release: Release, *, stages: tuple[StageId, ...] = (PROVISIONAL, CRITICAL)
    ) -> None:
        self.folder, self.release = folder, release
        (folder / "blobs").mkdir(parents=True)
        (folder / "receipts").mkdir()
        document: JsonObject = {
            "claim": "",
            "digest": release.claim,
            "filing_envelope": envelope_json(release.filing),
            "agreement_envelope": envelope_json(release.agreement),
            "deposit_envelope": envelope_json(release.deposit),
            "stages": [self._stage(stage) for stage in stages],
        }
        self.document_file.write_text(json.dumps(document))

    @property
    def document_file(self) -> Path:
        return self.folder / "delivery.json"

    def blob(self, digest: Digest) -> Path:
        return self.folder / "blobs" / digest.removeprefix("sha256:")

    def put(self, raw: bytes) -> Digest:
        digest = digest_of(raw)
        self.blob(digest).write_bytes(raw)
        return digest

    def receipts(self) -> list[Receipt]:
        """Every receipt that was ever sent, each once, in order of arrival."""
        receipts = sorted((self.folder / "receipts").iterdir(), key=lambda path: path.name)
        return [self._read(path) for path in receipts]

    def outcomes(self) -> list[tuple[str, str]]:
        return [(receipt.stage, receipt.outcome.value) for receipt in self.receipts()]

    def delivery(self, claim: str) -> JsonObject:
        document = json.loads(self.document_file.read_text())
        latest = {receipt.stage: receipt.outcome for receipt in self.receipts()}
        undo = [stage for stage, outcome in latest.items() if outcome is ReceiptOutcome.FAILED]
        if (self.folder / "undo").exists():
            undo = [s for s, outcome in latest.items() if outcome is not ReceiptOutcome.ROLLED_BACK][::-1]
        states = {
            ReceiptOutcome.ACTIVATED: "ACTIVATED",
            ReceiptOutcome.FAILED: "FAILED",
            ReceiptOutcome.ROLLED_BACK: "ROLLED_BACK",
        }
        stages = [
            {**stage, "state": states[latest[stage["stage"]]] if stage["stage"] in latest else "DECIDED"}
            for stage in document["stages"]
        ]
        state = "ROLLING_BACK" if undo else "PROVISIONING"
        return {**document, "stages": stages, "undo": undo, "state": state}

    def undo_all(self) -> None:
        (self.folder / "undo").touch()

    def fetch(self, wanted: Digest, into: Path, *, size_bytes: int) -> None:
        assert self.blob(wanted).stat().st_size == size_bytes
        into.write_bytes(self.blob(wanted).read_bytes())

    def fetch_small(self, wanted: Digest) -> bytes:
        return self.blob(wanted).read_bytes()

    def report(self, claim: Digest, receipt: Envelope) -> None:
        assert claim == self.release.claim
        name = statement_id(receipt).removeprefix("sha256:")
        if not list((self.folder / "receipts").glob(f"*-{name}")):
            place = len(list((self.folder / "receipts").iterdir()))
            (self.folder / "receipts" / f"{place:03}-{name}").write_bytes(envelope_bytes(receipt))

    def _read(self, path: Path) -> Receipt:
        body = read_signed(parse_envelope(path.read_bytes()), AGREEMENT).body
        assert isinstance(body, Receipt)
        return body

    def _stage(self, stage: StageId) -> JsonValue:
        components = AGREEMENT.stage(stage).components
        contributed = {component: self.put(self.release.contribution(component)) for component in components}
        decision = DecisionStatement(
            **self.release.header(GATE, f"decision {stage}"),
            claim=self.release.claim,
            stage=stage,
            released=True,
            decided_at=AT,
            record=self.release.claim,
            premises=(),
            contributions=tuple(
                Contribution(component=component, leaf=GATE_LEAF, sealed_digest=sealed)
                for component, sealed in contributed.items()
            ),
        )
        envelope = said(Kind.DECISION, decision, DECISION_KEY)
        return {
            "stage": stage,
            "decision": statement_id(envelope),
            "decision_envelope": envelope_json(envelope),
            "components": [self._component(component, contributed[component]) for component in components],
        }

    def _component(self, component: ComponentId, contributed: Digest) -> JsonValue:
        sealed = self.release.sealed[component]
        self.put(sealed.raw)
        return {
            "component": component,
            "sealed_digest": sealed.deposited.sealed_digest,
            "custody": sealed.deposited.custody,
            "custody_envelope": envelope_json(sealed.custody),
            "contributions": [{"leaf": GATE_LEAF, "sealed_digest": contributed}],
        }
