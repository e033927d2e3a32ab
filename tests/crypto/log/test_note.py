"""Signed notes, checkpoints and log proofs, to the letter of C2SP."""

import base64
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.crypto.keys import SigningKey, public_key_of
from tallystick.crypto.log.merkle import (
    EMPTY_ROOT,
    InclusionInvalidError,
    LogRangeError,
    leaf_hash,
    root_of,
)
from tallystick.crypto.log.note import (
    Checkpoint,
    MalformedNoteError,
    NoteSignatureError,
    OriginMismatchError,
    VerifierKey,
    open_checkpoint,
    open_note,
    sign_checkpoint,
)
from tallystick.crypto.log.proof import LogProof, log_proof_bytes, parse_log_proof, verify_log_proof
from tallystick.domain.errors import MalformedError, TallystickError
from tests.support.trees import inclusion_proof

# The example of C2SP signed-note.
SPEC_VKEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
SPEC_NOTE = (
    "This is an example message.\n\n"
    "— example.com/foo "
    "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
)
ORIGIN = "log.harbour.example/agreement-1"
KEY, OTHER = SigningKey(b"\x11" * 32), SigningKey(b"\x12" * 32)
LEAVES = [leaf_hash(bytes([number])) for number in range(11)]
CHECKPOINT = Checkpoint(origin=ORIGIN, size=11, root=root_of(LEAVES))
NOTE = sign_checkpoint(CHECKPOINT, KEY)


def _open(note: bytes) -> Checkpoint:
    return open_checkpoint(note, origin=ORIGIN, public_key=KEY.public_key)


def _signed(text: str, *, name: str = ORIGIN, key: SigningKey = KEY) -> bytes:
    """Sign any text, as a hostile or broken log might."""
    signer = VerifierKey(name=name, public_key=key.public_key)
    line = base64.b64encode(signer.key_id() + key.sign(text.encode())).decode()
    return f"{text}\n— {name} {line}\n".encode()


def _line(note: bytes) -> bytes:
    return note.split(b"\n\n")[1]


def test_example_of_the_specification_verifies() -> None:
    name, key_id, material = SPEC_VKEY.split("+", 2)
    key = VerifierKey(name=name, public_key=public_key_of(base64.b64decode(material)[1:]))
    assert key.key_id().hex() == key_id
    assert open_note(SPEC_NOTE.encode(), key) == "This is an example message.\n"


def test_checkpoint_reads_back() -> None:
    assert _open(NOTE) == CHECKPOINT


def test_checkpoint_is_three_lines_and_a_signature() -> None:
    lines = NOTE.decode().split("\n")
    assert lines[:4] == [ORIGIN, "11", base64.b64encode(CHECKPOINT.root).decode(), ""]
    assert lines[4].startswith(f"— {ORIGIN} ")
    assert lines[5:] == [""]


def test_name_may_differ_from_the_origin() -> None:
    note = sign_checkpoint(CHECKPOINT, KEY, name="harbour-log")
    assert open_checkpoint(note, origin=ORIGIN, public_key=KEY.public_key, name="harbour-log") == CHECKPOINT
    with pytest.raises(NoteSignatureError):
        _open(note)


def test_checkpoint_of_another_log_is_refused() -> None:
    note = _signed(f"other.example/log\n11\n{base64.b64encode(CHECKPOINT.root).decode()}\n")
    with pytest.raises(OriginMismatchError):
        _open(note)


def test_checkpoint_by_another_key_is_refused() -> None:
    with pytest.raises(NoteSignatureError, match="expected key"):
        _open(sign_checkpoint(CHECKPOINT, OTHER))


def test_line_with_our_key_id_and_a_false_signature_is_refused() -> None:
    own = VerifierKey(name=ORIGIN, public_key=KEY.public_key).key_id()
    forged = f"— {ORIGIN} {base64.b64encode(own + bytes(64)).decode()}\n".encode()
    for lines in (forged, _line(NOTE) + forged, forged + _line(NOTE)):
        with pytest.raises(NoteSignatureError, match="does not verify"):
            _open(NOTE.split(b"\n\n")[0] + b"\n\n" + lines)


def test_lines_by_unknown_keys_are_ignored_in_any_place() -> None:
    cosigned = f"— witness.example {base64.b64encode(b'abcd' + bytes(72)).decode()}\n".encode()
    same_name = f"— {ORIGIN} {base64.b64encode(b'abcd' + bytes(64)).decode()}\n".encode()
    text, ours = NOTE.split(b"\n\n")
    for lines in (cosigned + ours, ours + cosigned, same_name + ours + cosigned):
        assert _open(text + b"\n\n" + lines) == CHECKPOINT


def test_sixteen_signatures_are_read_and_a_flood_is_refused() -> None:
    extra = b"".join(f"— w{number} {base64.b64encode(bytes(76)).decode()}\n".encode() for number in range(64))
    lines = extra.splitlines(keepends=True)
    assert _open(NOTE + b"".join(lines[:15])) == CHECKPOINT
    with pytest.raises(MalformedNoteError, match="too many"):
        _open(NOTE + extra)


def test_any_changed_bit_of_text_or_signature_is_refused() -> None:
    for place in range(len(NOTE)):
        for bit in range(8):
            changed = bytearray(NOTE)
            changed[place] ^= 1 << bit
            with pytest.raises((MalformedNoteError, NoteSignatureError, OriginMismatchError)):
                _open(bytes(changed))


def test_any_cut_note_is_refused() -> None:
    for length in range(len(NOTE)):
        with pytest.raises((MalformedNoteError, NoteSignatureError)):
            _open(NOTE[:length])


ROOT = base64.b64encode(CHECKPOINT.root).decode()
BAD_TEXTS = {
    "no origin": f"\n11\n{ROOT}\n",
    "two lines": f"{ORIGIN}\n11\n",
    "leading zero": f"{ORIGIN}\n011\n{ROOT}\n",
    "plus sign": f"{ORIGIN}\n+11\n{ROOT}\n",
    "minus sign": f"{ORIGIN}\n-11\n{ROOT}\n",
    "digits of another script": f"{ORIGIN}\n\u0661\n{ROOT}\n",
    "grouped digits": f"{ORIGIN}\n1_1\n{ROOT}\n",
    "size with space": f"{ORIGIN}\n11 \n{ROOT}\n",
    "size beyond 63 bits": f"{ORIGIN}\n{2**63}\n{ROOT}\n",
    "size of many digits": f"{ORIGIN}\n{'9' * 5000}\n{ROOT}\n",
    "short root": f"{ORIGIN}\n11\n{base64.b64encode(bytes(31)).decode()}\n",
    "root unpadded": f"{ORIGIN}\n11\n{ROOT.rstrip('=')}\n",
    "root URL-safe": f"{ORIGIN}\n11\n{'_' * 42 + '8='}\n",
    "root with trailing bits": f"{ORIGIN}\n11\n{'A' * 42}B=\n",
    "empty extension line": f"{ORIGIN}\n11\n{ROOT}\n\nmore\n",
    "empty log with another root": f"{ORIGIN}\n0\n{ROOT}\n",
}


@pytest.mark.parametrize("text", BAD_TEXTS.values(), ids=BAD_TEXTS.keys())
def test_signed_text_that_is_no_checkpoint_is_refused(text: str) -> None:
    note = _signed(text)
    assert open_note(note, VerifierKey(name=ORIGIN, public_key=KEY.public_key)) == text
    with pytest.raises(MalformedNoteError):
        _open(note)


def test_extension_lines_are_opaque() -> None:
    assert _open(_signed(f"{ORIGIN}\n11\n{ROOT}\nextension\n")) == CHECKPOINT


def test_empty_log_and_largest_log_have_checkpoints() -> None:
    empty = Checkpoint(origin=ORIGIN, size=0, root=EMPTY_ROOT)
    largest = Checkpoint(origin=ORIGIN, size=2**63 - 1, root=bytes(32))
    assert _open(sign_checkpoint(empty, KEY)) == empty
    assert _open(sign_checkpoint(largest, KEY)) == largest


BAD_NOTES = {
    "no signature": NOTE.split(b"\n\n")[0] + b"\n\n",
    "no empty line": NOTE.replace(b"\n\n", b"\n"),
    "signatures alone": NOTE.split(b"\n\n")[1],
    "no final newline": NOTE[:-1],
    "hyphen for em dash": NOTE.replace("—".encode(), b"-"),
    "tab after dash": NOTE.replace("— ".encode(), "—\t".encode()),
    "two spaces": NOTE.replace(ORIGIN.encode() + b" ", ORIGIN.encode() + b"  "),
    "carriage returns": NOTE.replace(b"\n", b"\r\n"),
    "NUL in the text": b"\x00" + NOTE,
    "not UTF-8": b"\xff" + NOTE,
    "unpadded": NOTE.rstrip(b"=\n") + b"\n",
    "text after the signatures": NOTE + b"more\n",
    "junk line among signatures": NOTE + b"\xe2\x80\x94 witness\n",
    "key id without signature": NOTE + "— w AAAAAA==\n".encode(),
    "empty name": NOTE + "—  AAAAAAA=\n".encode(),
    "plus in a name": NOTE + "— a+b AAAAAAA=\n".encode(),
    "no-break space in a name": NOTE + "— a\u00a0b AAAAAAA=\n".encode(),
    "too long": b"a" * 70_000 + NOTE,
}


@pytest.mark.parametrize("note", BAD_NOTES.values(), ids=BAD_NOTES.keys())
def test_what_is_no_signed_note_is_refused(note: bytes) -> None:
    with pytest.raises(MalformedNoteError):
        _open(note)


@given(st.binary(max_size=200) | st.text(alphabet="—ab \n+=A", max_size=40).map(str.encode))
def test_arbitrary_notes_are_refused_with_our_own_errors(note: bytes) -> None:
    with pytest.raises(TallystickError):
        _open(note)


@pytest.mark.parametrize("name", ["a b", "a+b", "\u2003", "a\x01", "x" * 256])
def test_name_that_would_not_read_back_is_not_signed(name: str) -> None:
    with pytest.raises(MalformedNoteError):
        sign_checkpoint(CHECKPOINT, KEY, name=name)


# Log proofs.

PROOF = LogProof(index=6, path=inclusion_proof(LEAVES, 6), checkpoint=NOTE, extra=b"salt")
FILE = log_proof_bytes(PROOF)


def _verify(proof: LogProof, leaf: bytes = LEAVES[6]) -> Checkpoint:
    return verify_log_proof(proof, leaf=leaf, origin=ORIGIN, public_key=KEY.public_key)


def test_log_proof_is_written_line_by_line() -> None:
    head, checkpoint = FILE.split(b"\n\n", 1)
    lines = head.decode().split("\n")
    assert lines[:3] == ["c2sp.org/tlog-proof@v1", "extra c2FsdA==", "index 6"]
    assert lines[3:] == [base64.b64encode(found).decode() for found in PROOF.path]
    assert checkpoint == NOTE


@pytest.mark.parametrize("extra", [None, b"", b"salt"])
@pytest.mark.parametrize("size", [1, 2, 11])
def test_log_proof_reads_back_and_verifies_for_every_entry(size: int, extra: bytes | None) -> None:
    checkpoint = Checkpoint(origin=ORIGIN, size=size, root=root_of(LEAVES[:size]))
    note = sign_checkpoint(checkpoint, KEY)
    for index in range(size):
        path = inclusion_proof(LEAVES[:size], index)
        proof = LogProof(index=index, path=path, checkpoint=note, extra=extra)
        assert parse_log_proof(log_proof_bytes(proof)) == proof
        assert _verify(proof, LEAVES[index]) == checkpoint


def test_log_proof_of_another_entry_place_or_log_is_refused() -> None:
    with pytest.raises(InclusionInvalidError):
        _verify(PROOF, LEAVES[5])
    with pytest.raises(InclusionInvalidError):
        _verify(replace(PROOF, index=5))
    with pytest.raises(InclusionInvalidError):
        _verify(replace(PROOF, path=PROOF.path[:-1]))
    with pytest.raises(LogRangeError):
        _verify(replace(PROOF, index=11))
    with pytest.raises(NoteSignatureError):
        _verify(replace(PROOF, checkpoint=sign_checkpoint(CHECKPOINT, OTHER)))
    with pytest.raises(NoteSignatureError):
        verify_log_proof(PROOF, leaf=LEAVES[6], origin="other.example", public_key=KEY.public_key)


BAD_PROOFS = {
    "empty": b"",
    "other version": FILE.replace(b"@v1", b"@v2"),
    "no header": FILE.removeprefix(b"c2sp.org/tlog-proof@v1\n"),
    "no index": FILE.replace(b"index 6\n", b""),
    "two indices": FILE.replace(b"index 6\n", b"index 6\nindex 6\n"),
    "index before extra": FILE.replace(b"extra c2FsdA==\nindex 6\n", b"index 6\nextra c2FsdA==\n"),
    "leading zero": FILE.replace(b"index 6", b"index 06"),
    "negative index": FILE.replace(b"index 6", b"index -6"),
    "extra not base64": FILE.replace(b"extra c2FsdA==", b"extra c2FsdA"),
    "two extras": FILE.replace(b"index 6", b"extra c2FsdA==\nindex 6"),
    "nothing after the path": FILE.split(b"\n\n")[0],
    "no checkpoint": FILE.split(b"\n\n")[0] + b"\n",
    "carriage returns": FILE.replace(b"\n", b"\r\n"),
    "short hash": FILE.replace(b"index 6\n", b"index 6\nAAAA\n"),
    "path too long": FILE.replace(b"index 6\n", b"index 6\n" + (ROOT.encode() + b"\n") * 65),
    "header alone": b"c2sp.org/tlog-proof@v1\n\n" + NOTE,
}


@pytest.mark.parametrize("data", BAD_PROOFS.values(), ids=BAD_PROOFS.keys())
def test_what_is_no_log_proof_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedNoteError):
        parse_log_proof(data)


def test_any_changed_bit_of_a_log_proof_is_refused_or_only_in_its_extra() -> None:
    for place in range(len(FILE)):
        for bit in range(8):
            changed = bytearray(FILE)
            changed[place] ^= 1 << bit
            try:
                proof = parse_log_proof(bytes(changed))
                _verify(proof)
            except (MalformedError, NoteSignatureError, OriginMismatchError, InclusionInvalidError):
                continue
            assert replace(proof, extra=PROOF.extra) == PROOF
