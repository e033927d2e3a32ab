"""C2SP age.md, in both directions, with the npm package `age-encryption` by age's author."""

import hashlib
import io

import pytest

from tallystick.crypto import age
from tests.support.judges.peer import Peer, PeerRefusedError

# An empty payload, and both sides of the 64 KiB chunk.
SIZES = [0, 1, 65_535, 65_536, 65_537, 1_000_000]
SEED = bytes(range(32))
IDENTITIES: dict[str, age.Identity] = {
    "x25519": age.X25519Identity(seed=SEED),
    "hybrid": age.identity_from_seed(SEED),
}


@pytest.fixture(params=IDENTITIES)
def identity(request: pytest.FixtureRequest) -> age.Identity:
    return IDENTITIES[str(request.param)]


def content(size_bytes: int) -> bytes:
    return hashlib.shake_256(b"content").digest(size_bytes)


def opened(sealed: bytes, identity: age.Identity) -> bytes:
    out = io.BytesIO()
    age.open_sealed(io.BytesIO(sealed), out, [identity])
    return out.getvalue()


def test_recipient_of_an_identity_is_the_same(peer: Peer, identity: age.Identity) -> None:
    assert peer.ask("age recipient", identity.secret_text()) == str(identity.recipient())


@pytest.mark.parametrize("size_bytes", SIZES)
def test_what_we_seal_opens_there(peer: Peer, identity: age.Identity, size_bytes: int) -> None:
    sealed = age.seal_bytes(content(size_bytes), [identity.recipient()])
    assert peer.ask_for_bytes("age open", identity.secret_text(), sealed) == content(size_bytes)


@pytest.mark.parametrize("size_bytes", SIZES)
def test_what_is_sealed_there_opens_here(peer: Peer, identity: age.Identity, size_bytes: int) -> None:
    sealed = peer.ask_for_bytes("age seal", str(identity.recipient()), content(size_bytes))
    assert opened(sealed, identity) == content(size_bytes)


def test_neither_opens_what_was_altered(peer: Peer, identity: age.Identity) -> None:
    sealed = bytearray(age.seal_bytes(content(100), [identity.recipient()]))
    sealed[-1] ^= 1
    with pytest.raises(PeerRefusedError):
        peer.ask("age open", identity.secret_text(), bytes(sealed))
    with pytest.raises(age.PayloadAlteredError):
        opened(bytes(sealed), identity)
