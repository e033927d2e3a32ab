"""`tallystick ledger`: verify that an agreement's log is complete, and has only grown.

1. The deployment's log key signed the checkpoint, for this agreement's log.
2. All entries that the server shows, each hashed here as its leaf, make the checkpoint's root (RFC 6962). So
   each of them is in the log, and none is missing.
3. The log begins with the log that was verified before, which the trust file next to the key remembers.
"""

from collections.abc import Iterator
from itertools import islice
from string import hexdigits

import typer

from tallystick.cli.opened import opened
from tallystick.cli.options import AgreementName, Api, Json, Key, Trusted
from tallystick.cli.output import print_result
from tallystick.client.answers import envelope_in, number, text
from tallystick.client.ledgers import entries
from tallystick.client.problems import UnexpectedAnswerError
from tallystick.client.received import TEXT
from tallystick.client.route import route
from tallystick.crypto.envelope import envelope_bytes
from tallystick.crypto.log.leaf import SALT_SIZE_BYTES, leaf_bytes
from tallystick.crypto.log.merkle import EMPTY_ROOT, Frontier, leaf_hash
from tallystick.crypto.log.note import Checkpoint, open_checkpoint, origin_of
from tallystick.desk.desk import Desk
from tallystick.desk.kept.pins import PinnedLog, changing_pins, read_pins
from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.amounts import counted
from tallystick.domain.codec import instant
from tallystick.domain.errors import TallystickError
from tallystick.domain.ids import as_digest
from tallystick.domain.json import JsonObject
from tallystick.limits.logs import LEDGER_READ_ENTRIES_MAX, NOTE_SIZE_BYTES_MAX

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Verify an agreement's ledger.")


class LedgerInconsistentError(TallystickError):
    """A log that contradicts its own checkpoint, or one that was verified before."""

    code = "ledger-inconsistent"
    why = "An entry is missing or altered, or the log no longer begins with what was verified before."
    advice = "Keep the trust file and what the server sent: together they prove it. Tell the other parties."


@app.callback()
def _ledger() -> None:
    """Verify an agreement's ledger."""


@app.command()
def verify(
    context: typer.Context,
    agreement: AgreementName,
    api: Api,
    key: Key,
    *,
    trust: Trusted = None,
    as_json: Json = False,
) -> None:
    """Verify that the log is complete up to its newest checkpoint, and continues what you verified before."""
    with opened(context, api, key) as desk:
        document = _verified(desk, desk.agreement(agreement, trusted=trust).agreement)
    before = number(document, "seen_before")
    lines = [
        f"{counted(number(document, 'size'), 'entry', 'entries')}, each proven to be in the log",
        f"root  {document['root']}",
        f"the log begins with what was verified before: {counted(before, 'entry', 'entries')}"
        if before
        else "first verification with this key: there is nothing older to compare with",
    ]
    print_result(document, lines, as_json=as_json)


def _verified(desk: Desk, agreement: Agreement) -> JsonObject:
    """Rebuild the tree from all entries, each leaf computed here; only its edge is held in memory."""
    # The entries are read after the checkpoint, so that none of those it covers can be missing.
    checkpoint = _checkpoint(desk, agreement)
    before = read_pins(desk.trust_file).logs.get(agreement.id)
    seen_before = 0 if before is None else before.size
    tree, seen_root = Frontier(), EMPTY_ROOT.hex()
    for leaf in islice(_leaves(desk, agreement), checkpoint.size):
        tree = tree.append(leaf)
        seen_root = tree.root().hex() if tree.size == seen_before else seen_root
    if tree.size < checkpoint.size or tree.root() != checkpoint.root:
        raise LedgerInconsistentError(
            "the entries that the server shows do not make the signed root",
            shown=tree.size,
            size=checkpoint.size,
        )
    if before is not None and (seen_before > tree.size or before.root != seen_root):
        raise LedgerInconsistentError(
            "the log no longer begins with what was verified before", size=tree.size, seen_before=seen_before
        )
    _remember(desk, agreement, before, PinnedLog(size=tree.size, root=checkpoint.root.hex()))
    return {
        "agreement": agreement.id,
        "size": tree.size,
        "root": as_digest(checkpoint.root),
        "seen_before": seen_before,
    }


def _checkpoint(desk: Desk, agreement: Agreement) -> Checkpoint:
    """Return the newest checkpoint, signed by the log key; refuse one of more entries than can be read."""
    path = route("agreements", agreement.id, "ledger", "checkpoint")
    note = desk.client.get_bytes(path, media_type=TEXT, size_bytes_max=NOTE_SIZE_BYTES_MAX)
    origin = origin_of(agreement.deployment, agreement.id)
    checkpoint = open_checkpoint(note, origin=origin, public_key=agreement.engine.log_key)
    if checkpoint.size > LEDGER_READ_ENTRIES_MAX:
        raise LedgerInconsistentError(
            "the checkpoint counts more entries than a log may have",
            size=checkpoint.size,
            limit=LEDGER_READ_ENTRIES_MAX,
        )
    return checkpoint


def _leaves(desk: Desk, agreement: Agreement) -> Iterator[bytes]:
    for place, entry in enumerate(entries(desk.client, agreement.id)):
        if number(entry, "index") != place:
            raise LedgerInconsistentError("an entry is missing", index=place)
        yield leaf_hash(
            leaf_bytes(
                accepted_at=instant(text(entry, "accepted_at")),
                envelope=envelope_bytes(envelope_in(entry, "envelope")),
                salt=_salt(entry),
            )
        )


def _salt(entry: JsonObject) -> bytes:
    salt = text(entry, "salt")
    if len(salt) != 2 * SALT_SIZE_BYTES or not set(salt) <= set(hexdigits):
        raise UnexpectedAnswerError("an entry of the ledger has no salt", index=number(entry, "index"))
    return bytes.fromhex(salt)


def _remember(desk: Desk, agreement: Agreement, before: PinnedLog | None, seen: PinnedLog) -> None:
    """Note how far the log was verified, unless another command has done so meanwhile."""
    with changing_pins(desk.trust_file) as pins:
        if pins.pins.logs.get(agreement.id) == before:
            pins.pin_log(agreement.id, seen)
