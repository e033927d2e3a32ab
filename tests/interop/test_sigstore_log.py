"""RFC 6962 inclusion proofs and C2SP checkpoints, judged by sigstore-js (npm `@sigstore/verify`).

It verifies Rekor's log that way. It has no consistency proofs, and no library that we
could install does, without being written for one log.
"""

import json

import pytest

from tallystick.crypto.json.base64 import base64_text
from tallystick.crypto.keys import SigningKey, public_key_bytes
from tallystick.crypto.log.merkle import leaf_hash, root_of
from tallystick.crypto.log.note import Checkpoint, VerifierKey, sign_checkpoint
from tests.support.judges.peer import Peer, PeerRefusedError
from tests.support.trees import inclusion_proof

ORIGIN = "escrow.example/agreements/pump-control"
KEY = SigningKey(bytes(range(32)))
OTHER_KEY = SigningKey(bytes(range(1, 33)))
ENTRIES = [f"entry {number}".encode() for number in range(33)]
LEAVES = [leaf_hash(entry) for entry in ENTRIES]


def vkey(key: SigningKey) -> str:
    """The form in which C2SP signed-note has verifier keys exchanged: name, id, type and key."""
    key_id = VerifierKey(name=ORIGIN, public_key=key.public_key).key_id().hex()
    return f"{ORIGIN}+{key_id}+{base64_text(bytes([1]) + public_key_bytes(key.public_key))}"


LOG, OTHER_LOG = vkey(KEY), vkey(OTHER_KEY)


def note(size: int) -> str:
    checkpoint = Checkpoint(origin=ORIGIN, size=size, root=root_of(LEAVES[:size]))
    return sign_checkpoint(checkpoint, KEY).decode()


def asked(peer: Peer, checkpoint: str, *, size: int, index: int, entry: bytes) -> str:
    proof = inclusion_proof(LEAVES[:size], index)
    return peer.ask("log inclusion", checkpoint, LOG, entry, str(index), *proof)


@pytest.mark.parametrize("size", [0, 1, 33])
def test_checkpoint_says_the_same_there(peer: Peer, size: int) -> None:
    root = base64_text(root_of(LEAVES[:size]))
    found: object = json.loads(peer.ask("log checkpoint", note(size), LOG))
    assert found == {"origin": ORIGIN, "size": str(size), "root": root}


def test_checkpoint_with_a_witness_line_says_the_same_there(peer: Peer) -> None:
    witnessed = note(33) + f"— witness.example {base64_text(bytes(76))}\n"
    assert peer.ask("log checkpoint", witnessed, LOG) == peer.ask("log checkpoint", note(33), LOG)


def test_checkpoint_by_another_key_is_refused_there(peer: Peer) -> None:
    with pytest.raises(PeerRefusedError, match="invalid checkpoint signature"):
        peer.ask("log checkpoint", note(33), OTHER_LOG)


def test_altered_checkpoint_is_refused_there(peer: Peer) -> None:
    with pytest.raises(PeerRefusedError, match="invalid checkpoint signature"):
        peer.ask("log checkpoint", note(33).replace("\n33\n", "\n34\n"), LOG)


@pytest.mark.parametrize("size", range(1, len(LEAVES) + 1))
def test_every_entry_is_included_there(peer: Peer, size: int) -> None:
    checkpoint = note(size)
    for index, entry in enumerate(ENTRIES[:size]):
        assert asked(peer, checkpoint, size=size, index=index, entry=entry) == "included"


@pytest.mark.parametrize("index", [0, 15, 32])
def test_another_entry_is_not_included_there(peer: Peer, index: int) -> None:
    with pytest.raises(PeerRefusedError, match="root hash does not match"):
        asked(peer, note(33), size=33, index=index, entry=b"another entry")


def test_proof_for_another_size_is_refused_there(peer: Peer) -> None:
    with pytest.raises(PeerRefusedError, match="invalid hash count"):
        asked(peer, note(33), size=16, index=3, entry=ENTRIES[3])
