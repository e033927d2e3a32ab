"""The HTTP client: typed refusals and bounded repeats."""

import pytest

from tallystick.client.http import Client
from tallystick.client.problems import RefusedRemotelyError, UnexpectedAnswerError, UnreachableError
from tallystick.crypto.envelope import sign, statement_id
from tallystick.domain.errors import TallystickError
from tallystick.domain.refusals import NotYoursError
from tallystick.limits import HTTP_ATTEMPTS_MAX
from tests.support.sites.fake_api import HANGS_UP, FakeApi
from tests.support.worlds.agreements import ANA, PEOPLE
from tests.support.worlds.deliveries import AT, keys_of


def test_person_is_known_by_their_own_key(api: FakeApi, client: Client) -> None:
    api.shows["/v1/inbox"] = {"items": []}
    assert client.get("/v1/inbox") == {"items": []}


def test_without_a_key_only_what_is_public_is_shown(api: FakeApi) -> None:
    with Client(api.url, now=lambda: AT) as client:
        assert client.deployment() == {"deployment": "test"}
        with pytest.raises(TallystickError, match="who are you"):
            client.get("/v1/inbox")


def test_token_from_long_ago_is_not_sent_again(api: FakeApi, pauses: list[float]) -> None:
    old = Client(api.url, keys_of(ANA), now=lambda: AT.replace(year=2020), pause=pauses.append)
    with old as client, pytest.raises(TallystickError, match="who are you"):
        client.get("/v1/inbox")


def test_refusal_comes_back_as_the_class_with_its_code(api: FakeApi, client: Client) -> None:
    problem = {"code": NotYoursError.code, "detail": "not you", "facts": {"allowed": ["kim@kestrel"]}}
    api.fails["GET /v1/inbox"] = [(403, problem)]
    with pytest.raises(NotYoursError) as refused:
        client.get("/v1/inbox")
    assert (refused.value.message, refused.value.facts) == ("not you", {"allowed": ["kim@kestrel"]})


def test_unknown_refusal_keeps_the_servers_words(api: FakeApi, client: Client) -> None:
    problem = {"code": "of-tomorrow", "detail": "no", "title": "because", "advice": "do", "retryable": True}
    api.fails["GET /v1/inbox"] = [(409, problem)]
    with pytest.raises(RefusedRemotelyError) as refused:
        client.get("/v1/inbox")
    error = refused.value
    assert (error.code, error.why, error.advice, error.retryable) == ("of-tomorrow", "because", "do", True)


def test_refusal_by_something_else_than_the_api_says_its_status(api: FakeApi, client: Client) -> None:
    api.fails["GET /v1/inbox"] = [(502, b"<html>")]
    with pytest.raises(RefusedRemotelyError) as refused:
        client.get("/v1/inbox")
    assert refused.value.code == "http-502"


def test_unavailable_server_is_asked_again_as_it_says(
    api: FakeApi, client: Client, pauses: list[float]
) -> None:
    api.shows["/v1/inbox"] = {"items": []}
    api.fails["GET /v1/inbox"] = [(503, {})] * 3
    assert client.get("/v1/inbox") == {"items": []}
    assert pauses == [0.0, 0.0, 0.0]


def test_server_that_stays_unavailable_is_not_asked_for_ever(
    api: FakeApi, client: Client, pauses: list[float]
) -> None:
    api.fails["GET /v1/inbox"] = [(503, {"code": "database-unavailable", "detail": "busy"})] * 50
    with pytest.raises(TallystickError, match="busy"):
        client.get("/v1/inbox")
    assert len(pauses) == HTTP_ATTEMPTS_MAX - 1


def test_statement_that_met_an_unavailable_server_arrives_once(api: FakeApi, client: Client) -> None:
    envelope = sign("hold", {"nonce": "1"}, [PEOPLE[ANA].signing_key])
    api.fails["POST /v1/claims"] = [(503, {})]
    assert client.post_statement("/v1/claims", envelope)["statement"] == statement_id(envelope)
    assert [path for path, _ in api.posted] == ["/v1/claims"]


def test_no_server_is_unreachable(client: Client) -> None:
    with Client("http://127.0.0.1:9", now=lambda: AT) as nobody, pytest.raises(UnreachableError):
        nobody.deployment()


def test_answer_that_is_no_object_is_unexpected(api: FakeApi, client: Client) -> None:
    api.shows["/v1/inbox"] = ["list"]
    with pytest.raises(UnexpectedAnswerError):
        client.get("/v1/inbox")


def test_connection_that_ends_without_an_answer_is_unreachable(api: FakeApi, client: Client) -> None:
    api.fails["GET /v1/inbox"] = [(HANGS_UP, None)]
    with pytest.raises(UnreachableError):
        client.get("/v1/inbox")


def test_statement_whose_answer_was_lost_may_be_sent_again(api: FakeApi, client: Client) -> None:
    envelope = sign("hold", {"nonce": "1"}, [PEOPLE[ANA].signing_key])
    api.fails["POST /v1/claims"] = [(HANGS_UP, None)]
    with pytest.raises(UnreachableError) as lost:
        client.post_statement("/v1/claims", envelope)
    assert lost.value.retryable
    assert client.post_statement("/v1/claims", envelope)["statement"] == statement_id(envelope)
