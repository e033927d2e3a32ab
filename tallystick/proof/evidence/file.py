"""The evidence file: one canonical JSON document, every byte of it covered by a signature.

`{"case": …, "evidence": …}`. The case holds public facts, a checkpoint, and the raw
entries with their salts and inclusion proofs; `evidence`, last in canonical order, is
the log key's statement over the SHA-256 of the document without it.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from tallystick.crypto.envelope import (
    Envelope,
    envelope_bytes,
    envelope_from_json,
    envelope_json,
    note_size,
    sign,
)
from tallystick.crypto.json.base64 import base64_bytes, base64_text
from tallystick.crypto.json.canonical import canonical_bytes, parse_canonical
from tallystick.crypto.json.members import members_of, text_of
from tallystick.crypto.keys import SigningKey
from tallystick.crypto.log.leaf import SALT_SIZE_BYTES, leaf_bytes
from tallystick.crypto.log.merkle import leaf_hash
from tallystick.domain.agreement.deployment import Deployment, read_deployment, write_deployment
from tallystick.domain.codec import encode_object, instant, instant_text
from tallystick.domain.errors import MalformedError
from tallystick.domain.ids import Digest, as_digest, digest, sha256_digest
from tallystick.domain.json import JsonObject, JsonValue
from tallystick.domain.kinds import Kind
from tallystick.domain.statements.evidence import EvidenceSeal
from tallystick.limits.documents import JSON_DEPTH_MAX
from tallystick.limits.logs import (
    EVIDENCE_ENTRIES_MAX,
    EVIDENCE_ENTRY_BYTES_MAX,
    EVIDENCE_FRAME_BYTES_MAX,
    EVIDENCE_ROOT_KEYS_MAX,
    EVIDENCE_SIZE_BYTES_MAX,
    PROOF_HASHES_MAX,
)
from tallystick.proof.entries import RecordedStatement
from tallystick.proof.evidence.report import SCHEMA
from tallystick.proof.work import check_work

_CASE: Final = frozenset({"agreement_digest", "checkpoint", "claim", "deployment", "entries", "schema"})
_ENTRIES: Final = b'"entries":['
_ENVELOPE: Final = b'"envelope":'
_INDEX: Final = b',"index":'
_TOKEN: Final = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[\[\]{}]', re.DOTALL)
_DEEPER: Final[Mapping[int, int]] = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}
_ENTRY: Final = frozenset({"accepted_at", "envelope", "index", "proof", "salt"})
_SEEN: Final = frozenset({"seen"})


class MalformedEvidenceError(MalformedError):
    """Bytes that are not an evidence file."""

    code = "malformed-evidence"
    why = "An evidence file is one canonical JSON document of schema tallystick.evidence/v1."
    advice = "Export the file again, and pass it on unchanged: every byte of it counts."


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlierLog:
    """The log as it was at an earlier size, with the proof that it begins the checkpoint's.

    Attributes:
        root: Its 32-byte root.
        proof: The hashes that show it (RFC 6962 section 2.1.2).
    """

    root: bytes
    proof: tuple[bytes, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FiledEntry:
    """A ledger entry with the proof that it is in the log.

    Attributes:
        proof: The hashes from its leaf to the checkpoint's root.
        seen: The log at the size that the statement says its author had verified; None if it names none, or
            one that the log had not reached before this entry.
    """

    index: int
    accepted_at: datetime
    salt: bytes
    envelope: Envelope
    proof: tuple[bytes, ...]
    seen: EarlierLog | None = None

    def leaf(self) -> bytes:
        """Return the 32-byte leaf hash that these bytes make."""
        return _leaf(self.accepted_at, envelope_bytes(self.envelope), self.salt)

    def recorded(self) -> RecordedStatement:
        """Return the part of it that is folded."""
        return RecordedStatement(index=self.index, accepted_at=self.accepted_at, envelope=self.envelope)


def _leaf(accepted_at: datetime, envelope: bytes, salt: bytes) -> bytes:
    return leaf_hash(leaf_bytes(accepted_at=accepted_at, envelope=envelope, salt=salt))


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportedCase:
    """Everything before the `evidence` statement.

    Attributes:
        agreement_digest: The version that the claim pins.
        checkpoint: The signed note that every proof leads to.
        entries: In ledger order.
    """

    deployment: Deployment
    agreement_digest: Digest
    claim: Digest
    checkpoint: bytes
    entries: tuple[FiledEntry, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceFile:
    """An evidence file as read: only its form is checked.

    Attributes:
        leaves: The leaf hash of each entry, computed from these very bytes, which are not kept,
        content: and SHA-256 of everything before the seal.
        seal: The `evidence` statement.
    """

    exported: ExportedCase
    leaves: tuple[bytes, ...]
    content: Digest
    seal: Envelope


def content_of(case: ExportedCase) -> Digest:
    """Return the digest that the `evidence` statement signs."""
    return sha256_digest(canonical_bytes({"case": _case_json(case)}))


def evidence_bytes(case: ExportedCase, seal: EvidenceSeal, log_key: SigningKey) -> bytes:
    """Return the evidence file, sealed by the log key.

    Raises:
        MalformedEvidenceError: Larger than an evidence file may be.
        TooMuchToVerifyError: More work for its verifier.
    """
    assert seal.content == content_of(case), "the seal covers everything before it"
    check_work([entry.envelope for entry in case.entries])
    statement = sign(Kind.EVIDENCE, encode_object(seal), [log_key])
    data = canonical_bytes({"case": _case_json(case), "evidence": envelope_json(statement)})
    if len(data) > EVIDENCE_SIZE_BYTES_MAX or len(case.entries) > EVIDENCE_ENTRIES_MAX:
        raise MalformedEvidenceError(
            "the evidence file is too large", size_bytes=len(data), entries=len(case.entries)
        )
    return data


def read_evidence_file(data: bytes) -> EvidenceFile:
    """Return what an evidence file says; only its form is checked.

    Raises:
        MalformedError: Not canonical JSON, or not exactly the members of this schema.
    """
    if len(data) > EVIDENCE_SIZE_BYTES_MAX:
        raise MalformedEvidenceError(
            "the evidence file is too large", limit=EVIDENCE_SIZE_BYTES_MAX, found=len(data)
        )
    start = data.find(_ENTRIES) + len(_ENTRIES)
    read, end = _entries(data, start) if start >= len(_ENTRIES) else ((), start)
    frame = parse_canonical(_frame(data, start, end), size_bytes_max=EVIDENCE_FRAME_BYTES_MAX)
    members = members_of(frame, where="", required={"case", "evidence"})
    return EvidenceFile(
        exported=_case(members["case"], tuple(entry for entry, _ in read)),
        leaves=tuple(leaf for _, leaf in read),
        content=_content(data),
        seal=envelope_from_json(members["evidence"]),
    )


def _frame(data: bytes, start: int, end: int) -> bytes:
    """Return the document without its entries.

    If it and each entry are canonical, so is the whole. No string has `"entries":[` in it, because a quote
    within a string is escaped.
    """
    if len(data) - (end - start) > EVIDENCE_FRAME_BYTES_MAX:
        raise MalformedEvidenceError(
            "the evidence file has too much beside its entries", limit=EVIDENCE_FRAME_BYTES_MAX
        )
    return data[:start] + data[end:]


def _content(data: bytes) -> Digest:
    """Return the digest of everything before the seal, which comes last in canonical order."""
    before = hashlib.sha256(memoryview(data)[: data.rfind(b',"evidence":')])
    before.update(b"}")
    return as_digest(before.digest())


def _entries(data: bytes, start: int) -> tuple[Sequence[tuple[FiledEntry, bytes]], int]:
    """Return the entries that begin at `start`, each with its leaf hash, and where they end."""
    entries: list[tuple[FiledEntry, bytes]] = []
    for piece, end in _pieces(data, start):
        where = f"/case/entries/{len(entries)}"
        if len(entries) >= EVIDENCE_ENTRIES_MAX:
            raise MalformedEvidenceError("the evidence file has too many entries", limit=EVIDENCE_ENTRIES_MAX)
        entries.append(_read_entry(piece, where))
        start = end
    check_work([entry.envelope for entry, _ in entries])
    return entries, start


def _read_entry(piece: bytes, where: str) -> tuple[FiledEntry, bytes]:
    entry = _entry(parse_canonical(piece, size_bytes_max=EVIDENCE_ENTRY_BYTES_MAX), where)
    text = _envelope_text(piece)
    note_size(entry.envelope, len(text))
    return entry, _leaf(entry.accepted_at, text, entry.salt)


def _pieces(data: bytes, start: int) -> Iterator[tuple[bytes, int]]:
    """Yield each object of a list's inside, and where it ends; nothing is built before its size is known."""
    depth, begun = 0, start
    for token in _TOKEN.finditer(data, start):
        if token.end() - begun > EVIDENCE_ENTRY_BYTES_MAX or depth > JSON_DEPTH_MAX:
            raise MalformedEvidenceError(
                "the evidence file has an entry that is too large or nested too deep", at_byte=begun
            )
        depth += _DEEPER.get(data[token.start()], 0)
        if depth == 0:
            yield data[begun : token.end()], token.end()
            if data[token.end() : token.end() + 1] != b",":
                return
            begun = token.end() + 1
        elif depth < 0:
            return


def _case(value: JsonValue, entries: tuple[FiledEntry, ...]) -> ExportedCase:
    members = members_of(value, where="/case", required=_CASE)
    if members["schema"] != SCHEMA:
        raise MalformedEvidenceError("unknown schema", at="/case/schema", expected=SCHEMA)
    _list(members["entries"], "/case/entries", 0)
    deployment = read_deployment(members["deployment"], where="/case/deployment")
    if len(deployment.root_keys) > EVIDENCE_ROOT_KEYS_MAX:
        raise MalformedEvidenceError("the evidence file has too many root keys", limit=EVIDENCE_ROOT_KEYS_MAX)
    return ExportedCase(
        deployment=deployment,
        agreement_digest=digest(text_of(members, "agreement_digest", where="/case")),
        claim=digest(text_of(members, "claim", where="/case")),
        checkpoint=text_of(members, "checkpoint", where="/case").encode(),
        entries=entries,
    )


def _entry(value: JsonValue, where: str) -> FiledEntry:
    members = members_of(value, where=where, required=_ENTRY, optional=_SEEN)
    index, salt = members["index"], base64_bytes(text_of(members, "salt", where=where), where=f"{where}/salt")
    if isinstance(index, bool) or not isinstance(index, int) or index < 0:
        raise MalformedEvidenceError("not an index in a log", at=f"{where}/index")
    if len(salt) != SALT_SIZE_BYTES:
        raise MalformedEvidenceError("not 32 bytes", at=f"{where}/salt")
    return FiledEntry(
        index=index,
        accepted_at=instant(text_of(members, "accepted_at", where=where), where),
        salt=salt,
        envelope=envelope_from_json(members["envelope"]),
        proof=_hashes(members["proof"], f"{where}/proof"),
        seen=_seen(members["seen"], f"{where}/seen") if "seen" in members else None,
    )


def _envelope_text(piece: bytes) -> bytes:
    """Return the text of the envelope in a canonical entry; no string has these in it, as above."""
    start = piece.index(_ENVELOPE) + len(_ENVELOPE)
    return piece[start : piece.index(_INDEX, start)]


def _seen(value: JsonValue, where: str) -> EarlierLog:
    members = members_of(value, where=where, required={"proof", "root"})
    return EarlierLog(
        root=_hash(members["root"], f"{where}/root"), proof=_hashes(members["proof"], f"{where}/proof")
    )


def _hashes(value: JsonValue, where: str) -> tuple[bytes, ...]:
    return tuple(_hash(item, where) for item in _list(value, where, PROOF_HASHES_MAX))


def _hash(value: JsonValue, where: str) -> bytes:
    if not isinstance(value, str):
        raise MalformedEvidenceError("the value is not a hash", at=where)
    return base64_bytes(value, where=where)


def _list(value: JsonValue, where: str, most: int) -> Sequence[JsonValue]:
    if isinstance(value, str) or not isinstance(value, Sequence) or len(value) > most:
        raise MalformedEvidenceError("the value is not a list, or the list is too long", at=where, limit=most)
    return value


def _case_json(case: ExportedCase) -> JsonObject:
    return {
        "agreement_digest": case.agreement_digest,
        "checkpoint": case.checkpoint.decode(),
        "claim": case.claim,
        "deployment": write_deployment(case.deployment),
        "entries": [_entry_json(entry) for entry in case.entries],
        "schema": SCHEMA,
    }


def _entry_json(entry: FiledEntry) -> JsonObject:
    seen: JsonObject = {} if entry.seen is None else {"seen": _seen_json(entry.seen)}
    return {
        "accepted_at": instant_text(entry.accepted_at),
        "envelope": envelope_json(entry.envelope),
        "index": entry.index,
        "proof": [base64_text(sibling) for sibling in entry.proof],
        "salt": base64_text(entry.salt),
        **seen,
    }


def _seen_json(seen: EarlierLog) -> JsonObject:
    return {"proof": [base64_text(sibling) for sibling in seen.proof], "root": base64_text(seen.root)}
