"""What may be said, kind by kind: the bodies of statements, and a signed one as the rules see it.

Persons sign acts; the log key signs notices and events; the gate signs decisions.
Signatures are verified before a `Signed` exists (tallystick/proof/reading.py);
the rules here and elsewhere in the domain start from that fact.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Final, Generic, TypeAlias, TypeGuard, TypeVar

from tallystick.domain.codec import MalformedDocumentError, decode, encode_object
from tallystick.domain.ids import Digest, PublicKey, nonce
from tallystick.domain.json import JsonObject
from tallystick.domain.kinds import Kind
from tallystick.domain.refusals import MisdirectedError
from tallystick.domain.statements.acts import (
    Approval,
    Denial,
    Hold,
    HoldLift,
    Intake,
    NoticeAcknowledgement,
    Objection,
    Retraction,
    Withdrawal,
)
from tallystick.domain.statements.custody import Custody
from tallystick.domain.statements.deposits import Deposit
from tallystick.domain.statements.engine import (
    DecisionStatement,
    Event,
    Notice,
    StorageNotice,
)
from tallystick.domain.statements.filing import ClaimFiling
from tallystick.domain.statements.header import Header
from tallystick.domain.statements.keys import KeyRevocation
from tallystick.domain.statements.orders import JointInstruction, Ruling
from tallystick.domain.statements.receipts import Receipt, Return

Body: TypeAlias = Header
"""What any statement says."""

B_co = TypeVar("B_co", bound=Body, covariant=True)
_F = TypeVar("_F", bound=Body)


BODIES: Final[Mapping[Kind, type[Body]]] = MappingProxyType(
    {
        body.KIND: body
        for body in (
            KeyRevocation,
            Custody,
            Deposit,
            ClaimFiling,
            Intake,
            Notice,
            NoticeAcknowledgement,
            Objection,
            Retraction,
            Ruling,
            JointInstruction,
            Approval,
            Denial,
            Withdrawal,
            Hold,
            HoldLift,
            Receipt,
            Return,
            StorageNotice,
            Event,
            DecisionStatement,
        )
    }
)
"""The bodies that stand under an agreement; `agreement` itself and `enrolment` have their own readers."""


BY_LOG_KEY: Final = frozenset({Kind.NOTICE, Kind.STORAGE_NOTICE, Kind.EVENT, Kind.EVIDENCE})


BY_GATE: Final = frozenset({Kind.DECISION})


BY_ENGINE: Final = BY_LOG_KEY | BY_GATE


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed(Generic[B_co]):
    """A statement whose signatures were verified; `Signed[Deposit]` is one of a deposit.

    Attributes:
        id: SHA-256 over type and body: what others refer to.
        signers: The agreement's keys that signed it; never empty.
        size_bytes: How long the body is, as it was signed.
    """

    kind: Kind
    id: Digest
    signers: frozenset[PublicKey]
    body: B_co
    size_bytes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A statement as the ledger holds it: at which place, and when it was accepted."""

    index: int
    accepted_at: datetime
    signed: Signed[Body]


def says(signed: Signed[Body], form: type[_F]) -> TypeGuard[Signed[_F]]:
    """Return whether the body of `signed` is a `form`."""
    return isinstance(signed.body, form)


def expect(signed: Signed[Body], form: type[_F]) -> Signed[_F]:
    """Return `signed`, whose body is a `form`.

    Raises:
        MisdirectedError: It is another kind of statement.
    """
    if not says(signed, form):
        raise MisdirectedError("another kind of statement", expected=form.KIND.value, given=signed.kind.value)
    return signed


def read_body(kind: Kind, body: JsonObject) -> Body:
    """Return the body of a statement of `kind`.

    Raises:
        MalformedDocumentError: Not the members of that kind, or no kind that stands under an agreement.
        MalformedNameError: Its nonce is none.
    """
    if kind not in BODIES:
        raise MalformedDocumentError("this kind does not stand under an agreement", kind=kind.value)
    found = decode(BODIES[kind], body)
    nonce(found.nonce)
    return found


def write_body(body: Body) -> JsonObject:
    """Return the JSON object of a body."""
    return encode_object(body)
