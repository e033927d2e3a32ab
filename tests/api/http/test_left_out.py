"""Those whom the newest version of an agreement leaves out: they see what concerns claims under their own."""

from dataclasses import replace
from datetime import timedelta

from tallystick.crypto.keys import SigningKey
from tallystick.domain.ids import PersonId
from tallystick.domain.statements.acts import Intake
from tests.api.routes.test_blobs import DATA, DIGEST, put
from tests.support.sites.service import Service
from tests.support.worlds.agreements import ANA, BEA, DORA, agreement
from tests.support.worlds.gate_worlds import World
from tests.support.worlds.prepared_worlds import deposited

ABE = PersonId("abe@harbour")
LOG = "/agreements/nordwind-halden/ledger"


def amended(world: World, *, but: PersonId | None = ABE) -> World:
    """The deployment with a second version of the agreement, in which one person has another key."""
    persons = tuple(
        replace(person, signing_key=SigningKey(32 * b"n").public_key) if person.id == but else person
        for person in world.agreement.persons
    )
    others_first = tuple(sorted(persons, key=lambda person: person.id == but))  # the first of a party signs
    newer = agreement(version=2, supersedes=world.digest, persons=others_first)
    after = World(folder=world.folder, agreement=newer)
    after.register()
    return after


async def statements(service: Service, person: PersonId) -> dict[str, str]:
    """The ledger's statements by kind, as one who sees all of it reads them."""
    entries = (await service.get(f"{LOG}/entries", person)).json()["entries"]
    return {entry["kind"]: entry["statement"] for entry in entries}


async def test_the_claim_under_their_own_version_is_theirs_as_before(claimed: Service) -> None:
    amended(claimed.world)
    claim, version = claimed.world.claim, claimed.world.digest
    assert (await claimed.get(f"/claims/{claim}", ABE)).json()["digest"] == claim
    assert [one["digest"] for one in (await claimed.get("/claims", ABE)).json()["claims"]] == [claim]
    assert [one["what"] for one in (await claimed.get("/inbox", ABE)).json()["items"]] == ["intake"]
    own = (await claimed.get("/agreements/nordwind-halden", ABE, digest=version)).json()
    assert (own["version"], own["custody"]) == (1, [])
    assert (await claimed.says("intakes", Intake, ABE, accepted=True)).status_code == 201
    assert (await claimed.get(f"{LOG}/entries/{claim}", ABE)).status_code == 200
    assert (await claimed.get(LOG, ABE)).status_code == 200
    assert (await claimed.get(f"/claims/{claim}/draft/denial", ABE, reason="no")).status_code == 200


async def test_what_came_after_them_is_not_there(claimed: Service) -> None:
    newer = amended(claimed.world)
    other = newer.file(deposited(newer), claimed.clock.now + timedelta(minutes=1)).claim
    assert (await claimed.get(f"/claims/{other}", BEA)).status_code == 200
    for path, query in (
        (f"/claims/{other}", {}),
        (f"/claims/{other}/events", {}),
        ("/agreements/nordwind-halden", {}),
        ("/agreements/nordwind-halden", {"digest": newer.digest}),
        ("/agreements/nordwind-halden/summary", {}),
        ("/agreements/nordwind-halden/readiness", {}),
        ("/agreements/nordwind-halden/deposits", {}),
        ("/agreements/nordwind-halden/deposits/1", {}),
        (f"{LOG}/entries", {}),
        (f"{LOG}/entries/{other}", {}),
        (f"{LOG}/entries/{newer.digest}", {}),
    ):
        assert (await claimed.get(path, ABE, **query)).status_code == 404, path
    told = await claimed.get("/claims", ABE)
    assert [one["digest"] for one in told.json()["claims"]] == [claimed.world.claim]
    assert other not in (await claimed.get("/inbox", ABE)).text
    assert (await claimed.get("/agreements", ABE)).json() == {
        "agreements": [],
        "unreadable": [],
        "next": None,
    }


async def test_of_the_log_they_see_what_their_claims_stand_on(claimed: Service) -> None:
    amended(claimed.world)
    all_of_it = await statements(claimed, ANA)
    seen = {
        kind: (await claimed.get(f"{LOG}/entries/{statement}", ABE)).status_code == 200
        for kind, statement in all_of_it.items()
    }
    assert {kind for kind, theirs in seen.items() if theirs} == {"claim", "deposit"}
    own = await claimed.get(f"{LOG}/entries/{claimed.world.digest}", ABE)
    assert own.json()["kind"] == "agreement"


async def test_no_blob_is_theirs_but_the_documents_of_their_claims(claimed: Service) -> None:
    await put(claimed, DATA)
    assert (await claimed.get(f"/blobs/{DIGEST}", ABE)).status_code == 200
    amended(claimed.world)
    assert (await claimed.get(f"/blobs/{DIGEST}", ABE)).status_code == 404
    assert (await claimed.get(f"/blobs/{DIGEST}", ANA)).status_code == 200


async def test_without_a_claim_under_their_version_its_log_is_not_there(service: Service) -> None:
    amended(service.world)
    assert (await service.get(LOG, ABE)).status_code == 404
    assert (await service.get("/claims", ABE)).json() == {"claims": [], "unreadable": [], "next": None}


async def test_who_is_in_the_newest_version_sees_all_of_it(claimed: Service) -> None:
    newer = amended(claimed.world, but=None)
    other = newer.file(deposited(newer), claimed.clock.now + timedelta(minutes=1)).claim
    listed = (await claimed.get("/claims", ABE)).json()["claims"]
    assert {one["digest"] for one in listed} == {claimed.world.claim, other}


def renamed(world: World) -> None:
    """Register a second version in which two people have each other's names, and keep their keys."""
    keys = {person.id: person.signing_key for person in world.agreement.persons}
    other = {BEA: ANA, ANA: BEA}
    persons = tuple(
        replace(person, signing_key=keys[other.get(person.id, person.id)])
        for person in world.agreement.persons
    )
    newer = agreement(version=2, supersedes=world.digest, persons=persons)
    World(folder=world.folder, agreement=newer).register()


async def test_about_a_claim_they_are_who_they_are_in_its_own_version(claimed: Service) -> None:
    claim = claimed.world.claim
    renamed(claimed.world)
    asked = {"reason": "cured", "explanation": "paid"}
    drafted = (await claimed.get(f"/claims/{claim}/draft/withdrawal", BEA, **asked)).json()
    assert drafted["body"]["person"] == BEA
    assert [one["what"] for one in (await claimed.get("/inbox", ANA)).json()["items"]] == ["intake"]
    assert (await claimed.get("/inbox", BEA)).json()["items"] == []


async def test_a_claim_names_no_deposit_by_a_key_that_its_version_leaves_out(service: Service) -> None:
    service.world = amended(service.world, but=DORA)
    refused = (await service.post("/claims", service.filing(), person=BEA)).json()
    assert refused["code"] == "deposit-not-claimable"
    assert refused["facts"]["deposit"] == deposited(service.world)


async def test_a_claim_names_a_deposit_from_before_its_version_by_a_key_that_both_have(
    service: Service,
) -> None:
    service.world = amended(service.world)
    assert (await service.post("/claims", service.filing(), person=BEA)).status_code == 201
