"""HEAD wherever GET is: the same answer without its body."""

import asyncio

from fastapi.routing import iter_route_contexts

from tests.api.http.test_auth import filled
from tests.support.sites.service import Service
from tests.support.worlds.agreements import BEA


async def test_every_address_that_answers_get_answers_head_alike_and_without_a_body(claimed: Service) -> None:
    asked = 0
    for route in iter_route_contexts(claimed.app.routes):
        path = filled((route.path or "").replace("{claim}", claimed.world.claim))
        if "GET" not in (route.methods or ()) or path.startswith("/v1/blobs/") or path.endswith("/events"):
            continue
        signed_in = claimed.signed_in(BEA)
        got = await claimed.http.get(path, headers=signed_in)
        head = await claimed.http.head(path, headers=signed_in)
        assert (head.status_code, head.content) == (got.status_code, b""), path
        assert head.headers["content-type"] == got.headers["content-type"], path
        for answered in (got, head):
            assert answered.headers.get_list("cache-control") == ["private, no-store"], path
        asked += 1
    assert asked >= 25


async def test_a_stream_of_events_that_is_asked_for_by_head_ends_at_once(claimed: Service) -> None:
    path = f"/v1/claims/{claimed.world.claim}/events"
    async with asyncio.timeout(10):
        head = await claimed.http.head(path, headers=claimed.signed_in(BEA))
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-type"].startswith("text/event-stream")


async def test_what_takes_no_get_takes_no_head_and_says_what_it_takes(service: Service) -> None:
    refused = await service.http.head(f"/v1/claims/{filled('{claim}')}/approvals")
    assert refused.status_code == 405
    assert refused.headers["allow"] == "POST"
    assert (await service.http.delete("/healthz")).headers["allow"] == "GET, HEAD"


async def test_two_lengths_of_a_body_are_refused_by_the_service_itself(service: Service) -> None:
    both = {"content-length": "2", "transfer-encoding": "chunked", "content-type": "application/json"}
    refused = await service.http.post("/v1/claims", content=b"{}", headers=both)
    assert (refused.status_code, refused.json()["code"]) == (400, "bad-request")
