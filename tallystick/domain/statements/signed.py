"""A signed statement as the rules see it, and who signs which kind.

Persons sign acts; the log key signs notices and events; the gate signs decisions and sightings.
Signatures are verified before a `Signed` is made (tallystick/proof/reading.py);
the rules of the domain rely on that.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Generic, TypeAlias, TypeGuard, TypeVar

from tallystick.domain.codec import encode_object
from tallystick.domain.ids import Digest, PublicKey
from tallystick.domain.json import JsonObject
from tallystick.domain.kinds import Kind
from tallystick.domain.refusals import MisdirectedError
from tallystick.domain.statements.header import Header

Body: TypeAlias = Header
"""What any statement says."""

B_co = TypeVar("B_co", bound=Body, covariant=True)
_F = TypeVar("_F", bound=Body)


BY_LOG_KEY: Final = frozenset({Kind.NOTICE, Kind.STORAGE_NOTICE, Kind.EVENT, Kind.EVIDENCE})


BY_GATE: Final = frozenset({Kind.DECISION, Kind.SIGHTING})


BY_ENGINE: Final = BY_LOG_KEY | BY_GATE


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed(Generic[B_co]):
    """A statement whose signatures were verified; `Signed[Deposit]` is one of a deposit.

    Attributes:
        id: SHA-256 over type and body; other statements refer to it by this.
        signers: The keys of the agreement that signed it; never empty.
        size_bytes: The length of the envelope, as it is stored and carried: signatures count as well.
    """

    kind: Kind
    id: Digest
    signers: frozenset[PublicKey]
    body: B_co
    size_bytes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A statement in the ledger, with its index and when it was accepted."""

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


def write_body(body: Body) -> JsonObject:
    """Return the JSON object of a body."""
    return encode_object(body)
