"""Reading the server's answers: each member has its type, or the answer is not the server's."""

from collections.abc import Callable
from typing import Any, Final

import pytest

from tallystick.client import answers
from tallystick.client.problems import ForeignAnswerError, UnreachableError
from tallystick.crypto.envelope import envelope_bytes, envelope_json, sign
from tallystick.crypto.keys import SigningKey
from tallystick.domain.errors import MalformedNameError

DIGEST: Final = "sha256:" + 64 * "a"
ENVELOPE: Final = sign("intake", {"accepted": True}, [SigningKey(32 * b"k")])
Read = Callable[[Any, str], object]


@pytest.mark.parametrize(
    ("read", "value"),
    [
        (answers.text, "FILED"),
        (answers.number, 7),
        (answers.digest_in, DIGEST),
        (answers.member, {"state": "pending"}),
        (answers.objects, [{"stage": "docs"}, {}]),
        (answers.objects, []),
        (answers.texts, ["one", "two"]),
    ],
)
def test_a_member_of_its_type_is_returned(read: Read, value: object) -> None:
    assert read({"it": value, "newer": "ignored"}, "it") == value


@pytest.mark.parametrize(
    ("read", "value"),
    [
        (answers.text, None),
        (answers.text, 7),
        (answers.number, None),
        (answers.number, "7"),
        (answers.number, True),
        (answers.digest_in, 7),
        (answers.member, None),
        (answers.member, ["state"]),
        (answers.objects, None),
        (answers.objects, "two"),
        (answers.objects, {"stage": "docs"}),
        (answers.objects, [{"stage": "docs"}, "two"]),
        (answers.texts, None),
        (answers.texts, "two"),
        (answers.texts, ["one", 2]),
        (answers.envelope_in, None),
        (answers.envelope_in, 7),
    ],
)
def test_a_member_of_another_type_or_none_is_not_the_servers_answer(read: Read, value: object) -> None:
    with pytest.raises(ForeignAnswerError):
        read({"it": value}, "it")
    with pytest.raises(ForeignAnswerError):
        read({}, "it")


def test_text_that_is_not_a_digest_is_malformed() -> None:
    with pytest.raises(MalformedNameError):
        answers.digest_in({"it": DIGEST[:-1]}, "it")


def test_an_answer_is_one_strict_object() -> None:
    assert answers.answer(b'{"state":"FILED"}') == {"state": "FILED"}
    with pytest.raises(ForeignAnswerError):
        answers.answer(b'["FILED"]')


@pytest.mark.parametrize("cut", [b"", b'{"state":"FIL', b'{"state":"FILED","state":"RELEASED"}', b"<html>"])
def test_what_is_not_json_did_not_come_whole_and_may_be_asked_for_again(cut: bytes) -> None:
    with pytest.raises(UnreachableError) as lost:
        answers.answer(cut)
    assert lost.value.retryable


def test_an_envelope_may_be_an_object_or_text() -> None:
    for written in (envelope_json(ENVELOPE), envelope_bytes(ENVELOPE).decode()):
        assert answers.envelope_in({"it": written}, "it") == ENVELOPE
