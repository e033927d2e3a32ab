"""What is damaged in our stores is our fault in every answer, and hides nothing beside it."""

import pytest

from tallystick.crypto.envelope import envelope_bytes, sign
from tallystick.crypto.keys import key_id
from tallystick.domain.ids import AgreementId, Digest, PersonId, claim_id, sha256_digest
from tallystick.domain.kinds import Kind
from tallystick.domain.statements.keys import KeyRevocation
from tallystick.store.blobs.uploads import BlobPurpose, StoredBlob, record_blob
from tallystick.store.database.session import reading, transaction
from tallystick.store.registers.custody import live_custody
from tallystick.store.registers.verdicts import verdicts
from tests.api.http.test_left_out import amended
from tests.support.sites.service import STRANGER, Service
from tests.support.worlds.agreements import ANA, BEA, DORA, KIM, PEOPLE, agreement
from tests.support.worlds.gate_worlds import World
from tests.support.worlds.prepared_worlds import CONTENTS, deposited
from tests.support.worlds.story_worlds import undeposited

AARDVARK = AgreementId("aardvark")  # the first that is read
SEALED = b"sealed bytes"


def aardvark(service: Service) -> World:
    world = World(folder=service.world.folder, agreement=agreement(id=AARDVARK))
    world.register()
    return world


def damage(world: World) -> None:
    world.execute(
        "UPDATE ledger_entries SET envelope = ? WHERE agreement_id = ? AND kind = 'agreement'",
        b"{}",
        world.agreement.id,
    )


def revoke(world: World, service: Service, person: PersonId) -> None:
    key = PEOPLE[person].signing_key
    body = world.body(KeyRevocation, person, service.clock.now, key=key.public_key, reason="lost")
    world.slip_in(world.signed(body, key), service.clock.now)


async def listed(service: Service, person: PersonId) -> list[str]:
    answer = await service.get("/agreements", person)
    assert answer.status_code == 200, answer.text
    return [item["agreement"] for item in answer.json()["agreements"]]


async def test_a_damaged_agreement_hides_no_other_from_the_list(service: Service) -> None:
    other = aardvark(service)
    assert await listed(service, BEA) == ["aardvark", "nordwind-halden"]
    damage(other)
    assert await listed(service, BEA) == ["nordwind-halden"]
    assert (await service.get("/agreements", BEA)).json()["unreadable"] == ["aardvark"]


async def test_a_key_sees_its_other_agreements_where_one_cannot_say_who_was_revoked(service: Service) -> None:
    other = aardvark(service)
    revoke(other, service, KIM)
    assert await listed(service, KIM) == ["nordwind-halden"]
    assert await listed(service, BEA) == ["aardvark", "nordwind-halden"]
    damage(other)
    assert await listed(service, BEA) == ["nordwind-halden"]
    for answer in (await service.get("/agreements", BEA), await service.get("/claims", BEA)):
        assert answer.json()["unreadable"] == ["aardvark"]


async def test_who_may_be_revoked_sees_nothing_of_the_agreement_and_is_told_whose_fault_it_is(
    claimed: Service,
) -> None:
    revoke(claimed.world, claimed, KIM)
    damage(claimed.world)
    for address in ("/agreements/nordwind-halden", f"/claims/{claimed.world.claim}"):
        answer = await claimed.get(address, BEA)
        assert (answer.status_code, answer.json()["code"]) == (500, "revocations-unreadable")
    assert await left_out(claimed, "/claims") == ([], ["nordwind-halden"])
    assert await left_out(claimed, "/inbox") == ([], ["nordwind-halden"])


async def test_a_damaged_agreement_hides_no_blob_of_another(service: Service) -> None:
    other, digest = aardvark(service), sha256_digest(SEALED)
    service.world.blobs.put(digest, len(SEALED), lambda: [SEALED])
    with transaction(service.world.database) as session:
        for agreement_id in (AARDVARK, service.world.agreement.id):
            blob = StoredBlob(
                digest=digest,
                size_bytes=len(SEALED),
                agreement_id=agreement_id,
                uploaded_by=key_id(PEOPLE[DORA].signing_key.public_key),
                party="nordwind",
                purpose=BlobPurpose.DEPOSIT,
                arrived_at=service.clock.now,
            )
            record_blob(session, blob)
    damage(other)
    assert (await service.get(f"/blobs/{digest}", ANA)).content == SEALED
    assert (await service.get(f"/blobs/{digest}", BEA)).status_code == 404


UNSIGNED = envelope_bytes(sign(Kind.AGREEMENT, {}, [STRANGER]))


@pytest.mark.parametrize(
    ("address", "stored"),
    [
        ("", b"{}"),
        ("", b"no json"),
        ("/summary", b"{}"),
        ("/summary", UNSIGNED),
        ("/readiness", UNSIGNED),
    ],
)
async def test_a_damaged_agreement_is_nobodys_mistake_but_ours(
    service: Service, address: str, stored: bytes
) -> None:
    world = service.world
    spoil(world, "kind = 'agreement'", stored)
    answer = await service.get(f"/agreements/{world.agreement.id}{address}")
    assert (answer.status_code, answer.json()["code"]) == (500, "ledger-corrupt")
    assert answer.json()["facts"]["index"] == 0


async def test_a_damaged_deposit_hides_no_other(service: Service) -> None:
    world = service.world
    first, second = deposited(world), another_deposit(world)
    assert await deposits_seen(service) == {2: "verified", 1: "verified"}
    spoil(world, "statement_id = ?", b"{}", second)
    assert await deposits_seen(service) == {1: "verified"}
    assert (await service.get("/agreements/nordwind-halden/deposits")).json()["unreadable"] == ["2"]
    for number, status in ((2, 500), (1, 200)):
        answer = await service.get(f"/agreements/{world.agreement.id}/deposits/{number}")
        assert answer.status_code == status, answer.text
    assert first != second


async def test_a_deposit_on_top_of_a_damaged_one_is_refused_as_our_fault(service: Service) -> None:
    world = service.world
    third = undeposited(world, service.clock.now, number=2, previous=deposited(world))
    spoil(world, "statement_id = ?", b"{}", deposited(world))
    answer = await service.post(f"/agreements/{world.agreement.id}/deposits", third, DORA)
    assert (answer.status_code, answer.json()["code"]) == (500, "ledger-corrupt")


async def test_a_damaged_verdict_hides_no_deposit_and_no_other_verdict(service: Service) -> None:
    world = service.world
    another_deposit(world)
    with reading(world.database) as session:
        judged = verdicts(session, world.agreement.id)
    spoil(world, "statement_id = ?", b"{}", judged[deposited(world)].statement)
    assert await deposits_seen(service) == {2: "pending", 1: "verified"}


async def test_a_damaged_log_is_nobodys_mistake_but_ours(service: Service) -> None:
    world = service.world
    world.sign_checkpoint()
    ledger_of = f"/agreements/{world.agreement.id}/ledger"
    world.execute("UPDATE logs SET frontier = X'00'")
    answer = await service.get(ledger_of)
    assert (answer.status_code, answer.json()["code"]) == (500, "ledger-corrupt")
    world.execute("UPDATE checkpoints SET note = X'00'")
    answer = await service.get(f"{ledger_of}/proof/0")
    assert (answer.status_code, answer.json()["code"]) == (500, "ledger-corrupt")
    spoil(world, "kind = 'agreement'", b"{}")
    answer = await service.get(f"{ledger_of}/entries")
    assert (answer.status_code, answer.json()["facts"]["index"]) == (500, 0)


async def test_damaged_facts_of_the_deployment_are_nobodys_mistake_but_ours(service: Service) -> None:
    (service.world.folder / "deployment.json").write_bytes(b"{}")
    answer = await service.get("/deployment", None)
    assert (answer.status_code, answer.json()["code"]) == (500, "deployment-unreadable")


async def test_evidence_of_a_claim_on_a_damaged_deposit_is_refused_as_our_fault(claimed: Service) -> None:
    spoil(claimed.world, "statement_id = ?", b"{}", deposited(claimed.world))
    answer = await claimed.get(f"/claims/{claimed.world.claim}/evidence")
    assert answer.status_code == 500, answer.text


@pytest.mark.parametrize("value", ["accepted_at = 'some day'", "accepted_at = 7", "envelope = '{}'"])
async def test_a_value_of_another_kind_hides_no_other_row(claimed: Service, value: str) -> None:
    second = another_deposit(claimed.world)
    filed = await claimed.post("/claims", claimed.world.filing(second, claimed.clock.now), BEA)
    assert filed.status_code == 201, filed.text
    for statement in (filed.json()["digest"], second):
        claimed.world.execute(f"UPDATE ledger_entries SET {value} WHERE statement_id = ?", statement)  # noqa: S608
    listed = await claimed.get("/claims", BEA)
    assert [one["digest"] for one in listed.json()["claims"]] == [claimed.world.claim]
    assert listed.json()["unreadable"] == [filed.json()["claim"]]
    assert (await left_out(claimed, "/inbox"))[1] == [filed.json()["claim"]]
    assert await deposits_seen(claimed) == {1: "verified"}
    assert (await claimed.get(f"/claims/{filed.json()['digest']}", BEA)).status_code == 500


async def test_a_row_with_another_statement_than_it_names_is_shown_to_nobody(service: Service) -> None:
    other = aardvark(service)
    spoil(service.world, "kind = 'agreement' AND agreement_id = 'nordwind-halden'", other_envelope(other))
    answer = await service.get("/agreements/nordwind-halden")
    assert (answer.status_code, answer.json()["code"]) == (500, "ledger-corrupt")
    spoil(service.world, "statement_id = ?", other_envelope(other), deposited(service.world))
    assert (await service.get("/agreements/nordwind-halden/deposits/1")).status_code == 500


async def test_a_damaged_custody_epoch_keeps_nobody_from_the_agreement(claimed: Service) -> None:
    last = "(SELECT max(\"index\") FROM ledger_entries WHERE kind = 'custody')"
    spoil(claimed.world, f'"index" = {last}', b"{}")
    answer = await claimed.get("/agreements/nordwind-halden")
    assert answer.status_code == 200, answer.text
    assert (answer.json()["custody"], answer.json()["unreadable"]) == ([], ["custody"])
    answer = await claimed.get("/agreements/nordwind-halden/readiness")
    assert answer.json()["ready"] is False
    assert "custody-unreadable" in {one["code"] for one in answer.json()["findings"]}


async def test_a_damaged_claim_is_named_to_nobody_whom_its_agreement_leaves_out(claimed: Service) -> None:
    spoil(claimed.world, "statement_id = ?", b"{}", claimed.world.claim)
    assert (await left_out(claimed, "/claims"))[1] == [claim_id(claimed.world.claim)]
    amended(claimed.world, but=BEA)
    assert await left_out(claimed, "/claims") == ([], [])


async def left_out(service: Service, address: str) -> tuple[list[str], list[str]]:
    answer = await service.get(address, BEA)
    assert answer.status_code == 200, answer.text
    shown = answer.json().get("claims", answer.json().get("items"))
    return [one["claim"] for one in shown], answer.json()["unreadable"]


def other_envelope(world: World) -> bytes:
    return envelope_bytes(world.agreement_statement())


def spoil(world: World, where: str, stored: bytes, *values: object) -> None:
    world.execute(f"UPDATE ledger_entries SET envelope = ? WHERE {where}", stored, *values)  # noqa: S608


def another_deposit(world: World) -> Digest:
    with reading(world.database) as session:
        live = live_custody(session, world.agreement.id)
    return world.deposit(CONTENTS, live)


async def deposits_seen(service: Service) -> dict[int, str]:
    answer = await service.get(f"/agreements/{service.world.agreement.id}/deposits")
    assert answer.status_code == 200, answer.text
    return {one["number"]: one["verdict"]["state"] for one in answer.json()["deposits"]}
