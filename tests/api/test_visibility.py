"""Nobody learns that another party's object exists: the same status, the same body."""

from collections.abc import AsyncGenerator
from dataclasses import replace
from pathlib import Path

import pytest

from tallystick.crypto.keys import key_id
from tallystick.crypto.statement import envelope_bytes, sign
from tallystick.domain.codec import encode_object
from tallystick.domain.ids import AgreementId
from tallystick.domain.statements import Intake
from tallystick.store import agreements
from tallystick.store.session import transaction
from tests.support.agreements import AGREEMENT, ANA, BEA, PEOPLE
from tests.support.gate_worlds import MONDAY, SIGNERS, World
from tests.support.service import STRANGER, Service, serving

THERE = "nordwind-halden"
NOT_THERE = "nobodys-agreement"
NO_CLAIM = "sha256:" + 64 * "0"


@pytest.fixture
async def shared(template: World, tmp_path: Path) -> AsyncGenerator[Service]:
    """The deployment, and another agreement in it where a stranger to the first stands in for ana."""
    world = template.copied_to(tmp_path)
    persons = tuple(
        replace(person, signing_key=STRANGER.public_key) if person.id == ANA else person
        for person in AGREEMENT.persons
    )
    other = replace(AGREEMENT, id=AgreementId("another"), persons=persons)
    keys = [STRANGER, *(PEOPLE[person].signing_key for person in SIGNERS if person != ANA)]
    with transaction(world.engine) as session:
        agreements.register(session, sign("agreement", encode_object(other), keys), MONDAY)
    async with serving(world) as service:
        filed = await service.post("/claims", service.filing(), BEA)
        service.world = replace(service.world, claim=filed.json()["digest"])
        yield service


def paths(service: Service) -> list[tuple[str, str]]:
    """What is there, beside the same address of what is not."""
    claim = service.world.claim
    under_claim = ("", "/timeline", "/tally", "/deadlines", "/explain", "/delivery", "/evidence", "/events")
    under_agreement = ("", "/summary", "/readiness", "/ledger", "/ledger/entries", "/deposits", "/deposits/1")
    return [
        *((f"/claims/{claim}{rest}", f"/claims/{NO_CLAIM}{rest}") for rest in under_claim),
        (f"/claims/{claim}/draft/approval?reason=x", f"/claims/{NO_CLAIM}/draft/approval?reason=x"),
        *((f"/agreements/{THERE}{rest}", f"/agreements/{NOT_THERE}{rest}") for rest in under_agreement),
    ]


async def test_what_is_anothers_is_not_there(shared: Service) -> None:
    signed_in = {"authorization": f"Bearer {shared.token(STRANGER)}"}
    for there, nowhere in paths(shared):
        mine = await shared.http.get(f"/v1{there}", headers=signed_in)
        none = await shared.http.get(f"/v1{nowhere}", headers=signed_in)
        assert mine.status_code == none.status_code == 404, there
        assert mine.content == none.content, there


async def test_posting_to_what_is_anothers_is_posting_to_nothing(shared: Service) -> None:
    sent = {"authorization": f"Bearer {shared.token(STRANGER)}", "content-type": "application/json"}
    act = envelope_bytes(shared.act(Intake, ANA, accepted=True))
    mine = await shared.http.post(f"/v1/claims/{shared.world.claim}/intakes", content=act, headers=sent)
    none = await shared.http.post(f"/v1/claims/{NO_CLAIM}/intakes", content=act, headers=sent)
    assert mine.status_code == 404
    assert mine.content == none.content


async def test_lists_hold_only_ones_own(shared: Service) -> None:
    signed_in = {"authorization": f"Bearer {shared.token(STRANGER)}"}
    assert (await shared.http.get("/v1/claims", headers=signed_in)).json() == {"claims": []}
    assert (await shared.http.get("/v1/inbox", headers=signed_in)).json() == {"items": []}
    listed = (await shared.http.get("/v1/agreements", headers=signed_in)).json()["agreements"]
    assert [item["agreement"] for item in listed] == ["another"]
    own = (await shared.get("/agreements", ANA)).json()["agreements"]
    assert [item["agreement"] for item in own] == [THERE]


async def test_the_same_key_under_another_agreement_sees_only_that_one(shared: Service) -> None:
    assert key_id(STRANGER.public_key) != key_id(PEOPLE[ANA].signing_key.public_key)
    answer = await shared.get("/agreements/another", ANA)
    assert answer.status_code == 404
