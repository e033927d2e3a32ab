"""A claim stands on documents that are there, and sealed to as many as may read them."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from tallystick.domain.agreement.agreement import readers
from tallystick.domain.ids import Digest, PartyId
from tallystick.domain.record.documents import StoredDocument, check_documents
from tallystick.domain.refusals import DocumentsMissingError, DocumentsSealedOtherwiseError
from tallystick.domain.statements.filing import ClaimFiling
from tests.support.worlds.agreements import AGREEMENT, ANA, KIM
from tests.support.worlds.world import World

PQ = "mlkem768x25519"
HALDEN = PartyId("halden")
WHOLE = StoredDocument(senders=frozenset({HALDEN}), recipients=6 * (PQ,))


@pytest.fixture(scope="module")
def filing() -> ClaimFiling:
    world = World()
    world.files()
    return world.claim.filing


def stored(filing: ClaimFiling, *documents: StoredDocument) -> Mapping[Digest, StoredDocument]:
    named = [document.sealed_digest for document in filing.evidence]
    return dict(zip(named, documents, strict=False))


def test_documents_that_are_there_and_sealed_to_all_readers_are_taken(filing: ClaimFiling) -> None:
    check_documents(AGREEMENT, filing, stored(filing, WHOLE, WHOLE))


def test_a_claim_without_documents_needs_none(filing: ClaimFiling) -> None:
    check_documents(AGREEMENT, replace(filing, evidence=()), {})


def test_every_document_that_is_missing_is_named(filing: ClaimFiling) -> None:
    with pytest.raises(DocumentsMissingError) as refusal:
        check_documents(AGREEMENT, filing, {})
    assert refusal.value.facts["missing"] == [
        {"item": one.item, "sealed_digest": one.sealed_digest} for one in filing.evidence
    ]


@pytest.mark.parametrize("senders", [frozenset[PartyId](), frozenset({PartyId("nordwind")})])
def test_what_the_claimants_party_did_not_send_is_missing(
    senders: frozenset[PartyId], filing: ClaimFiling
) -> None:
    with pytest.raises(DocumentsMissingError) as refusal:
        check_documents(AGREEMENT, filing, stored(filing, replace(WHOLE, senders=senders), WHOLE))
    first = filing.evidence[0]
    assert refusal.value.facts["missing"] == [{"item": first.item, "sealed_digest": first.sealed_digest}]


def test_what_another_party_sent_as_well_is_there(filing: ClaimFiling) -> None:
    both = replace(WHOLE, senders=frozenset({HALDEN, PartyId("nordwind")}))
    check_documents(AGREEMENT, filing, stored(filing, both, WHOLE))


@pytest.mark.parametrize(
    ("sealed", "found"),
    [
        (replace(WHOLE, recipients=(PQ,)), f"sealed to 1 recipient of type {PQ}"),
        (replace(WHOLE, recipients=5 * (PQ,)), f"sealed to 5 recipients of type {PQ}"),
        (replace(WHOLE, recipients=7 * (PQ,)), f"sealed to 7 recipients of type {PQ}"),
        (
            replace(WHOLE, recipients=(*5 * (PQ,), "scrypt")),
            f"sealed to 5 recipients of type {PQ} and 1 recipient of type scrypt",
        ),
        (replace(WHOLE, recipients=6 * ("X25519",)), "sealed to 6 recipients of type X25519"),
        (replace(WHOLE, recipients=(), fault="no age file"), "no age file"),
    ],
)
def test_documents_are_sealed_to_every_reader_and_nobody_else(
    sealed: StoredDocument, found: str, filing: ClaimFiling
) -> None:
    with pytest.raises(DocumentsSealedOtherwiseError) as refusal:
        check_documents(AGREEMENT, filing, stored(filing, WHOLE, sealed))
    second = filing.evidence[1]
    assert refusal.value.facts == {
        "documents": [{"item": second.item, "sealed_digest": second.sealed_digest, "found": found}],
        "readers": list(AGREEMENT.evidence_readers),
    }


def test_a_reader_who_is_named_twice_counts_once() -> None:
    twice = replace(AGREEMENT, evidence_readers=(ANA, KIM, ANA))
    assert [reader.id for reader in readers(twice)] == [ANA, KIM]


def test_readers_without_post_quantum_recipients_need_stanzas_of_their_type(filing: ClaimFiling) -> None:
    persons = tuple(replace(one, age_recipient="age1classic") for one in AGREEMENT.persons)
    classic = replace(AGREEMENT, persons=persons)
    whole = replace(WHOLE, recipients=6 * ("X25519",))
    check_documents(classic, filing, stored(filing, whole, whole))
    with pytest.raises(DocumentsSealedOtherwiseError):
        check_documents(classic, filing, stored(filing, WHOLE, whole))
