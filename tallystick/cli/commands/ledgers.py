"""`tallystick ledger`: verify that an agreement's log is complete, and has only grown.

1. The deployment's log key signed the checkpoint, for this agreement's log.
2. Every entry that the server shows has its leaf under a checkpoint (RFC 6962, C2SP tlog-proof).
3. All entries together make the checkpoint's root.
4. The log begins with the log that was verified before, which the trust file next to the key remembers.
"""

from collections.abc import Sequence

import typer

from tallystick.cli.opened import opened
from tallystick.cli.options import AgreementName, Api, Json, Key, Trusted
from tallystick.cli.output import print_result
from tallystick.client.answers import envelope_in, number, text
from tallystick.client.ledgers import entries
from tallystick.client.received import TEXT
from tallystick.client.route import route
from tallystick.crypto.envelope import envelope_bytes
from tallystick.crypto.log.leaf import SALT_SIZE_BYTES, leaf_bytes
from tallystick.crypto.log.merkle import leaf_hash, root_of
from tallystick.crypto.log.note import open_checkpoint, origin_of
from tallystick.crypto.log.proof import parse_log_proof, verify_log_proof
from tallystick.desk.desk import Desk
from tallystick.desk.kept.pins import PinnedLog, changing_pins
from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.amounts import counted
from tallystick.domain.codec import instant
from tallystick.domain.errors import TallystickError
from tallystick.domain.json import JsonObject
from tallystick.limits import NOTE_SIZE_BYTES_MAX

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
    # The entries are read after the checkpoint, so that none of those it covers can be missing.
    note = _text(desk, route("agreements", agreement.id, "ledger", "checkpoint"))
    origin = origin_of(agreement.deployment, agreement.id)
    checkpoint = open_checkpoint(note, origin=origin, public_key=agreement.engine.log_key)
    leaves = _leaves(desk, agreement, checkpoint.size)
    if len(leaves) < checkpoint.size or root_of(leaves[: checkpoint.size]) != checkpoint.root:
        raise LedgerInconsistentError(
            "the entries that the server shows do not make the signed root",
            shown=len(leaves),
            size=checkpoint.size,
        )
    seen_before = _check_grown(desk, agreement, leaves, checkpoint.size)
    return {
        "agreement": agreement.id,
        "size": checkpoint.size,
        "root": f"sha256:{checkpoint.root.hex()}",
        "seen_before": seen_before,
    }


def _text(desk: Desk, path: str) -> bytes:
    return desk.client.get_bytes(path, media_type=TEXT, size_bytes_max=NOTE_SIZE_BYTES_MAX)


def _leaves(desk: Desk, agreement: Agreement, size: int) -> Sequence[bytes]:
    """Return the leaf hash of every entry, each computed here, and proven to be in the log."""
    leaves: list[bytes] = []
    for place, entry in enumerate(entries(desk.client, agreement.id)):
        if number(entry, "index") != place:
            raise LedgerInconsistentError("an entry is missing", index=place)
        if place >= size:
            break  # newer than the checkpoint; a later checkpoint will cover it
        proof = parse_log_proof(_text(desk, route("agreements", agreement.id, "ledger", "proof", place)))
        if proof.extra is None or len(proof.extra) != SALT_SIZE_BYTES or proof.index != place:
            raise LedgerInconsistentError("the proof lacks its salt, or is of another entry", index=place)
        leaf = leaf_hash(
            leaf_bytes(
                accepted_at=instant(text(entry, "accepted_at")),
                envelope=envelope_bytes(envelope_in(entry, "envelope")),
                salt=proof.extra,
            )
        )
        origin = origin_of(agreement.deployment, agreement.id)
        verify_log_proof(proof, leaf=leaf, origin=origin, public_key=agreement.engine.log_key)
        leaves.append(leaf)
    return leaves


def _check_grown(desk: Desk, agreement: Agreement, leaves: Sequence[bytes], size: int) -> int:
    """Return how many entries were verified before, after checking that all are still there; note the new."""
    with changing_pins(desk.trust_file) as pins:
        before = pins.pins.logs.get(agreement.id)
        seen = 0 if before is None else before.size
        if before is not None and (seen > size or before.root != root_of(leaves[:seen]).hex()):
            raise LedgerInconsistentError(
                "the log no longer begins with what was verified before", size=size, seen_before=seen
            )
        pins.pin_log(agreement.id, PinnedLog(size=size, root=root_of(leaves[:size]).hex()))
    return seen
