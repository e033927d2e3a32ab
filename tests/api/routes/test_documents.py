"""A claim is taken only with its evidence documents in the stores, sealed to all who may read them."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from tallystick.crypto.age import seal_bytes
from tallystick.crypto.age.header import Stanza, encode_header
from tallystick.crypto.age.keys import FILE_KEY_BYTES, X25519Identity
from tallystick.domain.agreement.parties import Role
from tallystick.domain.ids import PersonId, sha256_digest
from tallystick.domain.kinds import Authority, Outcome
from tallystick.domain.statements.acts import Intake, Objection
from tallystick.domain.statements.header import Document
from tallystick.domain.statements.orders import Ruling
from tests.support.sites.service import Service
from tests.support.worlds.agreements import (
    ABE,
    AGREEMENT,
    ANA,
    BEA,
    BEN,
    DIRK,
    DORA,
    KIM,
    PEOPLE,
    TOM,
    agreement,
)
from tests.support.worlds.documents import ITEMS, document, sealed
from tests.support.worlds.gate_worlds import World

ITEM = "outage-record"
READERS = [PEOPLE[person].identity.recipient() for person in (ANA, ABE, KIM, TOM, DORA, DIRK)]
CLASSIC = X25519Identity(seed=bytes(range(32))).recipient()
FILE_KEY = bytes(FILE_KEY_BYTES)
STANZAS = [reader.wrap(FILE_KEY) for reader in READERS]


def by_passphrase() -> bytes:
    salted = Stanza(kind="scrypt", arguments=("AAAAAAAAAAAAAAAAAAAAAA", "10"), body=bytes(32))
    return encode_header([salted], FILE_KEY) + bytes(64)


async def filed(service: Service, data: bytes, person: PersonId = BEA) -> tuple[int, str]:
    """File a claim one of whose documents is `data`, which `person` has uploaded."""
    first = service.world.documents(service.clock.now, ["insolvency-record"])
    service.world.uploads(data, person)
    second = document(service.world.agreement, ITEM, service.clock.now, data)
    answer = await service.post("/claims", service.filing(evidence=(*first, second)), BEA)
    return answer.status_code, answer.json().get("code", "")


async def test_a_claim_whose_documents_never_arrived_is_refused_until_they_have(service: Service) -> None:
    now, terms = service.clock.now, service.world.agreement
    documents = tuple(document(terms, item, now) for item in ("insolvency-record", ITEM))
    filing = service.filing(evidence=documents)
    refused = await service.post("/claims", filing, BEA)
    assert (refused.status_code, refused.json()["code"]) == (422, "documents-missing")
    assert refused.json()["facts"]["missing"] == [
        {"item": one.item, "sealed_digest": one.sealed_digest} for one in documents
    ]
    service.world.documents(now, ["insolvency-record"])
    refused = await service.post("/claims", filing, BEA)
    assert [one["item"] for one in refused.json()["facts"]["missing"]] == [ITEM]
    service.world.documents(now)
    assert (await service.post("/claims", filing, BEA)).status_code == 201


async def test_an_upload_through_the_door_is_enough(service: Service) -> None:
    now, data = service.clock.now, sealed(service.world.agreement, ITEM)
    first = service.world.documents(now, ["insolvency-record"])
    named = document(service.world.agreement, ITEM, now)
    where = {"agreement": service.world.agreement.id, "purpose": "evidence"}
    path, signed_in = f"/v1/blobs/{named.sealed_digest}", service.signed_in(BEN)
    sent = await service.http.put(path, content=data, params=where, headers=signed_in)
    assert sent.status_code == 201
    answer = await service.post("/claims", service.filing(evidence=(*first, named)), BEA)
    assert answer.status_code == 201, "a colleague of the claimant may send it"


@pytest.mark.parametrize("sender", [DORA, ANA])
async def test_another_partys_document_is_not_the_claimants(sender: PersonId, service: Service) -> None:
    data = sealed(service.world.agreement, ITEM)
    assert await filed(service, data, sender) == (422, "documents-missing")


async def test_a_document_that_was_sent_for_something_else_is_missing(service: Service) -> None:
    data = sealed(service.world.agreement, ITEM)
    service.world.uploads(data)
    service.world.execute("UPDATE blobs SET purpose = 'deposit' WHERE digest = ?", sha256_digest(data))
    documents = (
        *service.world.documents(service.clock.now, ["insolvency-record"]),
        document(service.world.agreement, ITEM, service.clock.now),
    )
    answer = await service.post("/claims", service.filing(evidence=documents), BEA)
    assert (answer.status_code, answer.json()["code"]) == (422, "documents-missing")


async def test_a_document_that_has_not_arrived_as_a_whole_is_missing(service: Service) -> None:
    data = sealed(service.world.agreement, ITEM)
    service.world.uploads(data)
    service.world.execute(
        "UPDATE blobs SET arrived_at = NULL, arriving_bytes = 9 WHERE digest = ?", sha256_digest(data)
    )
    documents = (
        *service.world.documents(service.clock.now, ["insolvency-record"]),
        document(service.world.agreement, ITEM, service.clock.now),
    )
    answer = await service.post("/claims", service.filing(evidence=documents), BEA)
    assert (answer.status_code, answer.json()["code"]) == (422, "documents-missing")


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(lambda: b"The record.\n", id="not sealed"),
        pytest.param(lambda: b"", id="empty"),
        pytest.param(lambda: seal_bytes(b"x", [PEOPLE[BEA].identity.recipient()]), id="to the claimant"),
        pytest.param(lambda: seal_bytes(b"x", READERS[:-1]), id="one reader left out"),
        pytest.param(lambda: seal_bytes(b"x", [*READERS, READERS[0]]), id="one reader more"),
        pytest.param(lambda: seal_bytes(b"x", [CLASSIC] * len(READERS)), id="no post-quantum recipient"),
        pytest.param(
            lambda: encode_header([*STANZAS, CLASSIC.wrap(FILE_KEY)], FILE_KEY), id="another type beside"
        ),
        pytest.param(by_passphrase, id="a passphrase"),
        pytest.param(lambda: encode_header([STANZAS[0]] * len(READERS), FILE_KEY), id="one stanza six times"),
        pytest.param(lambda: encode_header(STANZAS, FILE_KEY)[:-50], id="cut within the header"),
    ],
)
async def test_a_document_that_is_not_sealed_to_all_readers_is_refused(
    data: Callable[[], bytes], service: Service
) -> None:
    assert await filed(service, data()) == (422, "documents-sealed-otherwise")


async def test_documents_are_sealed_to_the_readers_of_the_version_that_the_claim_is_under(
    service: Service,
) -> None:
    fewer = agreement(version=2, supersedes=service.world.digest, evidence_readers=(ANA, KIM))
    newer = World(folder=service.world.folder, agreement=fewer)
    newer.register()
    later = replace(service, world=newer)
    assert await filed(later, sealed(service.world.agreement, ITEM)) == (422, "documents-sealed-otherwise")
    assert await filed(later, sealed(fewer, ITEM)) == (201, "")


async def test_a_document_that_no_store_has_any_more_is_missing(service: Service) -> None:
    documents = service.world.documents(service.clock.now)
    first, second = service.world.sealed_files(documents[1].sealed_digest)
    first.unlink()
    data = second.read_bytes()
    second.write_bytes(b"rot")
    filing = service.filing(evidence=documents)
    refused = await service.post("/claims", filing, BEA)
    assert refused.json()["code"] == "documents-missing"
    assert [one["item"] for one in refused.json()["facts"]["missing"]] == [ITEM]
    second.write_bytes(data)
    assert (await service.post("/claims", filing, BEA)).status_code == 201, "one good copy is enough"


async def test_a_store_that_cannot_be_read_says_nothing_about_a_document(service: Service) -> None:
    documents = service.world.documents(service.clock.now)
    filing = service.filing(evidence=documents)
    lost, unreadable = service.world.sealed_files(documents[0].sealed_digest)
    lost.unlink()
    data = unreadable.read_bytes()
    unreadable.unlink()
    unreadable.mkdir()
    answer = await service.post("/claims", filing, BEA)
    assert (answer.status_code, answer.json()["code"]) == (503, "blob-store-failed")
    unreadable.rmdir()
    unreadable.write_bytes(data)
    assert (await service.post("/claims", filing, BEA)).status_code == 201


async def test_a_claim_on_record_is_acknowledged_again_whatever_became_of_its_documents(
    service: Service,
) -> None:
    documents = service.world.documents(service.clock.now)
    filing = service.filing(evidence=documents)
    first = await service.post("/claims", filing, BEA)
    for one in documents:
        for copy in service.world.sealed_files(one.sealed_digest):
            copy.unlink()
        service.world.execute("DELETE FROM blobs WHERE digest = ?", one.sealed_digest)
    service.clock.passes(timedelta(minutes=1))
    again = await service.post("/claims", filing, BEA)
    assert (again.status_code, again.json()) == (first.status_code, first.json())


async def test_only_its_readers_and_its_sender_fetch_a_document(service: Service) -> None:
    (one,) = service.world.documents(service.clock.now, [ITEM])
    people = (ANA, ABE, KIM, TOM, DORA, DIRK, BEA, BEN)
    seen = {
        person: (await service.get(f"/blobs/{one.sealed_digest}", person)).status_code for person in people
    }
    assert seen == {**dict.fromkeys(people, 200), BEN: 404}


async def test_readers_of_a_claims_own_version_fetch_its_documents_though_a_newer_one_names_others(
    service: Service,
) -> None:
    documents = service.world.documents(service.clock.now)
    assert (await service.post("/claims", service.filing(evidence=documents), BEA)).status_code == 201
    fewer = agreement(version=2, supersedes=service.world.digest, evidence_readers=(ANA, BEN))
    World(folder=service.world.folder, agreement=fewer).register()
    path = f"/blobs/{documents[0].sealed_digest}"
    assert (await service.get(path, KIM)).status_code == 200
    loose = service.world.uploads(b"named by no claim")
    assert [(await service.get(f"/blobs/{loose}", one)).status_code for one in (ANA, BEN, KIM)] == [
        200,
        200,
        404,
    ]


async def test_the_documents_of_a_claim_are_listed_with_what_its_party_has_sent(service: Service) -> None:
    now, terms = service.clock.now, service.world.agreement
    documents = service.world.documents(now)
    claim = (await service.post("/claims", service.filing(evidence=documents), BEA)).json()["digest"]
    path = f"/claims/{claim}/documents"
    listed = (await service.get(path, KIM)).json()
    sizes = [len(sealed(terms, one.item)) for one in documents]
    assert [(one["number"], one["name"], one["size_bytes"]) for one in listed["documents"]] == [
        (1, documents[0].item, sizes[0]),
        (2, documents[1].item, sizes[1]),
    ]
    assert (listed["documents"][0]["person"], listed["documents"][0]["statement"]) == (BEA, claim)
    service.world.execute("UPDATE blobs SET lost = 1 WHERE digest = ?", documents[0].sealed_digest)
    service.world.execute("UPDATE blobs SET party = 'nordwind' WHERE digest = ?", documents[1].sealed_digest)
    again = (await service.get(f"{path}?limit=1", KIM)).json()
    rest = (await service.get(f"{path}?cursor={again['next']}", KIM)).json()
    assert [one["size_bytes"] for one in (*again["documents"], *rest["documents"])] == [None, None]
    assert rest["next"] is None


async def objects(service: Service, data: bytes) -> None:
    """Have the depositor object to the world's claim, with a document that is sealed as `data`."""
    document = Document(
        name="receipt", plain_digest=sha256_digest(b"paid"), sealed_digest=sha256_digest(data)
    )
    assert (await service.says("intakes", Intake, ANA, accepted=True)).status_code == 201
    members = {"ground": "cured", "explanation": "We have paid.", "documents": (document,)}
    answer = await service.says("objections", Objection, DORA, **members)
    assert answer.status_code == 201, answer.text


async def test_an_objection_is_on_record_before_its_document_is_sent_and_the_document_is_told_as_missing(
    claimed: Service,
) -> None:
    data = sealed(claimed.world.agreement, "receipt")
    await objects(claimed, data)
    path, place = f"/claims/{claimed.world.claim}", {"agreement": AGREEMENT.id, "purpose": "evidence"}
    assert (await claimed.get(path)).json()["state"] == "CONTESTED"
    *_, told = (await claimed.get(f"{path}/documents")).json()["documents"]
    assert (told["name"], told["person"], told["size_bytes"]) == ("receipt", DORA, None)
    sent = await claimed.http.put(
        f"/v1/blobs/{sha256_digest(data)}", content=data, params=place, headers=claimed.signed_in(DORA)
    )
    assert sent.status_code == 201
    *_, told = (await claimed.get(f"{path}/documents")).json()["documents"]
    assert told["size_bytes"] == len(data)
    fetched = {
        person: (await claimed.get(f"/blobs/{sha256_digest(data)}", person)).status_code
        for person in (KIM, TOM, DORA, BEA, BEN)
    }
    assert fetched == {KIM: 200, TOM: 200, DORA: 200, BEA: 404, BEN: 404}


async def test_a_document_that_another_party_sent_is_not_the_objectors(claimed: Service) -> None:
    data = sealed(claimed.world.agreement, "receipt")
    await objects(claimed, data)
    claimed.world.uploads(data, ANA)
    *_, told = (await claimed.get(f"/claims/{claimed.world.claim}/documents")).json()["documents"]
    assert told["size_bytes"] is None


async def test_readers_of_the_claims_own_version_fetch_what_an_objection_brings(claimed: Service) -> None:
    data = sealed(claimed.world.agreement, "receipt")
    await objects(claimed, data)
    claimed.world.uploads(data, DORA)
    fewer = agreement(version=2, supersedes=claimed.world.digest, evidence_readers=(ANA, BEN))
    World(folder=claimed.world.folder, agreement=fewer).register()
    assert (await claimed.get(f"/blobs/{sha256_digest(data)}", KIM)).status_code == 200


async def rules(service: Service, outcome: Outcome, data: bytes) -> tuple[int, str]:
    """Have the arbitrator rule on the world's claim, with an award that is sealed as `data`."""
    award = Document(name="award", plain_digest=sha256_digest(b"heard"), sealed_digest=sha256_digest(data))
    members = {"authority": Authority.ARBITRATION, "outcome": outcome, "reason": "Heard."}
    answer = await service.says("rulings", Ruling, KIM, **members, documents=(award,))
    return answer.status_code, answer.json().get("code", "")


async def test_an_order_to_release_is_taken_only_with_its_papers_in_the_stores(claimed: Service) -> None:
    await objects(claimed, b"never sent")
    award = sealed(claimed.world.agreement, "award")
    assert await rules(claimed, Outcome.RELEASE, award) == (422, "papers-missing")
    claimed.world.uploads(award, ANA)
    assert await rules(claimed, Outcome.RELEASE, award) == (422, "papers-missing"), "another party's"
    claimed.world.uploads(award, KIM)
    assert (await rules(claimed, Outcome.RELEASE, award))[0] == 201


async def test_an_order_to_refuse_is_taken_without_its_papers(claimed: Service) -> None:
    await objects(claimed, b"never sent")
    assert (await rules(claimed, Outcome.REFUSE, b"never sent either"))[0] == 201
    state = (await claimed.get(f"/claims/{claimed.world.claim}")).json()["state"]
    assert state == "REFUSED"


async def test_a_reader_of_another_beneficiary_fetches_no_document_of_a_claim(claimed: Service) -> None:
    data, record = sealed(claimed.world.agreement, "receipt"), sealed(claimed.world.agreement, ITEMS[0])
    await objects(claimed, data)
    claimed.world.uploads(data, DORA)
    rival = tuple(
        replace(one, role=Role.BENEFICIARY) if one.id == "marlowe" else one for one in AGREEMENT.parties
    )
    newer = agreement(version=2, supersedes=claimed.world.digest, parties=rival)
    World(folder=claimed.world.folder, agreement=newer).register()
    loose = claimed.world.uploads(b"by the vendor, for no claim", DORA)
    for one in (loose, claimed.world.uploads(b"by the claimant, for no claim", BEA)):
        assert [(await claimed.get(f"/blobs/{one}", who)).status_code for who in (KIM, TOM)] == [200, 404]
    # Under the version that the claim pins, there was one beneficiary.
    for one in map(sha256_digest, (data, record)):
        assert (await claimed.get(f"/blobs/{one}", TOM)).status_code == 200
