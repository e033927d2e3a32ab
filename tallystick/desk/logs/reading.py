"""Reading a whole log: each entry is hashed here as its leaf, and all of them must make the signed root."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from string import hexdigits

from tallystick.client.answers import envelope_in, number, text
from tallystick.client.ledgers import entries
from tallystick.client.problems import UnexpectedAnswerError
from tallystick.client.received import TEXT
from tallystick.client.route import route
from tallystick.crypto.envelope import Envelope, envelope_bytes
from tallystick.crypto.log.leaf import SALT_SIZE_BYTES, leaf_bytes
from tallystick.crypto.log.merkle import Frontier, leaf_hash
from tallystick.crypto.log.note import Checkpoint, open_checkpoint, origin_of
from tallystick.desk.desk import Desk
from tallystick.desk.kept.pins import PinnedLog
from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.codec import instant
from tallystick.domain.errors import TallystickError
from tallystick.domain.json import JsonObject
from tallystick.limits.logs import CHECKPOINT_KEPT_BYTES_MAX, LEDGER_READ_ENTRIES_MAX

Take = Callable[[Envelope | None, bytes], None]
"""Is given each entry's envelope and the hash of its leaf, in order.

There is no envelope where the server withholds the entry, which is about another beneficiary's claim.
"""


class LedgerInconsistentError(TallystickError):
    """A log that contradicts its own checkpoint, or one that was verified before."""

    code = "ledger-inconsistent"
    why = "An entry is missing or altered, or the log no longer begins with what was verified before."
    advice = (
        "Keep the trust file and tell the other parties. If the operators say that an older copy had to take "
        "the log's place, `tallystick ledger accept` shows what differs, and asks before it believes the log."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class LogRead:
    """A log whose entries make its signed root.

    Attributes:
        note: The signed checkpoint.
        tree: Over all entries that it counts.
        at: The tree at each of the sizes that were asked for, as far as it has had them.
    """

    note: bytes
    tree: Frontier
    at: Mapping[int, Frontier]

    def begins_with(self, earlier: Frontier) -> bool:
        """Whether this log begins with a log whose size was asked for."""
        return self.at.get(earlier.size) == earlier

    def pinned(self, at: datetime) -> PinnedLog:
        """Return what to remember of it."""
        return PinnedLog(
            size=self.tree.size,
            edge=tuple(root.hex() for root in self.tree.hashes),
            note=self.note.decode(),
            verified_at=at,
        )


def read_log(
    desk: Desk, agreement: Agreement, *, sizes: Collection[int] = (), take: Take | None = None
) -> LogRead:
    """Return the log that the server shows; of its tree, only the edge is held in memory.

    Raises:
        LedgerInconsistentError: The entries do not make the root, or are more than a log may have.
        NoteSignatureError: Another key than the agreement's log key signed the checkpoint.
        TallystickError: The server refused or did not answer.
    """
    # The entries are read after the checkpoint, so that none of those it covers can be missing.
    note = _note(desk, agreement)
    checkpoint = _checkpoint(note, agreement)
    tree, at = Frontier(), dict[int, Frontier]()
    for envelope, leaf in islice(_leaves(desk, agreement), checkpoint.size):
        if tree.size in sizes:
            at[tree.size] = tree
        tree = tree.append(leaf)
        if take is not None:
            take(envelope, leaf)
    if tree.size < checkpoint.size or tree.root() != checkpoint.root:
        raise LedgerInconsistentError(
            "the entries that the server shows do not make the signed root",
            shown=tree.size,
            size=checkpoint.size,
        )
    return LogRead(note=note, tree=tree, at={**at, tree.size: tree})


def _note(desk: Desk, agreement: Agreement) -> bytes:
    path = route("agreements", agreement.id, "ledger", "checkpoint")
    return desk.client.get_bytes(path, media_type=TEXT, size_bytes_max=CHECKPOINT_KEPT_BYTES_MAX)


def _checkpoint(note: bytes, agreement: Agreement) -> Checkpoint:
    """Return the checkpoint, signed by the log key; refuse one of more entries than can be read."""
    origin = origin_of(agreement.deployment, agreement.id)
    checkpoint = open_checkpoint(note, origin=origin, public_key=agreement.engine.log_key)
    if checkpoint.size > LEDGER_READ_ENTRIES_MAX:
        raise LedgerInconsistentError(
            "the checkpoint counts more entries than a log may have",
            size=checkpoint.size,
            limit=LEDGER_READ_ENTRIES_MAX,
        )
    return checkpoint


def _leaves(desk: Desk, agreement: Agreement) -> Iterator[tuple[Envelope | None, bytes]]:
    for place, entry in enumerate(entries(desk.client, agreement.id)):
        if number(entry, "index") != place:
            raise LedgerInconsistentError("an entry is missing", index=place)
        if "leaf" in entry:
            yield None, _hexadecimal(entry, "leaf")
            continue
        envelope = envelope_in(entry, "envelope")
        leaf = leaf_bytes(
            accepted_at=instant(text(entry, "accepted_at")),
            envelope=envelope_bytes(envelope),
            salt=_hexadecimal(entry, "salt"),
        )
        yield envelope, leaf_hash(leaf)


def _hexadecimal(entry: JsonObject, member: str) -> bytes:
    """Return the 32 bytes of a salt, or of a leaf's hash."""
    digits = text(entry, member)
    if len(digits) != 2 * SALT_SIZE_BYTES or not set(digits) <= set(hexdigits):
        raise UnexpectedAnswerError(f"an entry of the ledger has no {member}", index=number(entry, "index"))
    return bytes.fromhex(digits)
