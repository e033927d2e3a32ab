"""What bytes must be before the rules of the domain see them."""

from dataclasses import replace

import pytest

from tallystick.crypto.age_keys import MalformedAgeKeyError, X25519Identity
from tallystick.crypto.bech32 import MalformedBech32Error
from tallystick.crypto.reading import read_signed
from tallystick.crypto.statement import sign
from tallystick.domain.errors import MalformedError, MalformedNameError
from tallystick.domain.statements import ClaimFiling, write_body
from tests.support.agreements import AGREEMENT, BEA, PEOPLE
from tests.support.stories import play
from tests.support.world import CLAIM_RECIPIENT


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
