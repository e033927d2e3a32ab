"""The form that bytes must have before the rules of the domain see them."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from tallystick.crypto.age import bech32
from tallystick.crypto.envelope import Envelope, SignatureInvalidError, envelope_bytes, sign
from tallystick.crypto.keys import InvalidPointError
from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.codec import MalformedDocumentError, encode_object
from tallystick.domain.errors import MalformedError, MalformedNameError
from tallystick.domain.ids import PersonId, PublicKey
from tallystick.domain.refusals import NotYoursError
from tallystick.domain.statements.filing import ClaimFiling
from tallystick.domain.statements.signed import write_body
from tallystick.proof.reading import read_agreement, read_signed
from tests.support.stories.stories import play
from tests.support.worlds.agreements import AGREEMENT, BEA, BEN, PEOPLE

LOW_ORDER = bech32.encode("age", bytes(32))
"""An age recipient whose point is of low order: sealing to it fails."""


def filing() -> ClaimFiling:
    body = play("bea files").entries[0].signed.body
    assert isinstance(body, ClaimFiling)
    return body


def read_again(body: ClaimFiling) -> None:
    envelope = sign(body.KIND, write_body(body), [PEOPLE[BEA].signing_key])
    assert read_signed(envelope, AGREEMENT).body == body


def test_a_statement_is_as_large_as_what_is_stored_of_it_with_every_signature() -> None:
    body, keys = filing(), [PEOPLE[person].signing_key for person in (BEA, BEN)]
    one, two = (sign(body.KIND, write_body(body), keys[:count]) for count in (1, 2))
    assert read_signed(one, AGREEMENT).size_bytes == len(envelope_bytes(one))
    assert read_signed(two, AGREEMENT).size_bytes == len(envelope_bytes(two)) > len(envelope_bytes(one))


@pytest.mark.parametrize("nonce", ["", "1", 31 * "0", 33 * "0", 32 * "A", 31 * "0" + "g", 32 * "0" + " "])
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


def test_only_an_agreement_is_read_as_one() -> None:
    assert read_agreement(signed_by_everyone(AGREEMENT)).agreement == AGREEMENT
    with pytest.raises(MalformedDocumentError, match="not an agreement"):
        read_agreement(sign(filing().KIND, write_body(filing()), [PEOPLE[BEA].signing_key]))


def test_agreement_of_another_schema_is_not_read() -> None:
    newer = replace(AGREEMENT, schema="tallystick.agreement/v2")
    with pytest.raises(MalformedDocumentError, match="unknown schema") as refused:
        read_agreement(signed_by_everyone(newer))
    assert refused.value.facts["at"] == "/schema"


def test_agreement_is_read_only_with_a_signature_from_every_party() -> None:
    (party,) = (person.party for person in AGREEMENT.persons if person.id == BEA)
    without = [person for person in AGREEMENT.persons if person.party != party]
    with pytest.raises(NotYoursError, match="not signed by every party") as refused:
        read_agreement(signed_by_everyone(AGREEMENT, [person.id for person in without]))
    assert refused.value.facts["missing"] == [party]


@pytest.mark.parametrize("member", ["log_key", "decision_key"])
def test_agreement_with_a_key_of_small_order_is_not_read(member: str) -> None:
    weak = replace(AGREEMENT, engine=replace(AGREEMENT.engine, **{member: PublicKey("ed25519:" + 64 * "0")}))
    with pytest.raises(InvalidPointError):
        read_agreement(signed_by_everyone(weak))


RECIPIENT = PEOPLE[BEA].person.age_recipient


@pytest.mark.parametrize(
    "recipient",
    ["age1pq1nothing", LOW_ORDER, RECIPIENT[:-1], f"{RECIPIENT} ", f"\v{RECIPIENT}"],
)
def test_agreement_with_a_recipient_that_nothing_can_be_sealed_to_is_not_read(recipient: str) -> None:
    """Evidence is sealed to all its readers at once: one of them could keep every claim from being filed."""
    reader, *others = AGREEMENT.persons
    broken = replace(AGREEMENT, persons=(replace(reader, age_recipient=recipient), *others))
    with pytest.raises(MalformedError) as refused:
        read_agreement(signed_by_everyone(broken))
    assert refused.value.facts["at"] == "/persons/0/age_recipient"


def test_statement_of_an_unknown_kind_is_not_read() -> None:
    envelope = sign("wish", write_body(filing()), [PEOPLE[BEA].signing_key])
    with pytest.raises(MalformedDocumentError, match="unknown kind"):
        read_signed(envelope, AGREEMENT)


def test_agreement_and_evidence_are_not_statements_under_an_agreement() -> None:
    for kind in ("agreement", "evidence"):
        envelope = sign(kind, write_body(filing()), [PEOPLE[BEA].signing_key])
        with pytest.raises(MalformedDocumentError, match="not made under an agreement"):
            read_signed(envelope, AGREEMENT)


def signed_by_everyone(agreement: Agreement, persons: Sequence[PersonId] = tuple(PEOPLE)) -> Envelope:
    listed = {person.id for person in agreement.persons}
    keys = [PEOPLE[person].signing_key for person in persons if person in listed]
    return sign("agreement", encode_object(agreement), keys)
