"""An agreement for this deployment is registered once every party and a root key have signed it."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import event

from tallystick.crypto.envelope import Envelope, envelope_bytes, sign
from tallystick.crypto.keys import SigningKey
from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.codec import encode_object
from tallystick.domain.comparison_words import comparison_words
from tallystick.domain.ids import AgreementId, DeploymentId, Digest
from tallystick.messages import DealCustody
from tallystick.store.database.session import transaction
from tests.support.sites.service import STRANGER, Service, serving
from tests.support.worlds.agreements import ABE, AGREEMENT, ANA, BEA, DORA, KIM, PEOPLE, TOM
from tests.support.worlds.gate_worlds import SIGNERS, World

KEYS = tuple(PEOPLE[person].signing_key for person in SIGNERS)


@pytest.fixture
async def empty(tmp_path: Path) -> AsyncGenerator[Service]:
    world = World(folder=tmp_path)
    assert world.database.url
    async with serving(world) as service:
        yield service


def signed(agreement: Agreement = AGREEMENT, keys: tuple[SigningKey, ...] = KEYS) -> Envelope:
    return sign("agreement", encode_object(agreement), list(keys))


async def test_a_first_agreement_is_registered_by_a_person_it_lists(empty: Service) -> None:
    told = await empty.post("/agreements", signed(), BEA)
    assert told.status_code == 201, told.text
    assert (told.json()["agreement"], told.json()["version"]) == ("nordwind-halden", 1)
    asked = {one for one in empty.engine.asked if isinstance(one, DealCustody)}
    assert asked == {
        DealCustody(agreement=AgreementId("nordwind-halden"), component=component.id, epoch=1)
        for component in AGREEMENT.components
    }
    assert (await empty.post("/agreements", signed(), BEA)).content == told.content
    assert (await empty.get("/agreements", KIM)).json()["agreements"][0]["digest"] == told.json()["digest"]


async def test_a_stranger_registers_nothing(empty: Service) -> None:
    sent = {"authorization": f"Bearer {empty.token(STRANGER)}", "content-type": "application/json"}
    answer = await empty.http.post("/v1/agreements", content=envelope_bytes(signed()), headers=sent)
    assert answer.status_code == 401
    assert (await empty.get("/agreements", ANA)).status_code == 401, "nothing was registered"


async def test_what_this_deployment_cannot_carry_is_not_registered(empty: Service) -> None:
    engine = replace(AGREEMENT.engine, log_key=STRANGER.public_key)
    without_party = tuple(PEOPLE[person].signing_key for person in SIGNERS if person != DORA)
    without_root = tuple(PEOPLE[person].signing_key for person in (DORA, BEA, ABE, KIM, TOM))
    unsound = replace(AGREEMENT, conditions=())
    for envelope, status, code in (
        (signed(replace(AGREEMENT, deployment=DeploymentId("other"))), 422, "misdirected"),
        (signed(replace(AGREEMENT, engine=engine)), 422, "other-engine"),
        (signed(keys=without_party), 403, "not-authorised-to-state"),
        (signed(keys=without_root), 403, "not-authorised-to-state"),
        (signed(keys=(*KEYS, STRANGER)), 403, "signature-invalid"),
        (signed(unsound), 422, "unsound-agreement"),
        (
            signed(replace(AGREEMENT, version=2, supersedes=Digest("sha256:" + 64 * "1"))),
            409,
            "version-out-of-order",
        ),
    ):
        answer = await empty.post("/agreements", envelope, ANA)
        assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert not empty.engine.asked


async def test_claims_are_played_under_an_agreement_while_others_may_write(empty: Service) -> None:
    unsound = replace(AGREEMENT, conditions=())
    with transaction(empty.world.database):  # somebody else's turn to write, for as long as they like
        async with asyncio.timeout(10):
            answer = await empty.post("/agreements", signed(unsound), ANA)
    assert (answer.status_code, answer.json()["code"]) == (422, "unsound-agreement")


async def test_a_next_version_needs_the_parties_of_the_one_before(service: Service) -> None:
    before = Digest((await service.get("/agreements", ANA)).json()["agreements"][0]["digest"])
    persons = tuple(
        replace(person, signing_key=STRANGER.public_key) if person.id == DORA else person
        for person in AGREEMENT.persons
        if person.id != "dirk@nordwind"
    )
    taken_over = replace(
        AGREEMENT,
        version=2,
        supersedes=before,
        persons=persons,
        objection=replace(AGREEMENT.objection, objectors=(DORA,)),
        evidence_readers=(ANA, KIM),
        authorities=replace(AGREEMENT.authorities, joint_instruction=None),
    )
    keys = tuple(STRANGER if person == DORA else PEOPLE[person].signing_key for person in SIGNERS)
    answer = await service.post("/agreements", signed(taken_over, keys), ANA)
    assert (answer.status_code, answer.json()["code"]) == (403, "not-authorised-to-state")
    assert answer.json()["facts"]["missing"] == ["nordwind"]
    honest = replace(AGREEMENT, version=2, supersedes=before, title="Telemetry platform, amended")
    assert (await service.post("/agreements", signed(honest), ANA)).json()["version"] == 2
    old = await service.get("/agreements/nordwind-halden", ANA, digest=before)
    assert old.json()["version"] == 1


async def test_agreements_are_listed_page_by_page(service: Service) -> None:
    other = replace(AGREEMENT, id=AgreementId("a-second-one"))
    assert (await service.post("/agreements", signed(other), ANA)).status_code == 201
    first = (await service.get("/agreements", ANA, limit=1)).json()
    names = [one["agreement"] for one in first["agreements"]]
    assert (names, first["next"]) == (["a-second-one"], "a-second-one")
    second = (await service.get("/agreements", ANA, limit=1, cursor=first["next"])).json()
    assert ([one["agreement"] for one in second["agreements"]], second["next"]) == ([AGREEMENT.id], None)


async def test_deposits_are_listed_page_by_page_each_with_its_own_verdict(service: Service) -> None:
    path, asked = f"/agreements/{AGREEMENT.id}/deposits", list[str]()
    event.listen(service.app.state.backend.database, "before_cursor_execute", lambda *a: asked.append(a[2]))
    page = (await service.get(path, limit=1)).json()
    assert [one["number"] for one in page["deposits"]] == [1]
    assert page["deposits"][0]["verdict"]["state"] == "verified"
    assert page["next"] is None
    reads = [one for one in asked if "ledger_entries.kind IN" in one]
    assert reads
    assert all("ledger_entries.cause IN" in one for one in reads), "no other deposit's verdict is read"
    assert (await service.get(path, cursor="1")).json() == {"deposits": [], "unreadable": [], "next": None}


async def test_open_claims_look_at_a_version_that_is_registered(claimed: Service) -> None:
    before = Digest((await claimed.get("/agreements", ANA)).json()["agreements"][0]["digest"])
    longer = replace(
        AGREEMENT,
        version=2,
        supersedes=before,
        calendars=tuple(replace(one, covers_until=date(2030, 12, 31)) for one in AGREEMENT.calendars),
    )
    assert (await claimed.post("/agreements", signed(longer), ANA)).status_code == 201
    assert (claimed.world.claim, "a version was registered") in claimed.engine.asked


async def test_the_summary_and_the_readiness_are_made_from_the_agreement(service: Service) -> None:
    summary = (await service.get("/agreements/nordwind-halden/summary", BEA)).json()
    assert "bea@halden or ben@halden may file a claim." in summary["lines"]
    shown = (await service.get("/agreements/nordwind-halden", BEA)).json()
    assert summary["digest"] == shown["digest"]
    assert summary["words"] == shown["words"] == list(comparison_words(shown["digest"]))
    ready = (await service.get("/agreements/nordwind-halden/readiness", BEA)).json()
    assert ready["ready"] is True
    (service.world.folder / "HALT").touch()
    halted = (await service.get("/agreements/nordwind-halden/readiness", BEA)).json()
    assert (halted["ready"], halted["findings"][0]["code"]) == (False, "halted")


async def test_the_deployment_shows_what_agreements_pin(service: Service) -> None:
    told = (await service.get("/deployment", None)).json()
    assert told["log_key"] == AGREEMENT.engine.log_key
    assert told["root_keys"] == [PEOPLE[ANA].signing_key.public_key]
