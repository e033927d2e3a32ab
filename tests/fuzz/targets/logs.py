"""Signed notes, checkpoints, proofs, evidence files. The twin is the format: one text for one meaning."""

import base64
import hashlib
import json
from collections.abc import Iterable
from typing import Final

import rfc8785
from nacl.signing import VerifyKey

from tallystick.crypto.json.base64 import base64_text
from tallystick.crypto.keys import public_key_bytes
from tallystick.crypto.log.merkle import leaf_hash, root_of
from tallystick.crypto.log.note import (
    Checkpoint,
    NoteSignatureError,
    VerifierKey,
    checkpoint_text,
    open_checkpoint,
    open_note,
    sign_checkpoint,
)
from tallystick.crypto.log.proof import LogProof, log_proof_bytes, parse_log_proof
from tallystick.domain.errors import MalformedError, TallystickError
from tallystick.proof.evidence.verify import verify
from tests.fuzz.target import Target
from tests.fuzz.worlds import evidence
from tests.support.worlds.agreements import LOG_KEY

_ORIGIN: Final = "test/nordwind-halden"
_SIGNER: Final = VerifierKey(name=_ORIGIN, public_key=LOG_KEY.public_key)
_LEAVES: Final = tuple(leaf_hash(bytes([number])) for number in range(5))
_CHECKPOINT: Final = Checkpoint(origin=_ORIGIN, size=len(_LEAVES), root=root_of(_LEAVES))
_NOTE: Final = sign_checkpoint(_CHECKPOINT, LOG_KEY)


def judge_note(data: bytes) -> bool:
    """Only the text that the key signed is ever returned."""
    try:
        text = open_note(data, _SIGNER)
    except (MalformedError, NoteSignatureError):
        return False
    assert text == checkpoint_text(_CHECKPOINT), "a signature was taken for another text"
    return True


def judge_checkpoint(data: bytes) -> bool:
    """A checkpoint that the log did sign is read as it is written: its first three lines say it all."""
    signature = base64_text(_SIGNER.key_id() + LOG_KEY.sign(data))
    note = data + f"\n\N{EM DASH} {_ORIGIN} {signature}\n".encode()
    try:
        checkpoint = open_checkpoint(note, origin=_ORIGIN, public_key=LOG_KEY.public_key)
    except TallystickError:
        return False
    assert data.startswith(checkpoint_text(checkpoint).encode())
    return True


def judge_log_proof(data: bytes) -> bool:
    """A proof that is read is written again as the same bytes."""
    try:
        proof = parse_log_proof(data)
    except MalformedError:
        return False
    assert log_proof_bytes(proof) == data
    return True


def judge_evidence(data: bytes) -> bool:
    """A file that holds was sealed by the log key, every byte of it, as rfc8785 and PyNaCl find too."""
    report = verify(data)
    assert report.holds == (report.broken is None)
    if report.holds:
        _check_seal(data)
    return report.holds


def _check_seal(data: bytes) -> None:
    document = json.loads(data)
    assert rfc8785.dumps(document) == data
    sealed = document["evidence"]
    payload, kind = base64.b64decode(sealed["payload"]), sealed["payloadType"].encode()
    signed = b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)
    (signature,) = sealed["signatures"]
    VerifyKey(public_key_bytes(LOG_KEY.public_key)).verify(signed, base64.b64decode(signature["sig"]))
    content = hashlib.sha256(rfc8785.dumps({"case": document["case"]})).hexdigest()
    assert json.loads(payload)["content"] == f"sha256:{content}"


def _log_proofs() -> Iterable[bytes]:
    for extra in (None, bytes(32)):
        yield log_proof_bytes(LogProof(index=3, path=_LEAVES[:3], checkpoint=_NOTE, extra=extra))


TARGETS: Final = (
    Target(name="note", judge=judge_note, seeds=lambda: [_NOTE, _NOTE + _NOTE.splitlines(keepends=True)[-1]]),
    Target(name="checkpoint", judge=judge_checkpoint, seeds=lambda: [checkpoint_text(_CHECKPOINT).encode()]),
    Target(name="log-proof", judge=judge_log_proof, seeds=_log_proofs),
    Target(name="evidence", judge=judge_evidence, seeds=lambda: [evidence()], size_bytes_max=512 * 1024),
)
