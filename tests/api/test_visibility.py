"""Nobody learns that another party's object exists: the same status, the same body."""

from collections.abc import AsyncGenerator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from tallystick.crypto.envelope import envelope_bytes, sign
from tallystick.crypto.keys import key_id
from tallystick.domain.codec import encode_object
from tallystick.domain.ids import AgreementId
from tallystick.store.database.session import transaction
from tallystick.store.registers import agreements
from tests.support.judges.statements_by_address import kind_at, spoken
from tests.support.sites.service import STRANGER, Service, serving
from tests.support.worlds.agreements import AGREEMENT, ANA, BEA, PEOPLE
from tests.support.worlds.gate_worlds import MONDAY, SIGNERS, World

THERE = "nordwind-halden"
NOT_THERE = "nobodys-agreement"
NO_DIGEST = "sha256:" + 64 * "0"
THERE_AND_NOT = {
    "{claim}": ("", NO_DIGEST),
    "{agreement}": (THERE, NOT_THERE),
    "{digest}": ("", NO_DIGEST),
    "{statement}": ("", NO_DIGEST),
}
"""What each name in an address is replaced by: what exists, if it is always the same, and what does not."""


@pytest.fixture
async def shared(template: World, tmp_path: Path) -> AsyncGenerator[Service]:
    """The deployment, and another agreement in it where a stranger to the first takes ana's place."""
    world = template.copied_to(tmp_path)
    persons = tuple(
        replace(person, signing_key=STRANGER.public_key) if person.id == ANA else person
        for person in AGREEMENT.persons
    )
    other = replace(AGREEMENT, id=AgreementId("another"), persons=persons)
    keys = [STRANGER, *(PEOPLE[person].signing_key for person in SIGNERS if person != ANA)]
    with transaction(world.database) as session:
        agreements.register(session, sign("agreement", encode_object(other), keys), MONDAY)
    async with serving(world) as service:
        filed = await service.post("/claims", service.filing(), BEA)
        service.world = replace(service.world, claim=filed.json()["digest"])
        yield service


async def addresses(service: Service) -> list[tuple[str, str]]:
    """Every method and address of the OpenAPI document that names something with an owner."""
    document = (await service.http.get("/v1/openapi.json")).json()
    return [
        (method.upper(), path)
        for path, operations in document["paths"].items()
        for method in operations
        if any(name in path for name in THERE_AND_NOT)
    ]


def named(service: Service, path: str, *, there: bool) -> str:
    """An address of something that exists or, alike in all else, of something that does not."""
    real = {
        "{claim}": service.world.claim,
        "{statement}": service.world.claim,
        "{digest}": a_blob(service),
    }
    for name, (one, other) in THERE_AND_NOT.items():
        path = path.replace(name, real.get(name, one) if there else other)
    path = path.replace("{number}", "1").replace("{index}", "0").replace("{kind}", "approval")
    assert "{" not in path, f"say what {path} stands for"
    return path


def a_blob(service: Service) -> str:
    return "sha256:" + min(path.name for path in service.world.folder.glob("north/blobs/*/*/*"))


async def test_what_belongs_to_others_exists_at_no_address(shared: Service) -> None:
    """A stranger asks, and sends what an author might: the answers are the same as if nothing existed."""
    tried = await addresses(shared)
    assert len(tried) > 35
    sent = {"authorization": f"Bearer {shared.token(STRANGER)}", "content-type": "application/json"}
    for method, path in tried:
        body = b""
        if method == "POST":
            body = envelope_bytes(spoken(shared.world, kind_at(path), shared.clock.now).envelope())
        answers: list[httpx.Response] = []
        for there in (True, False):
            query = {"agreement": THERE if there else NOT_THERE, "purpose": "deposit"}
            answers.append(
                await shared.http.request(
                    method,
                    named(shared, path, there=there),
                    content=body,
                    headers=sent,
                    params=query if path.startswith("/v1/blobs") and method != "GET" else None,
                )
            )
        mine, none = answers
        assert mine.status_code == none.status_code == (200 if method == "HEAD" else 404), f"{method} {path}"
        assert (mine.content, mine.headers) == (none.content, none.headers), f"{method} {path}"


async def test_a_claim_under_an_agreement_of_others_is_refused_like_one_under_none(shared: Service) -> None:
    """Here the statement, not the address, names the agreement."""
    sent = {"authorization": f"Bearer {shared.token(STRANGER)}", "content-type": "application/json"}
    said = spoken(shared.world, kind_at("/v1/claims"), shared.clock.now)
    answers = [
        await shared.http.post(
            "/v1/claims",
            content=envelope_bytes(sign(said.kind, {**said.body, "agreement": name}, [STRANGER])),
            headers=sent,
        )
        for name in (THERE, NOT_THERE)
    ]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert answers[0].content == answers[1].content


async def test_lists_hold_only_ones_own(shared: Service) -> None:
    signed_in = {"authorization": f"Bearer {shared.token(STRANGER)}"}
    assert (await shared.http.get("/v1/claims", headers=signed_in)).json() == {
        "claims": [],
        "unreadable": [],
        "next": None,
    }
    assert (await shared.http.get("/v1/inbox", headers=signed_in)).json() == {
        "items": [],
        "unreadable": [],
        "next": None,
    }
    listed = (await shared.http.get("/v1/agreements", headers=signed_in)).json()["agreements"]
    assert [item["agreement"] for item in listed] == ["another"]
    own = (await shared.get("/agreements", ANA)).json()["agreements"]
    assert [item["agreement"] for item in own] == [THERE]


async def test_the_same_key_under_another_agreement_sees_only_that_one(shared: Service) -> None:
    assert key_id(STRANGER.public_key) != key_id(PEOPLE[ANA].signing_key.public_key)
    answer = await shared.get("/agreements/another", ANA)
    assert answer.status_code == 404
