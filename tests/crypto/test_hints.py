"""What is recorded has one signature of each signer, under the hint of the signer's key."""

from dataclasses import replace

import pytest

from tallystick.crypto.envelope import Envelope, Signature, SignatureInvalidError, sign, statement_id
from tallystick.crypto.hints import SignatureUnnamedError, check_named, named
from tallystick.crypto.keys import SigningKey

ANA, BEN, EVA = (SigningKey(bytes([number]) * 32) for number in (1, 2, 3))
KEYS = [key.public_key for key in (ANA, BEN)]
BOTH = sign("hold-lift", {"nonce": "n"}, [ANA, BEN])


def hinted(*hints: str | None, of: Envelope = BOTH) -> Envelope:
    """The envelope with its signatures again and again, under these hints."""
    values = [one.value for one in of.signatures]
    again = (Signature(keyid=hint, value=values[n % len(values)]) for n, hint in enumerate(hints))
    return replace(of, signatures=tuple(again))


@pytest.mark.parametrize(
    "sent", [hinted(None, None), hinted("ana", "ben"), hinted("a", "b", "c", None, "sha256:d", "f")]
)
def test_each_signer_signs_once_under_the_own_hint(sent: Envelope) -> None:
    assert named(sent, KEYS) == BOTH
    assert statement_id(named(sent, KEYS)) == statement_id(sent)


def test_an_envelope_that_names_its_keys_is_not_looked_at() -> None:
    assert named(BOTH, []) is BOTH


def test_a_signature_by_nobody_expected_gets_no_hint() -> None:
    foreign = hinted(None, of=sign("hold-lift", {"nonce": "n"}, [EVA]))
    with pytest.raises(SignatureInvalidError):
        named(replace(BOTH, signatures=(*BOTH.signatures, *foreign.signatures)), KEYS)


def test_one_signature_that_names_no_key_is_enough_to_be_refused() -> None:
    check_named(BOTH)
    with pytest.raises(SignatureUnnamedError):
        check_named(replace(BOTH, signatures=(BOTH.signatures[0], hinted(None).signatures[0])))
