"""Two beneficiaries of one agreement: neither learns of the other's claims, and both can verify the log."""

from collections.abc import Mapping

import pytest

from tallystick.client.answers import objects
from tallystick.crypto.keys import SigningKey
from tallystick.crypto.log.merkle import Frontier
from tallystick.domain.json import JsonObject
from tallystick.store.database.session import reading
from tallystick.store.ledger import ledger
from tests.support.sites.service import Service, serving
from tests.support.stories.standings import OLGA, standings
from tests.support.worlds.agreements import BEA, KIM, PEOPLE
from tests.support.worlds.gate_worlds import World

NOWHERE = "sha256:" + 64 * "7"


@pytest.fixture(scope="module")
def worlds(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, World]:
    return standings(tmp_path_factory.mktemp("standings"))


async def get(service: Service, key: SigningKey, path: str) -> JsonObject:
    answer = await service.http.get(path, headers={"authorization": f"Bearer {service.token(key)}"})
    told: JsonObject = answer.json()
    return told


async def test_lists_show_a_rival_nothing_and_no_place_where_a_claim_would_be(
    worlds: Mapping[str, World],
) -> None:
    async with serving(worlds["decided"]) as service:
        for key, length in (
            (OLGA.signing_key, 0),
            (PEOPLE[BEA].signing_key, 1),
            (PEOPLE[KIM].signing_key, 1),
        ):
            shown = await get(service, key, "/v1/claims?limit=1")
            assert (len(objects(shown, "claims")), shown["next"]) == (length, None)
        assert await get(service, OLGA.signing_key, "/v1/inbox") == {
            "items": [],
            "unreadable": [],
            "next": None,
        }


@pytest.mark.parametrize("route", ["", "/timeline", "/evidence", "/draft/denial"])
async def test_a_rivals_claim_and_one_that_there_is_not_get_the_same_answer(
    route: str, worlds: Mapping[str, World]
) -> None:
    async with serving(worlds["decided"]) as service:
        claim, key = service.world.claim, OLGA.signing_key
        assert await get(service, key, f"/v1/claims/{claim}{route}") == await get(
            service, key, f"/v1/claims/{NOWHERE}{route}"
        )


async def test_a_rival_verifies_the_whole_log_though_entries_are_withheld(
    worlds: Mapping[str, World],
) -> None:
    async with serving(worlds["decided"]) as service:
        path = f"/v1/agreements/{service.world.agreement.id}/ledger/entries"
        shown = objects(await get(service, OLGA.signing_key, path), "entries")
        withheld = [entry for entry in shown if "leaf" in entry]
        assert {len(entry) for entry in withheld} == {2}
        whole = objects(await get(service, PEOPLE[KIM].signing_key, path), "entries")
        about = [entry["index"] for entry in whole if entry["claim"] is not None]
        assert [entry["index"] for entry in withheld] == about != []
        with reading(service.world.database) as session:
            stored = ledger.entries(session, service.world.agreement.id, after=-1, limit=1000)
            root = ledger.frontier_of(session, service.world.agreement.id).root()
    tree = Frontier()
    leaves = {entry["index"]: bytes.fromhex(str(entry["leaf"])) for entry in withheld}
    for entry in stored:
        tree = tree.append(leaves.get(entry.index, entry.leaf()))
    assert tree.root() == root
