"""DSSE v1.0.2, both ways, with securesystemslib, on which TUF, in-toto and sigstore-python stand."""

import json
from dataclasses import replace

import pytest
from securesystemslib import dsse
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import CryptoSigner, SSlibKey  # type: ignore[attr-defined]  # they are public

from tallystick.crypto.envelope import (
    Envelope,
    MalformedEnvelopeError,
    SignatureInvalidError,
    body_of,
    envelope_bytes,
    pae,
    parse_envelope,
    sign,
    verified_signers,
)
from tallystick.crypto.json.canonical import canonical_bytes
from tallystick.crypto.keys import SigningKey, key_id, public_key_bytes, public_key_of
from tallystick.domain.ids import PublicKey

ANA, BEA, CLO = (SigningKey(bytes([number]) * 32) for number in (1, 2, 3))
GROUP = [key.public_key for key in (ANA, BEA, CLO)]
BODY = {"claim": "sha256:" + "0" * 64, "stage": "source", "words": "Größe ✓"}
PAYLOAD_TYPE = "application/vnd.tallystick.approval.v1+json"


def their_key(public_key: PublicKey) -> SSlibKey:
    return SSlibKey(key_id(public_key), "ed25519", "ed25519", {"public": public_key_bytes(public_key).hex()})


def their_reading(envelope: Envelope) -> dsse.Envelope:
    return dsse.Envelope.from_dict(json.loads(envelope_bytes(envelope)))


def their_verdict(envelope: Envelope, *, threshold: int) -> set[str]:
    return set(their_reading(envelope).verify([their_key(key) for key in GROUP], threshold))


def their_envelope(*signers: CryptoSigner) -> Envelope:
    """Return what they signed, as we read it from the wire."""
    signed = dsse.Envelope(canonical_bytes(BODY), PAYLOAD_TYPE, {})
    for signer in signers:
        signed.sign(signer)
    return parse_envelope(json.dumps(signed.to_dict()).encode())


def their_signers(count: int) -> tuple[list[CryptoSigner], list[PublicKey]]:
    signers = [CryptoSigner.generate_ed25519() for _ in range(count)]
    public = [public_key_of(bytes.fromhex(signer.public_key.keyval["public"])) for signer in signers]
    return signers, public


def test_signed_bytes_are_the_same() -> None:
    envelope = sign("approval", BODY, [ANA])
    assert their_reading(envelope).pae() == pae(envelope.payload_type, envelope.payload)


def test_two_of_three_that_we_signed_verify_there() -> None:
    envelope = sign("approval", BODY, [ANA, CLO])
    assert their_verdict(envelope, threshold=2) == {key_id(ANA.public_key), key_id(CLO.public_key)}
    with pytest.raises(VerificationError):
        their_verdict(envelope, threshold=3)


def test_two_of_three_that_they_signed_verify_here() -> None:
    signers, public = their_signers(3)
    envelope = their_envelope(*signers[:2])
    assert verified_signers(envelope, public) == set(public[:2])
    assert body_of(envelope) == BODY


def test_one_key_twice_is_refused_on_either_side() -> None:
    once = sign("approval", BODY, [ANA])
    twice = replace(once, signatures=once.signatures * 2)
    with pytest.raises(MalformedEnvelopeError, match="same keyid"):
        parse_envelope(envelope_bytes(twice))
    with pytest.raises(ValueError, match="Multiple signatures"):
        their_reading(twice)


def test_one_key_under_the_hint_of_another_is_no_second_signer_on_either_side() -> None:
    once = sign("approval", BODY, [ANA])
    claimed = replace(once.signatures[0], keyid=key_id(BEA.public_key))
    twice = replace(once, signatures=(*once.signatures, claimed))
    with pytest.raises(SignatureInvalidError):
        verified_signers(parse_envelope(envelope_bytes(twice)), GROUP)
    with pytest.raises(VerificationError, match="Found: 1"):
        their_verdict(twice, threshold=2)


def test_another_payload_type_verifies_on_neither_side() -> None:
    moved = replace(sign("approval", BODY, [ANA]), payload_type=PAYLOAD_TYPE.replace("approval", "denial"))
    with pytest.raises(SignatureInvalidError):
        verified_signers(moved, GROUP)
    with pytest.raises(VerificationError):
        their_verdict(moved, threshold=1)
