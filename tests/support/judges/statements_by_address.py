"""Sound statements for each address that takes one, found by the address alone.

An unknown address fails here: if you add an address, add the statements that it takes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Final

from tallystick.crypto.envelope import Envelope, sign
from tallystick.domain.acts.all import ACTS
from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.bodies import BODIES
from tallystick.domain.codec import encode_object
from tallystick.domain.ids import ComponentId, PersonId, StageId
from tallystick.domain.json import JsonObject
from tallystick.domain.kinds import (
    Authority,
    Kind,
    Outcome,
    Purpose,
    ReceiptOutcome,
    ServiceMethod,
    WithdrawalReason,
)
from tallystick.domain.record.generations import newest_generation
from tallystick.domain.statements.acts import Intake, NoticeAcknowledgement
from tallystick.domain.statements.deposits import Deposit
from tallystick.domain.statements.header import Document, OnClaim
from tallystick.domain.statements.receipts import ReceivedComponent
from tallystick.domain.statements.signed import write_body
from tallystick.proof.reading import read_signed
from tallystick.store.database.session import reading
from tallystick.store.registers import deposits
from tests.support.worlds.agreements import ABE, ANA, BEA, BEN, DIRK, DORA, KIM, PEOPLE, TOM, receivers
from tests.support.worlds.gate_worlds import (
    ACKNOWLEDGED,
    FILED,
    MONDAY,
    SIGNERS,
    World,
)
from tests.support.worlds.groundwork import NO_DIGEST, some_digest
from tests.support.worlds.prepared_worlds import deposited

KINDS: Final[Mapping[str, Kind]] = {
    **{act.noun: act.kind for act in ACTS},
    "agreements": Kind.AGREEMENT,
    "claims": Kind.CLAIM,
    "deposits": Kind.DEPOSIT,
    "revocations": Kind.KEY_REVOCATION,
}

_SIGNERS: Final[Mapping[Kind, Sequence[PersonId]]] = {
    Kind.AGREEMENT: SIGNERS,
    Kind.KEY_REVOCATION: (TOM,),
    Kind.DEPOSIT: (DORA,),
    Kind.CLAIM: (BEN,),
    Kind.CONFIRMATION: (BEN,),
    Kind.INTAKE: (ANA,),
    Kind.NOTICE_ACKNOWLEDGEMENT: (DIRK,),
    Kind.OBJECTION: (DORA,),
    Kind.RETRACTION: (DORA,),
    Kind.PROOF_OF_SERVICE: (ABE, ANA),
    Kind.RULING: (KIM,),
    Kind.JOINT_INSTRUCTION: (DORA, BEA),
    Kind.APPROVAL: (KIM,),
    Kind.DENIAL: (TOM,),
    Kind.WITHDRAWAL: (BEA,),
    Kind.HOLD: (ANA,),
    Kind.HOLD_LIFT: (ANA, KIM),
    Kind.RECEIVERS: (BEA, ANA),
    Kind.RECEIPT: (BEA,),
    Kind.RETURN: (BEA,),
}

_ACTS: Final[Mapping[Kind, Mapping[str, object]]] = {
    Kind.CONFIRMATION: {"receivers": receivers(BEN), "declaration": "So it is."},
    Kind.INTAKE: {"accepted": False, "reasons": ("the licence is missing",)},
    Kind.NOTICE_ACKNOWLEDGEMENT: {},
    Kind.OBJECTION: {"ground": "cured", "explanation": "It is cured.", "stages": (StageId("critical"),)},
    Kind.RETRACTION: {"of": NO_DIGEST, "reason": "I was mistaken."},
    Kind.PROOF_OF_SERVICE: {
        "method": ServiceMethod.COURIER,
        "served_on": date(2026, 11, 26),
        "documents": (Document(name="receipt", plain_digest=some_digest(2), sealed_digest=some_digest(3)),),
    },
    Kind.RULING: {
        "authority": Authority.ARBITRATION,
        "outcome": Outcome.REFUSE,
        "documents": (Document(name="award", plain_digest=some_digest(1), sealed_digest=some_digest(1)),),
        "reason": "As the award says.",
    },
    Kind.JOINT_INSTRUCTION: {"outcome": Outcome.REFUSE, "reason": "We agree."},
    Kind.APPROVAL: {
        "stages": (StageId("provisional"),),
        "purpose": Purpose.RELEASE,
        "reason": "The papers are in order.",
    },
    Kind.DENIAL: {"reason": "The record is of another company."},
    Kind.WITHDRAWAL: {"reason": WithdrawalReason.OTHER, "explanation": "It is over."},
    Kind.HOLD: {
        "reason": "An injunction.",
        "stages": (StageId("source"),),
        "documents": (
            Document(
                name="order",
                plain_digest=some_digest(2),
                sealed_digest=some_digest(3),
                issued_at=datetime(2026, 11, 20, tzinfo=UTC),
            ),
        ),
    },
    Kind.HOLD_LIFT: {"hold": NO_DIGEST, "reason": "It was lifted."},
    Kind.RECEIVERS: {"receivers": receivers(BEN, BEA), "reason": "A machine was stolen."},
    Kind.RECEIPT: {
        "stage": StageId("provisional"),
        "outcome": ReceiptOutcome.ACTIVATED,
        "components": (ReceivedComponent(component=ComponentId("docs"), sealed_digest=NO_DIGEST),),
        "detail": "It runs.",
    },
    Kind.RETURN: {
        "components": (ComponentId("docs"),),
        "method": "deleted",
        "certificate": "by an officer",
    },
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoken:
    """A sound statement before it is signed: what it says, and who signs it; the first one sends it."""

    kind: Kind
    body: JsonObject
    signers: Sequence[PersonId]

    def envelope(self) -> Envelope:
        return sign(self.kind, self.body, [PEOPLE[person].signing_key for person in self.signers])


def in_window(world: World) -> World:
    """An accepted claim for every stage, of which the depositor has notice: most acts are allowed."""
    world = world.file(deposited(world), stages=tuple(stage.id for stage in world.agreement.stages))
    world.say(Intake, ANA, FILED + timedelta(hours=1), accepted=True)
    world.notify(FILED + timedelta(hours=1))
    world.say(NoticeAcknowledgement, DORA, ACKNOWLEDGED)
    world.settle(ACKNOWLEDGED)
    world.sign_checkpoint()
    return world


def kind_at(path: str) -> Kind:
    """Return the kind of statement that is posted to an address."""
    noun = path.rpartition("/")[2]
    assert noun in KINDS, f"say in {__name__} what is sent to {path}"
    return KINDS[noun]


def spoken(world: World, kind: Kind, at: datetime) -> Spoken:
    """Return statements to `world` at `at` whose form is right."""
    signers = _SIGNERS[kind]
    if kind is Kind.AGREEMENT:
        return Spoken(kind=kind, body=encode_object(next_version(world)), signers=signers)
    members = {
        **_members(world, kind, at),
        **({"claim": world.claim} if issubclass(BODIES[kind], OnClaim) else {}),
    }
    return Spoken(
        kind=kind, body=write_body(world.body(BODIES[kind], signers[0], at, **members)), signers=signers
    )


def next_version(world: World) -> Agreement:
    return replace(world.agreement, version=world.agreement.version + 1, supersedes=world.digest)


def _members(world: World, kind: Kind, at: datetime) -> Mapping[str, object]:
    if kind is Kind.KEY_REVOCATION:  # another's key: this alone revokes nothing
        return {"key": PEOPLE[DIRK].signing_key.public_key, "reason": "I say so."}
    if kind is Kind.DEPOSIT:
        return _next_deposit(world)
    if kind is Kind.CLAIM:
        return _filing(world, at)
    lasting = {"expires_at": at + timedelta(days=20)} if kind is Kind.APPROVAL else {}
    return {**_ACTS[kind], **lasting}


def _next_deposit(world: World) -> Mapping[str, object]:
    """The same sealed files again, under the next number."""
    with reading(world.database) as session:
        last = deposits.latest(session, world.agreement.id)
    assert last is not None
    said = read_signed(last.entry.statement(), world.agreement).body
    assert isinstance(said, Deposit)
    return {
        "number": last.number + 1,
        "previous": last.digest,
        "watermark": MONDAY,
        "components": said.components,
    }


def _filing(world: World, at: datetime) -> Mapping[str, object]:
    return {
        "generation": newest_generation(),
        "condition": "insolvency",
        "deposit": deposited(world),
        "stages": (StageId("source"),),
        "evidence": world.documents(at),
        "receivers": receivers(BEA),
        "purpose": Purpose.RELEASE,
        "declaration": "Support has ceased.",
    }
