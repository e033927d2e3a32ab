"""A deposit and a claim on it, with real keys, seals and shares."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Final, TypedDict

from tallystick.bag.write import BagSummary, write_bag
from tallystick.crypto.age import SealingWriter, parse_recipient
from tallystick.crypto.custody.gate import CustodyEpoch, contribute, deal_epoch, gate_share
from tallystick.crypto.envelope import (
    Envelope,
    sign,
    statement_id,
)
from tallystick.crypto.keyfile import PrivateKeys
from tallystick.crypto.keys import SigningKey
from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.agreement.plan import GATE_LEAF
from tallystick.domain.codec import encode_object
from tallystick.domain.ids import AgreementId, ComponentId, DeploymentId, Digest, PersonId
from tallystick.domain.kinds import Kind, Purpose
from tallystick.domain.record.generations import newest_generation
from tallystick.domain.statements.custody import Custody, SealedShare
from tallystick.domain.statements.deposits import TREE, Deposit, DepositedComponent
from tallystick.domain.statements.filing import ClaimFiling, EvidenceDocument
from tallystick.domain.statements.header import Header
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
    receivers,
)

AT: Final = datetime(2026, 11, 24, 9, tzinfo=UTC)
GATE: Final = PersonId("gate@test")
CONTENT: Final[Mapping[ComponentId, Mapping[str, bytes]]] = {
    DOCS: {"operations.md": b"How to run it.\n", "deep/er/notes.md": b"Notes.\n"},
    LICENCE_KEYS: {"keys.json": b'{"seats": 250}\n'},
    ACTIVATION_RULES: {"rules.json": b'{"offline": true}\n', "install.sh": b"#!/bin/sh\n"},
}


def agreement_envelope(terms: Agreement) -> Envelope:
    """An agreement, signed by someone of every party."""
    keys = {actor.person.party: actor.signing_key for actor in PEOPLE.values()}
    return sign(Kind.AGREEMENT, encode_object(terms), list(keys.values()))


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
    terms: Agreement = AGREEMENT
    at: datetime = AT
    content: Mapping[ComponentId, Mapping[str, bytes]] | None = None
    sealed_for: tuple[PersonId, ...] = (BEA,)
    attached: Mapping[str, tuple[bytes, bytes]] = field(default_factory=dict[str, tuple[bytes, bytes]])
    """Documents of the claim, plain and as they were sealed, by item; without one, nobody has its file."""

    @cached_property
    def agreement(self) -> Envelope:
        return agreement_envelope(self.terms)

    @cached_property
    def sealed(self) -> Mapping[ComponentId, Sealed]:
        return {component: self.seal(component) for component in CONTENT}

    @cached_property
    def deposit(self) -> Envelope:
        body = Deposit(
            **self.header(DORA, "deposit"),
            number=1,
            watermark=self.at,
            components=tuple(sealed.deposited for sealed in self.sealed.values()),
            tree=TREE,
        )
        return said(Kind.DEPOSIT, body, PEOPLE[DORA].signing_key)

    @cached_property
    def filing(self) -> Envelope:
        header = self.header(BEA, "claim")
        body = ClaimFiling(
            **header,
            generation=newest_generation(),
            condition="insolvency",
            deposit=statement_id(self.deposit),
            stages=(PROVISIONAL, CRITICAL),
            receivers=receivers(*self.sealed_for),
            evidence=tuple(map(self.document, ("insolvency-record", "officer-declaration"))),
            purpose=Purpose.RELEASE,
            declaration="So it is.",
        )
        return said(Kind.CLAIM, body, PEOPLE[BEA].signing_key)

    def document(self, item: str) -> EvidenceDocument:
        plain, sealed = self.attached.get(item, (item.encode(), b"sealed " + item.encode()))
        return EvidenceDocument(
            item=item,
            issued_at=self.at - timedelta(days=2),
            plain_digest=digest_of(plain),
            sealed_digest=digest_of(sealed),
        )

    @property
    def claim(self) -> Digest:
        return statement_id(self.filing)

    def header(self, person: PersonId, what: str) -> HeaderMembers:
        return HeaderMembers(
            deployment=self.terms.deployment,
            agreement=self.terms.id,
            agreement_digest=statement_id(self.agreement),
            person=person,
            issued_at=self.at,
            nonce=hashlib.sha256(f"{what} {self.number}".encode()).hexdigest()[:32],
        )

    def seal(self, component: ComponentId) -> Sealed:
        epoch = CustodyEpoch(
            deployment=self.terms.deployment, agreement=self.terms.id, component=component, number=self.number
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
            bag = self.bag(folder, writer, component)
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

    def bag(self, folder: Path, out: SealingWriter, component: ComponentId) -> BagSummary:
        day = date(2026, 11, 24)
        return write_bag(folder, out, name=component, external_identifier="test", bagged_on=day)

    def contribution(self, component: ComponentId) -> bytes:
        sealed = self.sealed[component]
        share = gate_share(sealed.body, sealed.share, GATE_IDENTITY)
        filing = read_signed(self.filing, self.terms).body
        assert isinstance(filing, ClaimFiling)
        recipients = [parse_recipient(one.recipient) for one in filing.receivers]
        return contribute(share, sealed.body, claim=self.claim, recipients=recipients)


def said(kind: Kind, body: Header, key: SigningKey) -> Envelope:
    return sign(kind, encode_object(body), [key])
