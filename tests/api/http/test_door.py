"""The strict door: whatever bytes come, the answer is a documented refusal, and nothing is recorded."""

import json
from collections.abc import AsyncIterator
from threading import Thread, current_thread
from typing import ClassVar

import pytest

from api.http.bounded import BoundedRoute
from api.http.statements import Posted, envelope_of
from api.http.turns import Lane
from api.routes import agreements
from tallystick.crypto.envelope import envelope_bytes, sign
from tallystick.domain.errors import MalformedError
from tallystick.domain.kinds import Kind
from tallystick.domain.statements.acts import Intake
from tallystick.domain.statements.signed import write_body
from tests.support.sites.service import Service
from tests.support.worlds.agreements import ANA, BEA, PEOPLE

HOSTILE = {
    "empty": b"",
    "not JSON": b"hello",
    "a number": b"1",
    "a list": b"[]",
    "no members": b"{}",
    "null": b"null",
    "trailing data": b"{} {}",
    "duplicate members": b'{"payload":"","payload":"","payloadType":"","signatures":[]}',
    "duplicate by escape": b'{"payload":"","p\\u0061yload":"","payloadType":"","signatures":[]}',
    "NaN": b'{"payload":NaN}',
    "infinity": b'{"payload":1e999}',
    "a float": b'{"payload":1.5}',
    "a huge integer": b'{"payload":' + 5000 * b"9" + b"}",
    "deep nesting": 30_000 * b"[" + 30_000 * b"]",
    "deep objects": 20 * b'{"a":' + b"1" + 20 * b"}",
    "UTF-16": '{"payload":""}'.encode("utf-16"),
    "a byte order mark": b"\xef\xbb\xbf{}",
    "invalid UTF-8": b'{"payload":"\xff"}',
    "NUL in text": b'{"payload":"\\u0000"}',
    "lone surrogate": b'{"payload":"\\ud800"}',
    "unknown member": b'{"payload":"","payloadType":"","signatures":[],"more":1}',
    "foreign payload type": b'{"payload":"e30=","payloadType":"text/plain","signatures":[{"sig":""}]}',
    "no signatures": (
        b'{"payload":"e30=","payloadType":"application/vnd.tallystick.intake.v1+json","signatures":[]}'
    ),
    "bad base64": (
        b'{"payload":"e30","payloadType":"application/vnd.tallystick.intake.v1+json",'
        b'"signatures":[{"sig":"AAAA"}]}'
    ),
    "short signature": (
        b'{"payload":"e30=","payloadType":"application/vnd.tallystick.intake.v1+json",'
        b'"signatures":[{"sig":"AAAA"}]}'
    ),
    "unknown kind": (
        b'{"payload":"e30=","payloadType":"application/vnd.tallystick.nonsense.v1+json",'
        b'"signatures":[{"sig":"' + 86 * b"A" + b'=="}]}'
    ),
}


async def test_hostile_bytes_are_refused_as_malformed_and_nothing_is_recorded(claimed: Service) -> None:
    paths = (
        "/claims",
        f"/claims/{claimed.world.claim}/intakes",
        "/agreements/nordwind-halden/deposits",
        "/agreements/nordwind-halden/revocations",
        "/agreements",
    )
    for path in paths:
        for name, data in HOSTILE.items():
            answer = await claimed.post(path, data)
            assert answer.status_code == 400, f"{name} to {path}: {answer.text}"
            assert answer.headers["content-type"] == "application/problem+json"
    assert len(claimed.world.case().claim.entries) == 1


async def test_another_media_type_is_refused(claimed: Service) -> None:
    act = claimed.act(Intake, ANA, accepted=True)
    for sent in (
        {"content_type": "text/plain"},
        {"content_type": "application/x-www-form-urlencoded"},
        {"content_type": "application/json; charset=latin-1"},
        {"content_type": ""},
        {"content_encoding": "gzip"},
    ):
        answer = await claimed.post(f"/claims/{claimed.world.claim}/intakes", act, ANA, **sent)
        assert (answer.status_code, answer.json()["code"]) == (415, "unsupported-media-type"), sent


async def test_any_spelling_of_the_json_media_type_is_taken(claimed: Service) -> None:
    act = claimed.act(Intake, ANA, accepted=True)
    for name in ("application/json; charset=utf-8", "Application/JSON"):
        answer = await claimed.post(f"/claims/{claimed.world.claim}/intakes", act, content_type=name)
        assert answer.status_code == 201, name


async def test_a_body_is_read_no_further_than_its_bound(claimed: Service) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:  # ends when the server answers
            sent += 1
            assert sent < 100, "the server never stops reading"
            yield 16 * 1024 * b" "

    answer = await claimed.http.post(
        f"/v1/claims/{claimed.world.claim}/intakes",
        content=endless(),
        headers={"content-type": "application/json", **claimed.signed_in(ANA)},
    )
    assert (answer.status_code, answer.json()["code"]) == (413, "body-too-large")


async def test_unknown_members_of_a_statement_are_refused(claimed: Service) -> None:
    body = claimed.world.body(Intake, ANA, claimed.clock.now, claim=claimed.world.claim, accepted=True)
    act = sign("intake", {**write_body(body), "more": 1}, [PEOPLE[ANA].signing_key])
    answer = await claimed.post(f"/claims/{claimed.world.claim}/intakes", act)
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed-document")


async def test_malformed_ids_and_parameters_are_refused_before_anything_is_done(service: Service) -> None:
    for path in (
        "/claims?colour=blue",
        "/claims?state=NONSENSE",
        "/claims?state=FILED&state=FILED",
        "/claims/no-such-form",
        "/claims/clm-AAAAAAAAAAAAAAAA",
        "/claims/sha256:00",
        "/agreements/UPPER",
        "/agreements/a%00b",
        "/agreements/%2e%2e%2f",
        "/agreements/nordwind-halden?digest=1",
        "/agreements/nordwind-halden/deposits/0",
        "/agreements/nordwind-halden/deposits/-1",
        "/agreements/nordwind-halden/deposits/%D9%A1x",
        "/agreements/nordwind-halden/deposits/99999999999999999999",
        "/agreements/nordwind-halden/ledger/entries?after=x",
        "/agreements/nordwind-halden/ledger/proof/99999999999999999999",
        "/blobs/sha256:xyz",
        "/claims/clm-aaaaaaaaaaaaaaaa/draft/nonsense",
    ):
        answer = await service.http.get(f"/v1{path}", headers=service.signed_in(ANA))
        assert answer.status_code in {404, 422}, f"{path}: {answer.text}"
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["code"] in {"invalid-parameter", "not-found"}


async def test_what_is_not_there_is_a_problem_too(service: Service) -> None:
    for method, path, status, code in (
        ("GET", "/v1/nonsense", 404, "not-found"),
        ("GET", "/", 404, "not-found"),
        ("GET", "/v1/claims/", 404, "not-found"),
        ("DELETE", "/v1/claims", 405, "method-not-allowed"),
        ("OPTIONS", "/v1/claims", 405, "method-not-allowed"),
        ("PATCH", "/healthz", 405, "method-not-allowed"),
    ):
        answer = await service.http.request(method, path, headers=service.signed_in(ANA))
        assert (answer.status_code, answer.json()["code"]) == (status, code), f"{method} {path}"


async def test_the_answer_to_a_wrong_method_lists_every_right_one(service: Service) -> None:
    digest = "sha256:" + 64 * "0"
    for path, methods in (("/v1/claims", "GET, HEAD, POST"), (f"/v1/blobs/{digest}", "GET, HEAD, PUT")):
        answer = await service.http.delete(path, headers=service.signed_in(ANA))
        assert (answer.status_code, answer.headers["allow"]) == (405, methods)


async def test_the_same_idempotency_key_means_the_same_request(service: Service) -> None:
    filing = service.filing()
    first = await service.post("/claims", filing, BEA, Idempotency_Key="k1")
    assert first.status_code == 201
    again = await service.post("/claims", filing, BEA, Idempotency_Key="k1")
    assert (again.status_code, again.content) == (201, first.content)
    other = await service.post("/claims", service.filing(declaration="Else."), BEA, Idempotency_Key="k1")
    assert (other.status_code, other.json()["code"]) == (409, "idempotency-key-reused")


async def test_a_refusal_is_not_remembered_under_an_idempotency_key(service: Service) -> None:
    service.engine.away = True
    filing = service.filing()
    assert (await service.post("/claims", filing, BEA, Idempotency_Key="k1")).status_code == 503
    service.engine.away = False
    assert (await service.post("/claims", filing, BEA, Idempotency_Key="k1")).status_code == 201


async def test_an_idempotency_key_is_its_senders_own(service: Service) -> None:
    first = await service.post("/claims", service.filing(), BEA, Idempotency_Key="k1")
    other = await service.post("/agreements/nordwind-halden/revocations", b"{}", ANA, Idempotency_Key="k1")
    assert first.status_code == 201
    assert other.json()["code"] != "idempotency-key-reused"


async def test_a_malformed_idempotency_key_is_refused(service: Service) -> None:
    answer = await service.post("/claims", service.filing(), BEA, Idempotency_Key=200 * "k")
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed-idempotency-key")


async def test_an_envelope_may_be_spaced_and_ordered_otherwise(claimed: Service) -> None:
    act = json.loads(envelope_bytes(claimed.act(Intake, ANA, accepted=True)))
    spaced = json.dumps(dict(reversed(act.items())), indent=2).encode()
    assert (await claimed.post(f"/claims/{claimed.world.claim}/intakes", spaced)).status_code == 201


class Noted(bytes):
    """A body that notes which threads have read it."""

    read_in: ClassVar[set[Thread]] = set()

    def decode(self, *how: str) -> str:  # pyright: ignore[reportIncompatibleMethodOverride]
        Noted.read_in.add(current_thread())
        return super().decode(*how)


async def test_no_body_is_read_by_the_thread_that_serves_all_connections() -> None:
    with pytest.raises(MalformedError):
        await envelope_of(Posted(body=Noted(b"[]"), repeat=None), Kind.AGREEMENT)
    assert len(Noted.read_in) == 1
    assert current_thread() not in Noted.read_in


def test_an_agreement_which_takes_long_to_read_is_in_no_acts_way() -> None:
    """It may be eight times as long as any other statement, and claims are played under it."""
    (register,) = (
        route
        for route in agreements.router.routes
        if isinstance(route, BoundedRoute) and route.name == "register_agreement"
    )
    assert register.lane is Lane.HEAVY
