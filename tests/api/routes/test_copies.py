"""An API that may write one store only: the worker copies what it acknowledges, and it can spoil one copy."""

from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from typing import Final

import pytest
from sqlmodel import col, delete

from activities.rounds.catching_up import CopiesSoon
from activities.rounds.copies import Copies
from tallystick.domain.ids import Digest, party_of, sha256_digest
from tallystick.store.blobs import room
from tallystick.store.blobs.room import Upload
from tallystick.store.blobs.uploads import BlobPurpose
from tallystick.store.database.session import transaction
from tallystick.store.database.tables import EntryRow
from tallystick.store.registers import deposits
from tests.api.http.test_metrics_port import figures
from tests.support.sites.service import Service, serving
from tests.support.worlds.agreements import BEA, DOCS, DORA, LOG_KEY
from tests.support.worlds.documents import sealed
from tests.support.worlds.gate_worlds import World
from tests.support.worlds.prepared_worlds import prepared_world

ITEM: Final = "outage-record"


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> World:
    return prepared_world(tmp_path_factory.mktemp("prepared"))


@pytest.fixture
async def service(prepared: World, tmp_path: Path) -> AsyncGenerator[Service]:
    async with serving(prepared.copied_to(tmp_path / "world"), read_only="south") as running:
        yield running


def worker(service: Service) -> Copies:
    """What the worker does, which may write both."""
    return Copies(
        database=service.world.database,
        blobs=service.world.blobs,
        log_key=LOG_KEY,
        clock=service.clock.read,
        rest=lambda _: None,
    )


def where(service: Service) -> dict[str, str]:
    return {"agreement": service.world.agreement.id, "purpose": "evidence"}


async def put(service: Service, data: bytes) -> int:
    path, headers = f"/v1/blobs/{sha256_digest(data)}", service.signed_in(BEA)
    answer = await service.http.put(path, content=data, params=where(service), headers=headers)
    return answer.status_code


async def offset_of(service: Service, digest: Digest) -> int:
    path, headers = f"/v1/blobs/{digest}", service.signed_in(BEA)
    answer = await service.http.head(path, params=where(service), headers=headers)
    return int(answer.headers["upload-offset"])


async def got(service: Service, digest: Digest) -> tuple[int, bytes]:
    answer = await service.http.get(f"/v1/blobs/{digest}", headers=service.signed_in(BEA))
    return answer.status_code, answer.content


async def test_an_upload_is_acknowledged_with_one_copy_and_copied_by_the_worker(service: Service) -> None:
    data = sealed(service.world.agreement, ITEM)
    digest = sha256_digest(data)
    assert await put(service, data) == 201
    (north,) = service.world.sealed_files(digest)
    assert "/north/" in str(north)
    assert "tallystick_copies_behind 1.0" in await figures(service)

    CopiesSoon(worker(service), long=False).copy()

    assert [path.read_bytes() for path in service.world.sealed_files(digest)] == [data] * 2
    assert "tallystick_copies_behind 0.0" in await figures(service)
    assert "tallystick_copies_behind_seconds 0.0" in await figures(service)


async def test_a_document_with_one_copy_is_enough_to_file(service: Service) -> None:
    first = service.world.documents(service.clock.now, ["insolvency-record"])
    assert await put(service, sealed(service.world.agreement, ITEM)) == 201
    second = service.world.documents(service.clock.now, [ITEM])
    answer = await service.post("/claims", service.filing(evidence=(*first, *second)), BEA)
    assert answer.status_code == 201


def overwrite(path: Path) -> None:
    path.write_bytes(b"spoilt")


async def test_a_deposit_says_which_copies_its_verdict_waits_for(service: Service) -> None:
    with transaction(service.world.database) as session:
        stored = deposits.latest(session, service.world.agreement.id)
        assert stored is not None
        one = next(one for one in stored.body().components if one.component == DOCS)
        session.exec(delete(EntryRow).where(col(EntryRow.cause) == stored.digest))
        upload = Upload(
            agreement_id=service.world.agreement.id,
            digest=one.sealed_digest,
            purpose=BlobPurpose.DEPOSIT,
            owner=sha256_digest(b"dora's key"),
            party=party_of(DORA),
        )
        room.has_arrived(session, upload, one.sealed_bytes, service.clock.now, everywhere=False)
    path = f"/agreements/{service.world.agreement.id}/deposits/{stored.number}"
    verdict = (await service.get(path, DORA)).json()["verdict"]
    assert (verdict["state"], verdict["because"]) == ("pending", ["docs: not every store has a copy yet"])

    worker(service).look_at(one.sealed_digest)
    assert (await service.get(path, DORA)).json()["verdict"]["because"] == []


@pytest.mark.parametrize("spoil", [Path.unlink, overwrite])
async def test_what_the_api_spoils_in_its_store_is_repaired_from_the_other(
    service: Service, spoil: Callable[[Path], object]
) -> None:
    data = sealed(service.world.agreement, ITEM)
    digest = sha256_digest(data)
    await put(service, data)
    CopiesSoon(worker(service), long=False).copy()
    spoil(service.world.sealed_files(digest)[0])

    assert await got(service, digest) == (200, data)
    assert await put(service, data) == 201, "which the sender may do as well"
    worker(service).look_at(digest)
    assert [path.read_bytes() for path in service.world.sealed_files(digest)] == [data] * 2


async def test_a_document_that_is_lost_is_sent_again_from_its_first_byte(service: Service) -> None:
    data = sealed(service.world.agreement, ITEM)
    digest = sha256_digest(data)
    await put(service, data)
    for path in service.world.sealed_files(digest):
        path.unlink()
    assert await offset_of(service, digest) == len(data), "as far as anybody knows"

    worker(service).look_at(digest)

    assert await offset_of(service, digest) == 0
    assert await put(service, data) == 201
    assert await offset_of(service, digest) == len(data)
    CopiesSoon(worker(service), long=False).copy()
    assert len(service.world.sealed_files(digest)) == 2
