"""A claim is filed once, and found by its digest and its short form."""

import pytest
from sqlalchemy import Engine
from sqlmodel import select

from tallystick.crypto.envelope import statement_id
from tallystick.domain.ids import claim_id
from tallystick.store.database.session import reading, transaction
from tallystick.store.database.tables import ClaimRow
from tallystick.store.ledger.ledger import entries
from tallystick.store.registers.claims import (
    ClaimIdTakenError,
    by_claim_id,
    by_digest,
    file,
    of_agreements,
    page,
)
from tests.support.worlds.ledgers import AT, LOG, NO_DIGEST, OTHER_LOG, claim, said


def test_a_filed_claim_is_found_by_digest_and_short_form(database: Engine) -> None:
    digest = statement_id(claim(1))
    with transaction(database) as session:
        filed = file(session, claim(1), AT)
    assert (filed.digest, filed.claim_id, filed.agreement_id) == (digest, claim_id(digest), LOG)
    assert filed.filing().condition == "insolvency"
    with reading(database) as session:
        assert by_digest(session, digest) == by_claim_id(session, filed.claim_id) == filed
        assert by_digest(session, NO_DIGEST) is None
        assert by_claim_id(session, claim_id(NO_DIGEST)) is None
        assert entries(session, LOG, claim=digest) == [filed.entry]


def test_the_same_claim_again_is_one_claim(database: Engine) -> None:
    with transaction(database) as session:
        first = file(session, claim(1), AT)
    with transaction(database) as session:
        assert file(session, claim(1), AT) == first
        assert len(entries(session, LOG)) == 1


def test_a_claim_that_looks_like_another_is_refused(database: Engine) -> None:
    short = claim_id(statement_id(claim(1)))
    with transaction(database) as session:
        other = file(session, claim(2), AT).digest
        row = session.exec(select(ClaimRow)).one()
        row.claim_id = short  # what 2^80 tries would find
    with transaction(database) as session:
        with pytest.raises(ClaimIdTakenError) as caught:
            file(session, claim(1), AT)
        assert len(entries(session, LOG)) == 1
    assert caught.value.facts["by"] == other


def test_only_a_claim_is_filed_as_one(database: Engine) -> None:
    with transaction(database) as session, pytest.raises(AssertionError, match="only a claim"):
        file(session, said("approval", 1), AT)


def test_claims_are_listed_by_agreement_in_the_order_of_filing(database: Engine) -> None:
    with transaction(database) as session:
        first, second = file(session, claim(1), AT), file(session, claim(2), AT)
        other = file(session, claim(3, log=OTHER_LOG), AT)
        assert of_agreements(session, [LOG]) == [first, second]
        assert of_agreements(session, [OTHER_LOG]) == [other]
        assert of_agreements(session, [LOG, OTHER_LOG]) == [other, first, second]
        assert of_agreements(session, []) == []


def test_a_page_reads_no_claim_beyond_its_limit(database: Engine) -> None:
    with transaction(database) as session:
        filed = [file(session, claim(number), AT).digest for number in (1, 2, 3)]
    with reading(database) as session:
        first = page(session, [LOG], after=None, limit=2)
        rest = page(session, [LOG], after=(LOG, first[-1].entry.index), limit=2)
    assert [[one.digest for one in read] for read in (first, rest)] == [filed[:2], filed[2:]]
