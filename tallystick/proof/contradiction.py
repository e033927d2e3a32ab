"""Two signed checkpoints of one log that do not agree: what its log key can be held to, also before a court.

The file has both notes, and the leaf hashes of the log that the second one commits to. Anyone can compute
from these the second root, and the root that the second log had when it was as long as the first (RFC 6962).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from typing import Final

from tallystick.crypto.json.base64 import base64_bytes
from tallystick.crypto.json.canonical import canonical_bytes, parse
from tallystick.crypto.log.merkle import HASH_SIZE_BYTES, Frontier
from tallystick.crypto.log.note import Checkpoint, open_checkpoint, origin_of
from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.amounts import counted
from tallystick.domain.codec import Prose, decode, encode_object, instant_text
from tallystick.domain.errors import MalformedError, TallystickError
from tallystick.domain.ids import AgreementId, as_digest
from tallystick.limits.logs import CONTRADICTION_SIZE_BYTES_MAX

FORMAT: Final = "tallystick.contradiction/v1"


class NoContradictionError(TallystickError):
    """Two checkpoints of one log that may both be right."""

    code = "no-contradiction"
    why = "A log grows: a shorter one contradicts a longer one only if the longer does not begin with it."
    advice = "Keep the file. Once the log is longer again, its checkpoint and its entries may decide it."


class MalformedContradictionError(MalformedError):
    """A file that does not have two checkpoints of one log and the leaves of the second."""

    code = "malformed-contradiction"
    why = "The file must have two signed checkpoints of this agreement's log, and all leaves of the second."
    advice = "Use the file as `tallystick ledger accept` wrote it, with the agreement that it names."


@dataclass(frozen=True, slots=True, kw_only=True)
class TwoCheckpoints:
    """What a person verified first and later.

    Attributes:
        before: The note that was verified first.
        now: The later one.
        leaves: The 32-byte leaf hashes of the later log, one after the other, in base64.
    """

    format: str
    agreement: AgreementId
    before: Prose
    before_at: datetime
    now: Prose
    now_at: datetime
    leaves: str


def contradiction_bytes(two: TwoCheckpoints) -> bytes:
    """Return the file."""
    return canonical_bytes(encode_object(two)) + b"\n"


def read_contradiction(content: bytes) -> TwoCheckpoints:
    """Return what is in a file; nothing is verified.

    Raises:
        MalformedError: It is none.
    """
    two = decode(TwoCheckpoints, parse(content, size_bytes_max=CONTRADICTION_SIZE_BYTES_MAX))
    if two.format != FORMAT:
        raise MalformedContradictionError("unknown format", given=two.format[:64])
    return two


def contradiction(two: TwoCheckpoints, agreement: Agreement) -> tuple[str, ...]:
    """Return, in sentences, in what the log key has contradicted itself.

    Raises:
        NoContradictionError: Both checkpoints may be right.
        NoteSignatureError: The agreement's log key did not sign both.
        MalformedContradictionError: The leaves are not those of the later log, or of another agreement's.
    """
    if two.agreement != agreement.id:
        raise MalformedContradictionError("of another agreement", given=two.agreement, asked=agreement.id)
    before, now = _opened(two.before, agreement), _opened(two.now, agreement)
    leaves = _leaves(two.leaves)
    then = _grown(Frontier(), leaves[: before.size])
    whole = _grown(then, leaves[before.size :])
    if whole.size != now.size or whole.root() != now.root:
        raise MalformedContradictionError("the leaves do not make the later root", size=now.size)
    if before.size > now.size:
        raise NoContradictionError(
            "the later checkpoint is of a shorter log: it may have been signed before the other",
            before=before.size,
            now=now.size,
        )
    return _sentences(two, before, then, now)


def _sentences(two: TwoCheckpoints, before: Checkpoint, then: Frontier, now: Checkpoint) -> tuple[str, ...]:
    if then.root() == before.root:
        raise NoContradictionError("the later log begins with the earlier", before=before.size, now=now.size)
    length = counted(before.size, "entry", "entries")
    return (
        f"The log key of {now.origin} signed two logs that exclude each other.",
        f"Verified {instant_text(two.before_at)}: {length}, root {as_digest(before.root)}.",
        f"Fetched {instant_text(two.now_at)}: {now.size}, root {as_digest(now.root)};",
        f"with {length}, the root of this one was {as_digest(then.root())}.",
    )


def _opened(note: str, agreement: Agreement) -> Checkpoint:
    origin = origin_of(agreement.deployment, agreement.id)
    return open_checkpoint(note.encode(), origin=origin, public_key=agreement.engine.log_key)


def _leaves(text: str) -> tuple[bytes, ...]:
    joined = base64_bytes(text, where="/leaves")
    if len(joined) % HASH_SIZE_BYTES:
        raise MalformedContradictionError("the leaves are not hashes of 32 bytes", found=len(joined))
    return tuple(joined[at : at + HASH_SIZE_BYTES] for at in range(0, len(joined), HASH_SIZE_BYTES))


def _grown(tree: Frontier, leaves: Sequence[bytes]) -> Frontier:
    return reduce(Frontier.append, leaves, tree)
