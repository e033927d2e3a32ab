"""Signed notes and the checkpoints in them: C2SP signed-note and tlog-checkpoint.

A checkpoint is what a log commits to: origin, size and root, signed. Only
Ed25519 notes (signature type 0x01) are written and verified; lines by other keys,
such as witnesses' cosignatures, are left alone.
"""

import hashlib
import re
from dataclasses import dataclass
from typing import Final

from tallystick.crypto.json.base64 import MalformedBase64Error, base64_bytes, base64_text
from tallystick.crypto.keys import SigningKey, public_key_bytes, verifies
from tallystick.crypto.log.merkle import EMPTY_ROOT, HASH_SIZE_BYTES
from tallystick.domain.errors import MalformedError, TallystickError
from tallystick.domain.ids import AgreementId, DeploymentId, PublicKey
from tallystick.limits.logs import (
    NOTE_NAME_LENGTH_MAX,
    NOTE_SIGNATURES_MAX,
    NOTE_SIZE_BYTES_MAX,
    TREE_SIZE_MAX,
)

_ED25519: Final = b"\x01"
_KEY_ID_SIZE_BYTES: Final = 4
_SIGNATURE_PREFIX: Final = "\N{EM DASH} "
_CONTROL: Final = re.compile("[\x00-\x09\x0b-\x1f]")
_DECIMAL: Final = re.compile(r"0|[1-9][0-9]{0,18}")
_CHECKPOINT_LINES_MIN: Final = 3


class MalformedNoteError(MalformedError):
    """Bytes that are not a signed note, a checkpoint or a log proof."""

    code = "malformed-note"
    why = "The text does not follow C2SP signed-note, tlog-checkpoint or tlog-proof to the letter."
    advice = "Fetch it again, unchanged: every byte counts, line ends too."


class NoteSignatureError(TallystickError):
    """A note that the expected key did not sign."""

    code = "note-signature"
    why = "The expected key must sign the note, and every line that names this key must verify under it."
    advice = "Compare the log's verifier key with the one in the agreement."


class OriginMismatchError(TallystickError):
    """A sound checkpoint of another log."""

    code = "origin-mismatch"
    why = "A checkpoint proves something only about the log that it names."
    advice = "Use the checkpoint of this agreement's log."


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """A log's state: `size` entries under the 32-byte `root`."""

    origin: str
    size: int
    root: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifierKey:
    """A note's signer: a name and its key."""

    name: str
    public_key: PublicKey

    def key_id(self) -> bytes:
        """Return the four bytes that, with the name, mark this key's lines: a hint, not a proof."""
        body = self.name.encode() + b"\n" + _ED25519 + public_key_bytes(self.public_key)
        return hashlib.sha256(body).digest()[:_KEY_ID_SIZE_BYTES]


def sign_checkpoint(checkpoint: Checkpoint, key: SigningKey, *, name: str | None = None) -> bytes:
    """Return the checkpoint as a note signed as `name`, by custom the origin itself.

    The signer must know that it is consistent with every checkpoint signed before.
    """
    signer = VerifierKey(name=_checked_name(name or checkpoint.origin), public_key=key.public_key)
    text = checkpoint_text(checkpoint)
    signature = base64_text(signer.key_id() + key.sign(text.encode()))
    return f"{text}\n{_SIGNATURE_PREFIX}{signer.name} {signature}\n".encode()


def open_checkpoint(
    note: bytes, *, origin: str, public_key: PublicKey, name: str | None = None
) -> Checkpoint:
    """Return the checkpoint in `note`, signed by `public_key` as `name` (by default the origin).

    Raises:
        MalformedNoteError: Not a signed note, or not a checkpoint in it.
        NoteSignatureError: Not signed by that key under that name.
        OriginMismatchError: A checkpoint of another log.
    """
    checkpoint = _checkpoint(open_note(note, VerifierKey(name=name or origin, public_key=public_key)))
    if checkpoint.origin != origin:
        raise OriginMismatchError("of another log", expected=origin, found=checkpoint.origin)
    return checkpoint


def open_note(note: bytes, key: VerifierKey) -> str:
    """Return the text of `note`, which `key` has signed; other signers' lines are ignored.

    Raises:
        MalformedNoteError: Not a signed note.
        NoteSignatureError: No line is by `key`, or one that claims to be is not.
    """
    text, lines = _split_note(note)
    marked = [signature for name, signature in map(_signature_line, lines) if name == key.name]
    ours = [line[_KEY_ID_SIZE_BYTES:] for line in marked if line[:_KEY_ID_SIZE_BYTES] == key.key_id()]
    if not ours:
        raise NoteSignatureError("not signed by the expected key", name=key.name)
    if not all(verifies(key.public_key, text.encode(), signature) for signature in ours):
        raise NoteSignatureError("the signature does not verify", name=key.name)
    return text


def checkpoint_text(checkpoint: Checkpoint) -> str:
    """Return the three lines that are signed (C2SP tlog-checkpoint)."""
    assert 0 <= checkpoint.size <= TREE_SIZE_MAX, "a log counts its entries"  # our own log's size
    assert len(checkpoint.root) == HASH_SIZE_BYTES, "a root is a SHA-256"  # our own log's root
    assert checkpoint.origin, "a log has a name"  # our own log's name
    assert not _CONTROL.search(checkpoint.origin + "\n"), "an origin is one line"
    return f"{checkpoint.origin}\n{checkpoint.size}\n{base64_text(checkpoint.root)}\n"


def decimal(text: str) -> int:
    """Return the number that `text` writes in decimal, without leading zeros.

    Raises:
        MalformedNoteError: Another form, or larger than a tree can be.
    """
    if _DECIMAL.fullmatch(text) is None or int(text) > TREE_SIZE_MAX:
        raise MalformedNoteError("the line is not a plain decimal number", given=text[:32])
    return int(text)


def hash_line(text: str) -> bytes:
    """Return the 32-byte hash that a line writes in base64.

    Raises:
        MalformedNoteError: Not base64, or not of 32 bytes.
    """
    if len(value := _base64(text, "hash")) != HASH_SIZE_BYTES:
        raise MalformedNoteError("the line is not a hash of 32 bytes", found=len(value))
    return value


def note_text(data: bytes) -> str:
    """Return `data` as text, as notes and log proofs are written.

    Raises:
        MalformedNoteError: Too long, not UTF-8, or with a control character other than newline.
    """
    if len(data) > NOTE_SIZE_BYTES_MAX:
        raise MalformedNoteError("too long", limit=NOTE_SIZE_BYTES_MAX)
    try:
        text = data.decode("utf-8", "strict")
    except UnicodeDecodeError as error:
        raise MalformedNoteError("not UTF-8", at=error.start) from None
    if (bad := _CONTROL.search(text)) is not None:
        raise MalformedNoteError("control character", at=bad.start())
    return text


def _split_note(note: bytes) -> tuple[str, list[str]]:
    """Return the text with its final newline, and the signature lines after the last empty line."""
    body, separator, rest = note_text(note).rpartition("\n\n")
    if not separator or not rest.endswith("\n"):
        raise MalformedNoteError("no signatures after an empty line")
    lines = rest[:-1].split("\n")
    if len(lines) > NOTE_SIGNATURES_MAX:
        raise MalformedNoteError("too many signatures", limit=NOTE_SIGNATURES_MAX)
    return body + "\n", lines


def _signature_line(line: str) -> tuple[str, bytes]:
    """Return the name, and the key id and signature, that a line carries."""
    name, space, encoded = line.removeprefix(_SIGNATURE_PREFIX).partition(" ")
    if not line.startswith(_SIGNATURE_PREFIX) or not space:
        raise MalformedNoteError("the line is not a signature", given=line[:64])
    signature = _base64(encoded, "signature line")
    if len(signature) <= _KEY_ID_SIZE_BYTES:
        raise MalformedNoteError("no signature after the key id", name=name[:64])
    return _checked_name(name), signature


def _checkpoint(text: str) -> Checkpoint:
    """Read the three lines; the extension lines after them are opaque, but never empty."""
    lines = text[:-1].split("\n")
    if len(lines) < _CHECKPOINT_LINES_MIN or not all(lines):
        raise MalformedNoteError("not three or more filled lines", found=len(lines))
    checkpoint = Checkpoint(origin=lines[0], size=decimal(lines[1]), root=hash_line(lines[2]))
    if checkpoint.size == 0 and checkpoint.root != EMPTY_ROOT:
        raise MalformedNoteError("an empty log has one root", origin=checkpoint.origin[:64])
    return checkpoint


def _checked_name(name: str) -> str:
    if not 0 < len(name) <= NOTE_NAME_LENGTH_MAX or "+" in name or any(map(str.isspace, name)):
        raise MalformedNoteError("the name of the key is malformed", given=name[:64])
    if _CONTROL.search(name):
        raise MalformedNoteError("the name of the key is malformed", given=name[:64])
    return name


def _base64(text: str, where: str) -> bytes:
    try:
        return base64_bytes(text, where=where)
    except MalformedBase64Error:
        raise MalformedNoteError("the text is not base64", at=where) from None


def origin_of(deployment: DeploymentId, agreement_id: AgreementId) -> str:
    """Return the name of an agreement's log (C2SP tlog-checkpoint: schema-less, unique)."""
    return f"{deployment}/{agreement_id}"
