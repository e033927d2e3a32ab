"""What stands between client and server answers in its place: no such answer is the server's word."""

import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tallystick.client.blobs import get_blob, put_blob
from tallystick.client.http import Client
from tallystick.client.problems import RefusedRemotelyError, UnreachableError
from tallystick.crypto.envelope import sign, statement_id
from tallystick.desk.kept.sent import Sent
from tallystick.desk.kept.unsent import Unsent
from tallystick.domain.ids import AgreementId, Digest
from tallystick.limits.client import HTTP_ATTEMPTS_MAX, HTTP_RETRY_AFTER_MAX, UPLOAD_PART_BYTES_MIN
from tallystick.limits.documents import FACT_LENGTH_MAX
from tests.support.sites.certificates import own_certificate
from tests.support.sites.fake_api import Answer, FakeApi, serving
from tests.support.sites.raw_server import speaking
from tests.support.worlds.agreements import ANA, PEOPLE
from tests.support.worlds.deliveries import AT

PAGE = b"<!DOCTYPE html><title>Sign in to this network</title>"
RAW = bytes(range(256)) * 8
WANTED = Digest("sha256:" + hashlib.sha256(RAW).hexdigest())
AGREEMENT = AgreementId("nordwind-halden")


def says(status: str, body: bytes = b"", *, length: int | None = None, **fields: str) -> bytes:
    """An answer as bytes; `length` is what it claims of its body."""
    named = {name.replace("_", "-"): value for name, value in fields.items()}
    named["Content-Length"] = str(len(body) if length is None else length)
    head = "".join(f"{name}: {value}\r\n" for name, value in named.items())
    return f"HTTP/1.1 {status}\r\n{head}\r\n".encode() + body


JSON = "application/json"
PROBLEM = "application/problem+json"
GATEWAYS = {
    "a page for signing in": says("200 OK", PAGE, Content_Type="text/html"),
    "a page that calls itself JSON": says("200 OK", PAGE, Content_Type=JSON),
    "nothing": says("200 OK", Content_Type=JSON),
    "no content": says("204 No Content"),
    "JSON of another type": says("200 OK", b'{"items":[]}', Content_Type="text/plain"),
    "half of the JSON": says("200 OK", b'{"items":[', Content_Type=JSON),
    "fewer bytes than it says": says("200 OK", b'{"items":[]}', length=99, Content_Type=JSON),
    "what was moved": says("301 Moved", Location="https://escrow.example/v1/inbox"),
    "what was found": says("302 Found", Location="http://portal.example/login"),
    "another method": says("307 Temporary Redirect", Location="/v1/inbox"),
    "who are you": says("401 Unauthorized", PAGE, Content_Type="text/html", WWW_Authenticate="Basic"),
    "blocked": says("403 Forbidden", PAGE, Content_Type="text/html"),
    "a problem without words": says("403 Forbidden", Content_Type=PROBLEM),
    "a problem of somebody else's": says("403 Forbidden", b'{"title":"blocked"}', Content_Type=PROBLEM),
    "no such path": says("404 Not Found", PAGE, Content_Type="text/html"),
    "the proxy wants to know who": says("407 Proxy Authentication Required", PAGE, Content_Type="text/html"),
    "too much": says("413 Content Too Large", PAGE, Content_Type="text/html"),
    "an upgrade": says("101 Switching Protocols", Connection="upgrade", Upgrade="h2c"),
    "broken": says("500 Internal Server Error", PAGE, Content_Type="text/html"),
    "broken without words": says("500 Internal Server Error"),
    "no such method": says("501 Not Implemented", PAGE, Content_Type="text/html"),
    "bytes with gzip": says("200 OK", b"\x1f\x8b", Content_Type=JSON, Content_Encoding="gzip"),
    "bytes with br": says("200 OK", b"\x0b\x02", Content_Type=JSON, Content_Encoding="br"),
    "two lengths": says("200 OK", b"{}", Content_Type=JSON).replace(
        b"\r\n\r\n", b"\r\nContent-Length: 7\r\n\r\n"
    ),
    "no HTTP": b"220 mail.example ESMTP\r\n",
    "silence": b"",
}


@pytest.mark.parametrize("gateway", GATEWAYS)
def test_what_a_gateway_says_is_neither_the_servers_yes_nor_its_no(gateway: str) -> None:
    with speaking(GATEWAYS[gateway]) as address:
        asking = Client(address, now=lambda: AT, pause=lambda _: None, answer_time_max=timedelta(seconds=2))
        with asking as client, pytest.raises(UnreachableError) as lost:
            client.get("/v1/inbox")
    assert lost.value.retryable


@pytest.mark.parametrize("gateway", GATEWAYS)
def test_a_statement_that_met_a_gateway_is_kept_and_sent_again_as_it_was_signed(
    gateway: str, api: FakeApi, client: Client, tmp_path: Path
) -> None:
    envelope = sign("hold", {"nonce": "1", "issued_at": "2026-11-28T00:00:00Z"}, [PEOPLE[ANA].signing_key])
    unsent = Unsent(
        folder=tmp_path / "unsent",
        signer=PEOPLE[ANA].signing_key.public_key,
        sent=Sent(folder=tmp_path / "sent"),
    )
    with speaking(GATEWAYS[gateway]) as address:
        asking = Client(address, now=lambda: AT, pause=lambda _: None, answer_time_max=timedelta(seconds=2))
        with asking as met, pytest.raises(UnreachableError):
            unsent.send(met, "/v1/claims", envelope)
    kept = unsent.same("/v1/claims", envelope, datetime(2026, 11, 28, 1, tzinfo=UTC))
    assert kept is not None
    assert unsent.send(client, "/v1/claims", kept)["statement"] == statement_id(envelope)
    assert [statement_id(one) for _, one in api.posted] == [statement_id(envelope)]


@pytest.mark.parametrize("status", [408, 429, 503])
@pytest.mark.parametrize(
    "after", ["86400", "99999999999999", "-5", "Wed, 21 Oct 2026 07:28:00 GMT", "soon", ""]
)
def test_whatever_a_busy_gateway_asks_for_the_pauses_are_bounded(status: int, after: str) -> None:
    pauses: list[float] = []
    busy = says(f"{status} Busy", PAGE, Content_Type="text/html", Retry_After=after)
    with speaking(busy) as address, pytest.raises(UnreachableError) as lost:
        Client(address, now=lambda: AT, pause=pauses.append).get("/v1/inbox")
    assert (lost.value.retryable, lost.value.facts["status"]) == (True, status)
    assert len(pauses) == HTTP_ATTEMPTS_MAX - 1
    assert all(0 <= pause <= HTTP_RETRY_AFTER_MAX.total_seconds() for pause in pauses)


def test_interim_answers_before_the_answer_are_passed_over() -> None:
    interim = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
    whole = interim + says("200 OK", b'{"items":[]}', Content_Type=JSON)
    with speaking(whole) as address, Client(address, now=lambda: AT) as client:
        assert client.get("/v1/inbox") == {"items": []}


def test_who_answered_in_the_servers_place_is_reported() -> None:
    met = says("302 Found", Server="BlueCoat\x1b[2J" + 999 * "x", Location="http://portal.example/login")
    with speaking(met) as address, pytest.raises(UnreachableError) as lost:
        Client(address, now=lambda: AT).get("/v1/inbox")
    facts = lost.value.facts
    assert facts["location"] == "http://portal.example/login"
    assert str(facts["server"]).startswith("BlueCoat")
    assert len(str(facts["server"])) == FACT_LENGTH_MAX
    assert str(lost.value).isprintable()


def test_nothing_that_a_gateway_wants_remembered_is_sent_back() -> None:
    heard: list[bytes] = []
    met = says(
        "200 OK", b'{"items":[]}', Content_Type=JSON, Set_Cookie="portal=1; Path=/", Connection="close"
    )
    with speaking(met, heard) as address, Client(address, now=lambda: AT) as client:
        client.get("/v1/inbox")
        client.get("/v1/inbox")
    assert len(heard) == 2
    assert not any(b"cookie" in request.lower() for request in heard)


def test_the_words_of_a_proxy_that_lets_nobody_through_are_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    with speaking(says("407 Proxy Authentication Required", PAGE)) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy)
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("https_proxy", raising=False)
        with (
            Client("https://escrow.example", now=lambda: AT) as client,
            pytest.raises(UnreachableError) as lost,
        ):
            client.deployment()
    assert lost.value.facts["reason"] == "the proxy: 407 Proxy Authentication Required"


def test_a_certificate_that_nobody_vouches_for_is_reported_as_such(tmp_path: Path) -> None:
    with serving(FakeApi(), tls=own_certificate(tmp_path)) as served, pytest.raises(UnreachableError) as lost:
        Client(served.url, now=lambda: AT).deployment()
    assert "the certificate is not valid" in str(lost.value.facts["reason"])


def test_whom_the_environment_trusts_now_is_trusted_by_the_next_client(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(FakeApi(), tls=own_certificate(tmp_path)) as served:
        with Client(served.url, now=lambda: AT) as client, pytest.raises(UnreachableError):
            client.deployment()
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "own.pem"))
        with Client(served.url, now=lambda: AT) as client:
            assert client.deployment() == {"deployment": "test"}


def test_a_blob_whose_answer_was_hung_up_on_is_resumed_and_nothing_is_thrown_away(tmp_path: Path) -> None:
    """Without a length, only hanging up ends an answer: that may be early."""
    pauses: list[float] = []
    half = b"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n\r\n" + RAW[:1000]
    heard: list[bytes] = []
    with speaking(half, heard) as address:
        client = Client(address, now=lambda: AT, pause=pauses.append)
        with pytest.raises(UnreachableError, match="ended early"):
            get_blob(client, WANTED, tmp_path / "blob", size_bytes=len(RAW))
    assert (tmp_path / "blob.part").read_bytes() == RAW[:1000]
    assert b"range: bytes=1000-" in heard[1].lower()


OTHER_PARTS = {
    "none": "",
    "another beginning": f"bytes 701-{len(RAW) - 1}/{len(RAW)}",
    "from the first byte": f"bytes 0-{len(RAW) - 1}/{len(RAW)}",
    "another file's": f"bytes 700-{len(RAW)}/{len(RAW) + 1}",
    "other units": f"items 700-{len(RAW) - 1}/{len(RAW)}",
    "no number": "bytes x-y/z",
}


@pytest.mark.parametrize("stated", OTHER_PARTS.values(), ids=OTHER_PARTS)
def test_a_part_that_was_not_asked_for_spoils_nothing_and_the_whole_is_fetched(
    stated: str, api: FakeApi, client: Client, tmp_path: Path
) -> None:
    api.blobs[WANTED], api.says_range = RAW, stated
    (tmp_path / "blob.part").write_bytes(RAW[:700])
    get_blob(client, WANTED, tmp_path / "blob", size_bytes=len(RAW))
    assert (tmp_path / "blob").read_bytes() == RAW
    assert len([asked for asked in api.asked if asked.startswith("GET /v1/blobs/")]) == 2


def patient(address: str) -> Client:
    return Client(address, now=lambda: AT, pause=lambda _: None)


def test_an_answer_from_the_beginning_that_breaks_off_throws_away_nothing(tmp_path: Path) -> None:
    whole = says("200 OK", RAW[:100], length=len(RAW), Content_Type="application/octet-stream")
    (tmp_path / "blob.part").write_bytes(RAW[:1500])
    with speaking(whole) as address, patient(address) as client, pytest.raises(UnreachableError):
        get_blob(client, WANTED, tmp_path / "blob", size_bytes=len(RAW))
    assert (tmp_path / "blob.part").read_bytes() == RAW[:1500]


def test_what_was_kept_and_is_wrong_is_written_over_by_a_whole_answer(tmp_path: Path) -> None:
    whole = says("200 OK", RAW, Content_Type="application/octet-stream", ETag='W/"other"')
    (tmp_path / "blob.part").write_bytes(b"?" * 1500)
    with speaking(whole) as address, patient(address) as client:
        get_blob(client, WANTED, tmp_path / "blob", size_bytes=len(RAW))
    assert (tmp_path / "blob").read_bytes() == RAW


def test_a_part_of_an_answer_is_not_taken_for_the_whole(tmp_path: Path) -> None:
    part = says("206 Partial Content", b"{}", Content_Type=JSON, Content_Range="bytes 0-1/9")
    with speaking(part) as address, patient(address) as client, pytest.raises(UnreachableError):
        client.get("/v1/inbox")
    octets = "application/octet-stream"
    part = says("206 Partial Content", RAW, Content_Type=octets, Content_Range=f"bytes 0-9/{len(RAW)}")
    with speaking(part) as address, patient(address) as client, pytest.raises(UnreachableError):
        get_blob(client, WANTED, tmp_path / "blob", size_bytes=len(RAW))


def test_where_an_upload_stands_is_not_asked_again_where_the_server_has_said_so(
    api: FakeApi, client: Client, tmp_path: Path
) -> None:
    """A proxy may have kept an older answer to HEAD."""
    (tmp_path / "blob").write_bytes(RAW)
    api.parts[WANTED] = RAW[:1000]
    api.fails[f"HEAD /v1/blobs/{WANTED}"] = [(200, 0)] * 100
    put_blob(client, tmp_path / "blob", WANTED, agreement=AGREEMENT, purpose="deposit")
    assert api.blobs == {WANTED: RAW}


def test_parts_become_smaller_where_a_proxy_takes_no_more_at_a_time(
    api: FakeApi, client: Client, tmp_path: Path
) -> None:
    large = bytes(9 * 1024 * 1024)
    wanted = Digest("sha256:" + hashlib.sha256(large).hexdigest())
    (tmp_path / "blob").write_bytes(large)
    api.proxy_takes = 1024 * 1024
    put_blob(client, tmp_path / "blob", wanted, agreement=AGREEMENT, purpose="deposit")
    assert api.blobs == {wanted: large}


def test_a_proxy_that_takes_no_part_at_all_ends_an_upload(
    api: FakeApi, client: Client, tmp_path: Path
) -> None:
    (tmp_path / "blob").write_bytes(bytes(4 * UPLOAD_PART_BYTES_MIN))
    api.proxy_takes = 10
    with pytest.raises(UnreachableError) as lost:
        put_blob(client, tmp_path / "blob", WANTED, agreement=AGREEMENT, purpose="deposit")
    assert lost.value.facts["status"] == 413


def test_why_an_upload_is_refused_is_reported_though_its_first_question_has_no_words(
    api: FakeApi, client: Client, tmp_path: Path
) -> None:
    (tmp_path / "blob").write_bytes(RAW)
    problem = {"code": "of-tomorrow", "detail": "no room", "title": "t", "advice": "a"}
    refused: Answer = (403, problem)
    api.fails[f"HEAD /v1/blobs/{WANTED}"] = [refused]
    api.fails[f"PUT /v1/blobs/{WANTED}"] = [refused]
    with pytest.raises(RefusedRemotelyError, match="no room"):
        put_blob(client, tmp_path / "blob", WANTED, agreement=AGREEMENT, purpose="deposit")
