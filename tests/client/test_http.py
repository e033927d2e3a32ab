"""The HTTP client: typed refusals, bounded repeats, and no belief in what is not the server's answer."""

import time
from datetime import UTC, datetime, timedelta

import pytest

from tallystick.client.http import Client
from tallystick.client.problems import (
    ForeignAnswerError,
    PlainHttpError,
    RefusedRemotelyError,
    UnexpectedAnswerError,
    UnreachableError,
)
from tallystick.client.received import AnswerTooLargeError
from tallystick.crypto.envelope import sign, statement_id
from tallystick.domain.errors import TallystickError
from tallystick.domain.refusals import NotYoursError
from tallystick.limits.client import EVENT_LINE_BYTES_MAX, HTTP_ATTEMPTS_MAX, LIST_VALUES_MAX
from tests.support.sites.fake_api import HANGS_UP, FakeApi
from tests.support.sites.raw_server import speaking
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


@pytest.mark.parametrize("seconds", [-110, 110])
def test_clock_that_is_two_minutes_wrong_either_way_signs_in(seconds: int, api: FakeApi) -> None:
    api.shows["/v1/inbox"] = {"items": []}
    wrong = timedelta(seconds=seconds)
    with Client(api.url, keys_of(ANA), now=lambda: datetime.now(UTC) + wrong) as client:
        assert client.get("/v1/inbox") == {"items": []}


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


@pytest.mark.parametrize("status", [502, 503, 504])
def test_gateway_that_got_no_answer_is_asked_again_and_then_no_answer_came(
    status: int, api: FakeApi, client: Client
) -> None:
    api.shows["/v1/inbox"] = {"items": []}
    api.fails["GET /v1/inbox"] = [(status, b"<html>")]
    assert client.get("/v1/inbox") == {"items": []}
    api.fails["GET /v1/inbox"] = [(status, b"<html>")] * HTTP_ATTEMPTS_MAX
    with pytest.raises(UnreachableError) as lost:
        client.get("/v1/inbox")
    assert (lost.value.retryable, lost.value.facts["status"]) == (True, status)


@pytest.mark.parametrize(
    ("status", "page", "fields"),
    [
        (200, b"<html>sign in to this network", {"Content-Type": "text/html"}),
        (200, b"{}", {}),
        (302, b"", {"Location": "http://portal.example/"}),
        (307, b'{"items":[]}', {"Location": "/v1/inbox", "Content-Type": "application/json"}),
        (403, b"blocked", {"Content-Type": "text/html"}),
        (403, b'{"error":"blocked"}', {"Content-Type": "application/json"}),
        (403, b'{"code":"not-yours","type":"about:blank"}', {"Content-Type": "application/problem+json"}),
        (404, b"not found", {"Content-Type": "text/plain"}),
        (407, b"", {"Proxy-Authenticate": "Basic"}),
        (200, b"\x1f\x8b", {"Content-Type": "application/json", "Content-Encoding": "gzip"}),
    ],
)
def test_what_something_else_answers_is_no_answer_of_the_server(
    status: int, page: bytes, fields: dict[str, str]
) -> None:
    head = f"HTTP/1.1 {status} X\r\n" + "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    says = f"{head}Content-Length: {len(page)}\r\n\r\n".encode() + page
    with speaking(says) as portal, Client(portal, now=lambda: AT) as client, pytest.raises(UnreachableError):
        client.get("/v1/inbox")


def test_answer_that_does_not_name_the_statement_acknowledges_nothing(api: FakeApi, client: Client) -> None:
    envelope = sign("hold", {"nonce": "1"}, [PEOPLE[ANA].signing_key])
    other = "sha256:" + 64 * "0"
    api.shows["POST /v1/claims"] = {"statement": other, "digest": other}
    with pytest.raises(ForeignAnswerError):
        client.post_statement("/v1/claims", envelope)


def test_answer_larger_than_what_was_asked_for_is_not_read_to_its_end(api: FakeApi, client: Client) -> None:
    api.shows["/v1/inbox"] = {"items": ["x" * 1000]}
    assert client.get_bytes("/v1/inbox", size_bytes_max=2000)
    with pytest.raises(AnswerTooLargeError) as refused:
        client.get_bytes("/v1/inbox", size_bytes_max=1000)
    assert refused.value.facts == {"limit": 1000}


def test_no_content_coding_is_asked_for(api: FakeApi) -> None:
    heard: list[bytes] = []
    says = speaking(b"HTTP/1.1 204 X\r\n\r\n", heard)
    with says as server, Client(server, now=lambda: AT) as client, pytest.raises(UnreachableError):
        client.get("/v1/inbox")
    assert b"accept-encoding: identity\r\n" in heard[0].lower()


@pytest.mark.parametrize("begun", [b"X: ", b"Content-Type: application/json\r\n\r\n"])
def test_answer_that_trickles_is_given_up_whole_head_and_body(begun: bytes) -> None:
    asked = time.monotonic()
    with speaking(b"HTTP/1.1 200 OK\r\n" + begun, trickle=b"x") as server:
        limited = Client(server, now=lambda: AT, answer_time_max=timedelta(seconds=0.3))
        with limited as client, pytest.raises(UnreachableError) as lost:
            client.get_bytes("/v1/inbox")
    assert lost.value.facts["reason"] == "ReadTimeout"
    assert time.monotonic() - asked < 30


OK = b"HTTP/1.1 200 OK\r\nContent-Type: "
CRUMBS = b"1\r\nx\r\n" * 4000
FLOODS = {
    "interim answers": (b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 1000),
    "headers": (OK + b"application/json\r\n", b"A: b\r\n" * 1000),
    "crumbs": (OK + b"application/json\r\nTransfer-Encoding: chunked\r\n\r\n", CRUMBS),
    "signs of life": (OK + b"text/event-stream\r\n\r\n", b": ping\n" * 4000),
    "crumbs of a stream": (OK + b"text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n", CRUMBS),
}


@pytest.mark.parametrize("flood", FLOODS)
def test_answer_that_floods_ends_long_before_its_time_and_costs_little(flood: str) -> None:
    begins, goes_on = FLOODS[flood]
    used = time.process_time()
    soon = timedelta(seconds=20)
    flooding = speaking(begins, trickle=goes_on, pause=0)
    with flooding as server, Client(server, now=lambda: AT, answer_time_max=soon) as client:
        streams = b"event-stream" in begins
        with pytest.raises(UnreachableError) as lost:
            list(client.events("/v1/x", after=-1) if streams else client.get("/v1/x"))
    assert lost.value.facts.get("reason") != "ReadTimeout"
    assert time.process_time() - used < 20


def test_event_is_reported_when_it_comes_while_the_stream_goes_on() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
    asked = time.monotonic()
    says = speaking(head + b'data: {"index": 7}\n\n', trickle=b": ping\n")
    with says as server, Client(server, now=lambda: AT) as client:
        assert next(client.events("/v1/claims/clm-x/events", after=-1)) == {"index": 7}
    assert time.monotonic() - asked < 30


def test_line_of_an_event_stream_is_bounded() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
    says = speaking(head + b"data: {}\r\n\ndata: " + b"x" * (EVENT_LINE_BYTES_MAX + 10))
    with says as server, Client(server, now=lambda: AT) as client:
        events = client.events("/v1/claims/clm-x/events", after=-1)
        assert next(events) == {}
        with pytest.raises(UnexpectedAnswerError):
            next(events)


@pytest.mark.parametrize("api", ["http://escrow.example", "http://10.0.0.1:8080", "http://127.0.0.1.example"])
def test_token_never_leaves_this_machine_unencrypted(api: str) -> None:
    with Client(api, keys_of(ANA), now=lambda: AT) as client, pytest.raises(PlainHttpError):
        client.get("/v1/inbox")


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


def test_no_server_is_unreachable() -> None:
    with Client("http://127.0.0.1:9", now=lambda: AT) as nobody, pytest.raises(UnreachableError):
        nobody.deployment()


def test_answer_that_is_no_object_is_not_the_servers(api: FakeApi, client: Client) -> None:
    api.shows["/v1/inbox"] = ["list"]
    with pytest.raises(ForeignAnswerError):
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


def test_a_list_with_more_values_than_any_is_not_read_to_its_end(api: FakeApi, client: Client) -> None:
    api.shows["/v1/claims"] = {"claims": [{}] * 100_000, "next": "more"}
    with pytest.raises(UnexpectedAnswerError, match="too long"):
        client.get_pages("/v1/claims", "claims")
    assert sum("/v1/claims" in asked for asked in api.asked) == LIST_VALUES_MAX // 200_000 + 1
