"""One damaged agreement hides no other: wherever several are read, the first of them is altered here."""

import pytest

from api.backend.damage import unless_damaged
from tallystick.crypto.json.canonical import sha256_digest
from tallystick.crypto.keys import key_id
from tallystick.domain.errors import MalformedError
from tallystick.domain.ids import AgreementId, PersonId
from tallystick.domain.statements.keys import KeyRevocation
from tallystick.store.blobs.uploads import BlobPurpose, StoredBlob, record_blob
from tallystick.store.database.session import DatabaseUnavailableError, transaction
from tests.support.sites.service import Service
from tests.support.worlds.agreements import ANA, BEA, DORA, KIM, PEOPLE, agreement
from tests.support.worlds.gate_worlds import World

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


async def test_a_key_sees_its_other_agreements_where_one_cannot_say_who_was_revoked(service: Service) -> None:
    other = aardvark(service)
    revoke(other, service, KIM)
    assert await listed(service, KIM) == ["nordwind-halden"]
    assert await listed(service, BEA) == ["aardvark", "nordwind-halden"]
    damage(other)
    assert (await service.get("/agreements/aardvark", BEA)).status_code == 404, "BEA may be revoked as well"
    assert await listed(service, BEA) == ["nordwind-halden"]


async def test_who_may_be_revoked_in_every_agreement_is_refused(service: Service) -> None:
    revoke(service.world, service, KIM)
    damage(service.world)
    answer = await service.get("/agreements", BEA)
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")


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
                purpose=BlobPurpose.DEPOSIT,
            )
            record_blob(session, blob)
    damage(other)
    assert (await service.get(f"/blobs/{digest}", ANA)).content == SEALED
    assert (await service.get(f"/blobs/{digest}", BEA)).status_code == 404


def test_only_damage_is_passed_over() -> None:
    with unless_damaged("it is unreadable"):
        raise MalformedError("altered")
    with pytest.raises(DatabaseUnavailableError), unless_damaged("it is unreadable"):
        raise DatabaseUnavailableError("no answer")
