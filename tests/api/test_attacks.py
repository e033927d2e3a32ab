"""What an adversary tried against the API, in vain."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from httpx import Response

from tallystick.crypto.keys import SigningKey
from tallystick.domain.ids import Digest, PersonId
from tallystick.domain.kinds import Outcome, ReceiptOutcome
from tallystick.domain.quorum import Quorum
from tallystick.domain.statements.keys import KeyRevocation
from tallystick.domain.statements.orders import JointInstruction
from tallystick.domain.statements.receipts import Receipt, Return
from tests.support.sites.service import Service, serving
from tests.support.worlds.agreements import ANA, BEA, CRITICAL, DORA, KIM, PEOPLE, TOM, agreement
from tests.support.worlds.gate_worlds import READY, World
from tests.support.worlds.prepared_worlds import ready_world

ABE = PersonId("abe@harbour")
NO_DIGEST = Digest("sha256:" + 64 * "0")


def key_of(person: PersonId) -> str:
    return PEOPLE[person].signing_key.public_key


async def revokes(service: Service, world: World, owner: PersonId, *by: PersonId) -> Response:
    body = world.body(KeyRevocation, by[0], service.clock.now, key=key_of(owner), reason="stolen")
    sent = world.signed(body, *(PEOPLE[person].signing_key for person in by))
    return await service.post(f"/agreements/{world.agreement.id}/revocations", sent, by[0])


def succeeded(world: World, **changes: object) -> World:
    """The same deployment, in which a newer version of the agreement is registered."""
    newer = agreement(version=2, supersedes=world.digest, **changes)
    after = World(folder=world.folder, agreement=newer)
    after.register()
    return after


async def test_claimant_does_not_pick_an_older_version_of_the_agreement(service: Service) -> None:
    succeeded(service.world)
    answer = await service.post("/claims", service.filing(), person=BEA)
    assert (answer.status_code, answer.json()["code"]) == (409, "agreement-superseded")


async def test_a_key_that_a_newer_version_dropped_can_still_be_revoked_for_a_running_claim(
    claimed: Service,
) -> None:
    persons = tuple(
        replace(person, signing_key=SigningKey(32 * b"n").public_key) if person.id == ABE else person
        for person in claimed.world.agreement.persons
    )
    succeeded(claimed.world, persons=persons)
    answer = await revokes(claimed, claimed.world, ABE, KIM, TOM)
    assert answer.status_code == 201, answer.text
    assert claimed.world.case().claim.revoked_at(PEOPLE[ABE].signing_key.public_key) == claimed.clock.now


async def test_the_rules_of_an_older_version_shut_nobody_out_of_the_newer(service: Service) -> None:
    old = service.world
    both = Quorum.from_json({"all": [ANA, DORA]}, "")
    authorities = replace(old.agreement.authorities, revocation=both)
    new = succeeded(old, authorities=authorities)
    assert (await revokes(service, old, DORA, KIM, TOM)).status_code == 201  # for claims that run under it
    assert (await service.get("/agreements", DORA)).status_code == 200
    assert (await revokes(service, new, DORA, KIM, TOM)).status_code == 403
    assert (await revokes(service, new, DORA, ANA, DORA)).status_code == 201
    assert (await service.get("/agreements", DORA)).status_code == 401


async def test_a_key_that_a_newer_versions_quorum_revoked_stops_counting_for_running_claims(
    claimed: Service,
) -> None:
    authorities = replace(claimed.world.agreement.authorities, revocation=Quorum.from_json(DORA, ""))
    newer = succeeded(claimed.world, authorities=authorities)
    assert (await revokes(claimed, claimed.world, TOM, DORA)).status_code == 403  # by the rules of old
    assert (await revokes(claimed, newer, TOM, DORA)).status_code == 201
    assert claimed.world.case().claim.revoked_at(PEOPLE[TOM].signing_key.public_key) == claimed.clock.now
    assert (claimed.world.claim, "a key was revoked") in claimed.engine.asked


async def test_a_damaged_claim_keeps_no_stolen_key_alive(claimed: Service) -> None:
    claimed.world.execute("UPDATE ledger_entries SET envelope = x'7b7d' WHERE kind = 'claim'")
    assert (await revokes(claimed, claimed.world, KIM, KIM)).status_code == 201


async def test_a_return_ordered_after_the_end_can_be_certified(tmp_path: Path) -> None:
    world, at = ready_world(tmp_path / "site"), READY + timedelta(hours=1)
    assert world.decide().outcome == "released"
    components = world.agreement.stage(CRITICAL).components
    received, outcome = world.received(), ReceiptOutcome.ACTIVATED
    world.say(Receipt, BEA, at, stage=CRITICAL, outcome=outcome, components=received, detail="it runs")
    world.settle(at)
    async with serving(world) as service:
        service.clock.now, service.engine.ended = at + timedelta(days=900), True
        body = world.body(
            JointInstruction,
            DORA,
            service.clock.now,
            claim=world.claim,
            outcome=Outcome.RETURN,
            reason="paid",
        )
        order = world.signed(body, PEOPLE[DORA].signing_key, PEOPLE[BEA].signing_key)
        answer = await service.post(f"/claims/{world.claim}/joint-instructions", order, DORA)
        assert (answer.status_code, answer.json()["state"]) == (201, "RETURN_DUE")
        answer = await service.says(
            "returns", Return, BEA, components=components, method="deleted", certificate="by an officer"
        )
        assert (answer.status_code, answer.json()["state"]) == (201, "RETURNED"), answer.text
