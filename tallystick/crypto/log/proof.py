"""C2SP tlog-proof@v1 files: that one entry is in a log, to be verified offline.

The file carries its checkpoint verbatim. Its `extra` is not authenticated: here it is
the salt that the leaf was made with, and a wrong salt makes a wrong leaf.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from tallystick.crypto.json.base64 import MalformedBase64Error, base64_bytes, base64_text
from tallystick.crypto.log.merkle import verify_inclusion
from tallystick.crypto.log.note import (
    Checkpoint,
    MalformedNoteError,
    decimal,
    hash_line,
    note_text,
    open_checkpoint,
)
from tallystick.domain.ids import PublicKey
from tallystick.limits.logs import PROOF_HASHES_MAX

_HEADER: Final = "c2sp.org/tlog-proof@v1"
_EXTRA: Final = "extra "
_INDEX: Final = "index "


@dataclass(frozen=True, slots=True, kw_only=True)
class LogProof:
    """The proof that a log has an entry: the path of 32-byte hashes from leaf to root, and the signed root.

    `checkpoint` is the signed note, verbatim, with any cosignatures.
    """

    index: int
    path: tuple[bytes, ...]
    checkpoint: bytes
    extra: bytes | None = None


def log_proof_bytes(proof: LogProof) -> bytes:
    """Return the `.tlog-proof` file."""
    extra = [] if proof.extra is None else [_EXTRA + base64_text(proof.extra)]
    lines = [_HEADER, *extra, f"{_INDEX}{proof.index}", *map(base64_text, proof.path), "", ""]
    return "\n".join(lines).encode() + proof.checkpoint


def parse_log_proof(data: bytes) -> LogProof:
    """Return what a `.tlog-proof` file says: form only, nothing is verified.

    Raises:
        MalformedNoteError: Not written as C2SP tlog-proof prescribes.
    """
    head, separator, checkpoint = note_text(data).partition("\n\n")
    header, *lines = head.split("\n")
    if header != _HEADER or not separator:
        raise MalformedNoteError("the text is not a log proof", expected=_HEADER)
    extra = _extra(lines.pop(0)) if lines and lines[0].startswith(_EXTRA) else None
    if not lines or not lines[0].startswith(_INDEX):
        raise MalformedNoteError("no index line")
    index = decimal(lines.pop(0).removeprefix(_INDEX))
    return LogProof(index=index, path=_path(lines), checkpoint=checkpoint.encode(), extra=extra)


def verify_log_proof(
    proof: LogProof, *, leaf: bytes, origin: str, public_key: PublicKey, name: str | None = None
) -> Checkpoint:
    """Return the log's signed checkpoint, having verified that `leaf` (a leaf hash) is under it.

    Witnesses' cosignatures are not judged here.

    Raises:
        MalformedNoteError: The checkpoint is malformed.
        NoteSignatureError, OriginMismatchError: It is not this log's.
        LogRangeError, InclusionInvalidError: The entry is not proven to be in it.
    """
    head = open_checkpoint(proof.checkpoint, origin=origin, public_key=public_key, name=name)
    verify_inclusion(leaf=leaf, index=proof.index, size=head.size, proof=proof.path, root=head.root)
    return head


def _path(lines: Sequence[str]) -> tuple[bytes, ...]:
    if len(lines) > PROOF_HASHES_MAX:
        raise MalformedNoteError("the path is too long", limit=PROOF_HASHES_MAX)
    return tuple(map(hash_line, lines))


def _extra(line: str) -> bytes:
    try:
        return base64_bytes(line.removeprefix(_EXTRA), where="extra")
    except MalformedBase64Error:
        raise MalformedNoteError("the line is not base64", at="extra") from None
