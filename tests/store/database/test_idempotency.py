"""The same request again gets the same answer; the same key for another request is refused."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Engine

from tallystick.domain.ids import sha256_digest
from tallystick.limits.storage import ANSWER_KEPT_MAX, ANSWERS_PER_SENDER_MAX
from tallystick.store.database.idempotency import (
    Answer,
    IdempotencyKeyReusedError,
    MalformedIdempotencyKeyError,
    Request,
    forget,
    recall,
    remember,
)
from tallystick.store.database.session import reading, transaction
from tests.support.worlds.ledgers import AT

REQUEST = Request(
    principal=sha256_digest(b"ana"), key="4f0c-1", route="POST /v1/claims", body_digest=sha256_digest(b"{}")
)
ANSWER = Answer(status=201, response=b'{"claim":"clm-1"}')


def test_the_first_answer_stays(database: Engine) -> None:
    with transaction(database) as session:
        assert recall(session, REQUEST, AT) is None
        assert remember(session, REQUEST, ANSWER, AT) == ANSWER
    with transaction(database) as session:
        assert remember(session, REQUEST, Answer(status=500, response=b""), AT) == ANSWER
    with reading(database) as session:
        assert recall(session, REQUEST, AT) == ANSWER


@pytest.mark.parametrize(
    "other",
    [
        replace(REQUEST, route="POST /v1/claims/clm-1/approvals"),
        replace(REQUEST, body_digest=sha256_digest(b"[]")),
    ],
)
def test_a_key_names_one_request(database: Engine, other: Request) -> None:
    with transaction(database) as session:
        remember(session, REQUEST, ANSWER, AT)
        with pytest.raises(IdempotencyKeyReusedError):
            recall(session, other, AT)
        with pytest.raises(IdempotencyKeyReusedError):
            remember(session, other, ANSWER, AT)


def test_the_same_key_of_another_person_is_another_key(database: Engine) -> None:
    with transaction(database) as session:
        remember(session, REQUEST, ANSWER, AT)
        assert recall(session, replace(REQUEST, principal=sha256_digest(b"eve")), AT) is None
        assert recall(session, replace(REQUEST, key="4f0c-2"), AT) is None


@pytest.mark.parametrize("key", ["", "x" * 129, "with space", "n\xf8t-ascii", "line\n"])
def test_a_malformed_key_is_refused(key: str) -> None:
    with pytest.raises(MalformedIdempotencyKeyError):
        replace(REQUEST, key=key)


def test_the_longest_key_is_taken() -> None:
    assert replace(REQUEST, key="x" * 128).key == "x" * 128


def test_old_answers_are_forgotten_and_newer_ones_are_not(database: Engine) -> None:
    newer = replace(REQUEST, key="newer")
    with transaction(database) as session:
        remember(session, REQUEST, ANSWER, AT)
        remember(session, newer, ANSWER, AT + timedelta(seconds=1))
        assert forget(session, AT + timedelta(seconds=1)) == 1
        assert recall(session, REQUEST, AT) is None
        assert recall(session, newer, AT) == ANSWER


def test_an_answer_expires_and_then_its_key_is_free(database: Engine) -> None:
    other = replace(REQUEST, body_digest=sha256_digest(b"[]"))
    second = Answer(status=201, response=b"second")
    expired = AT + ANSWER_KEPT_MAX + timedelta(seconds=1)
    with transaction(database) as session:
        remember(session, REQUEST, ANSWER, AT)
        assert recall(session, REQUEST, AT + ANSWER_KEPT_MAX) == ANSWER
        assert recall(session, REQUEST, expired) is None
        assert remember(session, other, second, expired) == second


def test_many_answers_push_out_the_senders_own_oldest_and_no_one_elses(database: Engine) -> None:
    eve = sha256_digest(b"eve")
    with transaction(database) as session:
        remember(session, REQUEST, ANSWER, AT)
        for turn in range(ANSWERS_PER_SENDER_MAX + 1):
            flood = replace(REQUEST, principal=eve, key=f"k{turn}")
            remember(session, flood, ANSWER, AT + timedelta(seconds=turn + 1))
        assert recall(session, replace(REQUEST, principal=eve, key="k0"), AT) is None
        assert recall(session, replace(REQUEST, principal=eve, key="k1"), AT) == ANSWER
        assert recall(session, REQUEST, AT) == ANSWER
        assert forget(session, AT + timedelta(days=1)) == ANSWERS_PER_SENDER_MAX + 1
