"""What bytes must be before the rules of the domain see them."""

from dataclasses import replace

import pytest

from tallystick.crypto.age.bech32 import MalformedBech32Error
from tallystick.crypto.age.keys import MalformedAgeKeyError, X25519Identity
from tallystick.crypto.envelope import SignatureInvalidError, sign
from tallystick.domain.errors import MalformedError, MalformedNameError
from tallystick.domain.statements.filing import ClaimFiling
from tallystick.domain.statements.signed import write_body
from tallystick.proof.reading import read_signed
from tests.support.stories.stories import play
from tests.support.worlds.agreements import AGREEMENT, BEA, PEOPLE
from tests.support.worlds.groundwork import CLAIM_RECIPIENT


def filing() -> ClaimFiling:
    body = play("bea files").entries[0].signed.body
    assert isinstance(body, ClaimFiling)
    return body


def read_again(body: ClaimFiling) -> None:
    envelope = sign(body.KIND, write_body(body), [PEOPLE[BEA].signing_key])
    assert read_signed(envelope, AGREEMENT).body == body


def test_claim_to_a_post_quantum_recipient_is_read() -> None:
    read_again(filing())


@pytest.mark.parametrize(
    ("recipient", "error"),
    [
        (CLAIM_RECIPIENT[:-1] + ("q" if CLAIM_RECIPIENT[-1] != "q" else "p"), MalformedBech32Error),
        (str(X25519Identity(seed=32 * b"x").recipient()), MalformedAgeKeyError),
        ("bea@halden", MalformedBech32Error),
        ("", MalformedBech32Error),
    ],
)
def test_claim_to_a_recipient_that_nothing_can_be_sealed_to_is_not_read(
    recipient: str, error: type[MalformedError]
) -> None:
    with pytest.raises(error):
        read_again(replace(filing(), recipient=recipient))


@pytest.mark.parametrize("nonce", ["", "1", 31 * "0", 33 * "0", 32 * "A", 31 * "0" + "g", 32 * "0" + "\n"])
def test_statement_with_another_nonce_than_128_bits_in_hexadecimal_is_not_read(nonce: str) -> None:
    with pytest.raises(MalformedNameError):
        read_again(replace(filing(), nonce=nonce))


def test_what_was_verified_under_one_agreement_is_not_believed_under_another() -> None:
    envelope = sign(filing().KIND, write_body(filing()), [PEOPLE[BEA].signing_key])
    assert read_signed(envelope, AGREEMENT).body == filing()
    without = replace(AGREEMENT, persons=tuple(one for one in AGREEMENT.persons if one.id != BEA))
    with pytest.raises(SignatureInvalidError):
        read_signed(envelope, without)


def test_other_signature_over_the_same_statement_is_verified_for_itself() -> None:
    envelope = sign(filing().KIND, write_body(filing()), [PEOPLE[BEA].signing_key])
    read_signed(envelope, AGREEMENT)
    forged = replace(envelope, signatures=(replace(envelope.signatures[0], value=bytes(64)),))
    with pytest.raises(SignatureInvalidError):
        read_signed(forged, AGREEMENT)
