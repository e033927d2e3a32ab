"""Blobs: uploads that are resumed, ranges, and who may fetch which bytes."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx

from tallystick.crypto.envelope import Envelope, statement_id
from tallystick.crypto.keys import key_id
from tallystick.domain.agreement.parties import Role
from tallystick.domain.ids import AgreementId, ComponentId, Digest, PartyId, PersonId, StageId, sha256_digest
from tallystick.domain.kinds import Purpose
from tallystick.domain.statements.acts import Approval, Intake
from tallystick.domain.statements.deposits import Deposit
from tallystick.domain.statements.engine import DecisionStatement
from tallystick.limits.storage import (
    BLOB_BYTES_MAX,
    BLOB_CHUNK_BYTES,
    DEPOSITS_PER_PERSON_AND_DAY_MAX,
    EVIDENCE_BLOB_BYTES_MAX,
    UPLOAD_IDLE_MAX,
    UPLOAD_RENEWED_BYTES,
    UPLOADS_UNDER_WAY_MAX,
)
from tallystick.messages import VerifyDeposit
from tallystick.store.blobs import room
from tallystick.store.blobs.folder import FileBlobStore
from tallystick.store.blobs.replicas import ReplicatedBlobs
from tallystick.store.blobs.room import Upload
from tallystick.store.blobs.store import ReplicaVerdict, StoreFullError
from tallystick.store.blobs.uploads import BlobPurpose, Uploads
from tallystick.store.database.session import reading, transaction
from tallystick.store.registers import deposits
from tallystick.store.registers.custody import live_custody
from tests.support.sites.service import Service, serving
from tests.support.worlds.agreements import (
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
from tests.support.worlds.gate_worlds import World
from tests.support.worlds.prepared_worlds import prepared_world, ready_world, unreadable_claim

DATA = b"sealed bytes " * 1000
DIGEST = sha256_digest(DATA)
AARDVARK = AgreementId("aardvark")  # the first that is looked at
WHERE = {"agreement": "nordwind-halden"}


async def put(
    service: Service,
    data: bytes,
    person: PersonId = DORA,
    *,
    digest: str = DIGEST,
    purpose: str = "deposit",
    offset: int | None = None,
    length: int | None = None,
) -> httpx.Response:
    headers = service.signed_in(person)
    if offset is not None:
        headers["upload-offset"] = str(offset)
    if length is not None:
        headers["upload-length"] = str(length)
    query = {**WHERE, "purpose": purpose}
    return await service.http.put(f"/v1/blobs/{digest}", content=data, params=query, headers=headers)


async def offset_of(service: Service, person: PersonId = DORA) -> int:
    answer = await service.http.head(f"/v1/blobs/{DIGEST}", params=WHERE, headers=service.signed_in(person))
    assert answer.status_code == 200
    return int(answer.headers["upload-offset"])


async def get(service: Service, person: PersonId, digest: str = DIGEST, **headers: str) -> httpx.Response:
    return await service.http.get(f"/v1/blobs/{digest}", headers={**service.signed_in(person), **headers})


async def test_an_upload_is_resumed_where_it_stopped(service: Service) -> None:
    half = len(DATA) // 2
    first = await put(service, DATA[:half], offset=0, length=len(DATA))
    assert (first.status_code, first.json()) == (202, {"offset": half})
    assert await offset_of(service) == half
    assert await offset_of(service, BEA) == 0, "nobody learns of another's upload"
    wrong = await put(service, DATA, offset=0, length=len(DATA))
    assert (wrong.status_code, wrong.json()["facts"]["received"]) == (409, half)
    last = await put(service, DATA[half:], offset=half, length=len(DATA))
    assert (last.status_code, last.json()) == (201, {"digest": DIGEST, "size_bytes": len(DATA)})
    assert await offset_of(service) == len(DATA)
    assert (await get(service, DORA)).content == DATA


async def test_a_lost_answer_to_the_last_part_is_given_again(service: Service) -> None:
    await put(service, DATA, length=len(DATA))
    again = await put(service, b"", offset=len(DATA), length=len(DATA))
    assert (again.status_code, again.json()["size_bytes"]) == (201, len(DATA))


async def test_a_blob_is_durable_in_every_store_when_it_is_acknowledged(service: Service) -> None:
    await put(service, DATA)
    assert len(service.world.sealed_files(DIGEST)) == 2


async def test_bytes_other_than_announced_are_not_kept(service: Service) -> None:
    other = await put(service, DATA[::-1])
    assert (other.status_code, other.json()["code"]) == (422, "blob-digest-mismatch")
    more = await put(service, DATA, length=len(DATA) - 1)
    assert (more.status_code, more.json()["code"]) == (422, "blob-size-mismatch")
    assert await offset_of(service) == 0
    assert not service.world.sealed_files(DIGEST)


async def test_only_the_depositor_sends_deposits(service: Service) -> None:
    answer = await put(service, DATA, BEA)
    assert (answer.status_code, answer.json()["code"]) == (403, "not-authorised-to-state")


async def test_nobody_uploads_what_comes_from_the_gate_alone(service: Service) -> None:
    for purpose in (BlobPurpose.CUSTODY_SHARE, BlobPurpose.CONTRIBUTION):
        answer = await put(service, DATA, KIM, purpose=purpose)
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid-parameter")


async def test_only_parties_whose_statements_bring_documents_send_evidence(service: Service) -> None:
    powers = replace(AGREEMENT.authorities, court_order=None)
    newer = agreement(version=2, supersedes=service.world.digest, authorities=powers)
    World(folder=service.world.folder, agreement=newer).register()
    answer = await put(service, DATA, TOM, purpose="evidence")
    assert (answer.status_code, answer.json()["code"]) == (403, "not-authorised-to-state")
    for person in (BEA, BEN, DORA, ANA, KIM):
        assert (await put(service, DATA, person, purpose="evidence")).status_code == 201, person


async def test_room_is_taken_before_bytes_arrive_and_by_each_purpose_for_itself(service: Service) -> None:
    async def begun(turn: int, person: PersonId, purpose: str, length: int) -> int:
        digest = sha256_digest(f"{turn}".encode())
        answer = await put(service, b"x", person, digest=digest, purpose=purpose, offset=0, length=length)
        assert answer.status_code == 202 or answer.json()["code"] == "blob-quota", answer.text
        return answer.status_code

    begun_at_once = [begun(turn, DORA, "deposit", BLOB_BYTES_MAX) for turn in range(5)]
    assert sorted(await asyncio.gather(*begun_at_once)) == [202, 202, 202, 409, 409]
    assert await begun(5, DIRK, "deposit", BLOB_BYTES_MAX) == 202
    assert await begun(6, DIRK, "deposit", BLOB_BYTES_MAX) == 409
    assert await begun(7, BEA, "evidence", EVIDENCE_BLOB_BYTES_MAX) == 202


async def test_a_long_request_takes_its_room_again_if_another_of_its_sender_ended_it(
    service: Service,
) -> None:
    upload = Upload(
        agreement_id=AgreementId("nordwind-halden"),
        digest=DIGEST,
        purpose=BlobPurpose.DEPOSIT,
        owner=key_id(PEOPLE[DORA].signing_key.public_key),
        party=PartyId("nordwind"),
    )
    piece = bytes(UPLOAD_RENEWED_BYTES // 8)

    async def body() -> AsyncIterator[bytes]:
        yield piece
        with transaction(service.world.database) as session:
            room.give_up(session, upload)
        for _ in range(8):
            yield piece

    headers = {**service.signed_in(DORA), "upload-length": str(10 * len(piece))}
    query = {**WHERE, "purpose": "deposit"}
    answer = await service.http.put(f"/v1/blobs/{DIGEST}", content=body(), params=query, headers=headers)
    assert answer.status_code == 202
    with reading(service.world.database) as session:
        assert not room.needs_room(session, upload, 10 * len(piece), service.clock.now)


async def test_the_room_of_wrong_bytes_is_free_again(service: Service) -> None:
    for turn in range(UPLOADS_UNDER_WAY_MAX + 1):
        answer = await put(service, b"other bytes", digest=sha256_digest(f"{turn}".encode()))
        assert (answer.status_code, answer.json()["code"]) == (422, "blob-digest-mismatch")
    assert (await put(service, DATA)).status_code == 201


class AlmostFull(FileBlobStore):
    """A store on a disk that has 1 GiB left."""

    def put(
        self, wanted: Digest, size_bytes: int, chunks: Iterable[bytes], *, spare_bytes: int = 0
    ) -> ReplicaVerdict:
        if size_bytes + spare_bytes > 1 << 30:
            raise StoreFullError("no room to spare on this disk")
        return super().put(wanted, size_bytes, chunks)


async def test_deposits_leave_room_on_the_disk_for_evidence(service: Service, tmp_path: Path) -> None:
    blobs = ReplicatedBlobs([AlmostFull(tmp_path / f"full-{name}") for name in "ab"])
    backend = replace(service.app.state.backend, uploads=Uploads(tmp_path / "uploads", blobs))
    service.app.state.backend = backend
    refused = await put(service, DATA)
    assert (refused.status_code, refused.json()["code"]) == (503, "store-full")
    assert (await put(service, DATA, BEA, purpose="evidence")).status_code == 201


async def test_an_upload_says_how_long_it_is_before_its_first_byte(service: Service) -> None:
    async def unannounced() -> AsyncIterator[bytes]:
        yield DATA

    query = {**WHERE, "purpose": "deposit"}
    headers = service.signed_in(DORA)
    answer = await service.http.put(
        f"/v1/blobs/{DIGEST}", content=unannounced(), params=query, headers=headers
    )
    assert (answer.status_code, answer.json()["code"]) == (400, "upload-length-missing")
    assert await offset_of(service) == 0


async def test_evidence_is_for_the_persons_of_the_agreement_and_deposits_for_two_parties(
    service: Service,
) -> None:
    assert (await put(service, DATA, BEA, purpose="evidence")).status_code == 201
    assert (await get(service, TOM)).status_code == 200
    deposit = b"another sealed file"
    digest = sha256_digest(deposit)
    assert (await put(service, deposit, digest=digest)).status_code == 201
    seen = {person: (await get(service, person, digest)).status_code for person in (DORA, ANA, BEA, TOM)}
    assert seen == {DORA: 200, ANA: 200, BEA: 404, TOM: 404}


async def test_a_blob_you_may_not_fetch_looks_like_one_that_does_not_exist(service: Service) -> None:
    await put(service, DATA)
    refused = await get(service, BEA)
    missing = await get(service, BEA, sha256_digest(b"nothing"))
    assert refused.status_code == missing.status_code == 404
    assert refused.content == missing.content


async def test_ranges_are_served_from_verified_bytes(service: Service) -> None:
    await put(service, DATA)
    size = len(DATA)
    for asked, expected in (
        ("bytes=0-9", DATA[:10]),
        (f"bytes={size - 5}-", DATA[-5:]),
        ("bytes=-7", DATA[-7:]),
        (f"bytes=10-{size * 2}", DATA[10:]),
    ):
        answer = await get(service, DORA, Range=asked)
        assert (answer.status_code, answer.content) == (206, expected), asked
        assert answer.headers["content-length"] == str(len(expected))
    assert answer.headers["content-range"] == f"bytes 10-{size - 1}/{size}"
    for ignored in ("lines=1-2", "bytes=0-1,3-4", "bytes=-", "nonsense"):
        answer = await get(service, DORA, Range=ignored)
        assert (answer.status_code, answer.content) == (200, DATA), ignored
    for beyond in (f"bytes={size}-", "bytes=9-3"):
        answer = await get(service, DORA, Range=beyond)
        assert (answer.status_code, answer.headers["content-range"]) == (416, f"bytes */{size}"), beyond


async def test_a_range_of_another_version_is_answered_with_the_whole_blob(service: Service) -> None:
    await put(service, DATA)
    whole = await get(service, DORA)
    same = await get(service, DORA, **{"Range": "bytes=0-9", "If-Range": whole.headers["etag"]})
    assert (same.status_code, same.content) == (206, DATA[:10])
    for other in ('"another"', f"W/{whole.headers['etag']}", "Fri, 02 Oct 2026 09:00:00 GMT"):
        answer = await get(service, DORA, **{"Range": "bytes=0-9", "If-Range": other})
        assert (answer.status_code, answer.content) == (200, DATA), other


async def test_a_body_that_means_other_bytes_than_arrive_spoils_no_upload(service: Service) -> None:
    query = {**WHERE, "purpose": "deposit"}
    for name, value, status in (
        ("content-encoding", "gzip", 415),
        ("content-encoding", "identity, br", 415),
        ("content-type", "multipart/form-data; boundary=x", 415),
        ("content-range", f"bytes 0-9/{len(DATA)}", 400),
    ):
        sent = {**service.signed_in(DORA), "upload-length": str(len(DATA)), name: value}
        answer = await service.http.put(f"/v1/blobs/{DIGEST}", content=DATA[:10], params=query, headers=sent)
        assert answer.status_code == status, name
        assert await offset_of(service) == 0, "nothing was taken"
    assert (await put(service, DATA, length=len(DATA))).status_code == 201


async def test_an_altered_copy_is_passed_over(service: Service) -> None:
    await put(service, DATA)
    file = service.world.sealed_files(DIGEST)[0]
    file.chmod(0o600)
    file.write_bytes(DATA[::-1])
    assert (await get(service, DORA)).content == DATA


async def test_a_range_is_checked_by_its_own_chunks_and_by_no_others(service: Service) -> None:
    data = b"sealed" * BLOB_CHUNK_BYTES
    digest = sha256_digest(data)
    await put(service, data, digest=digest)
    for file in service.world.sealed_files(digest):
        file.chmod(0o600)
        file.write_bytes(data[:-1] + b"!")
    good = await get(service, DORA, digest, Range="bytes=0-9")
    assert (good.status_code, good.content) == (206, data[:10])
    bad = await get(service, DORA, digest, Range="bytes=-9")
    assert (bad.status_code, bad.json()["code"]) == (503, "no-good-replica")


async def test_the_beneficiary_fetches_what_a_decided_stage_discloses_and_no_more(claimed: Service) -> None:
    files = sealed_files(claimed)
    assert (await get(claimed, BEA, files["docs"])).status_code == 404
    await decide_provisional(claimed)
    assert (await get(claimed, BEA, files["docs"])).status_code == 200
    assert (await get(claimed, BEN, files["docs"])).status_code == 200
    assert (await get(claimed, BEA, files["licence-keys"])).status_code == 404
    assert (await get(claimed, TOM, files["docs"])).status_code == 404
    ((_, decision),) = claimed.world.case().claim.entries_of(DecisionStatement)
    share = decision.contributions[0].sealed_digest
    assert (await get(claimed, BEA, share)).status_code == 200
    assert (await get(claimed, DORA, share)).status_code == 404


async def test_the_claimant_of_another_beneficiary_fetches_nothing_that_a_stage_discloses(
    tmp_path: Path,
) -> None:
    marlowe = {"marlowe": Role.BENEFICIARY}
    parties = tuple(replace(one, role=marlowe.get(one.id, one.role)) for one in AGREEMENT.parties)
    powers = replace(AGREEMENT.authorities, claimants=(BEA, BEN, TOM))
    world = prepared_world(tmp_path, first=agreement(parties=parties, authorities=powers))
    async with serving(world) as service:
        answer = await service.post("/claims", service.filing(), BEA)
        service.world = replace(world, claim=answer.json()["digest"])
        files = sealed_files(service)
        await decide_provisional(service)
        assert (await get(service, BEA, files["docs"])).status_code == 200
        assert (await get(service, TOM, files["docs"])).status_code == 404


def sealed_files(service: Service) -> dict[str, Digest]:
    """The sealed file of each component of the deposit that the claim pins."""
    with reading(service.world.database) as session:
        stored = deposits.by_digest(
            session, service.world.agreement.id, service.world.case().claim.filing.deposit
        )
        assert stored is not None
        return {one.component: one.sealed_digest for one in stored.body().components}


async def released_file(claimed: Service) -> str:
    """What the claimant may fetch once the provisional stage is decided."""
    await decide_provisional(claimed)
    return sealed_files(claimed)["docs"]


async def test_a_damaged_record_hides_no_blob_released_by_another_claim(service: Service) -> None:
    unreadable_claim(service.world, DORA)  # comes before the claim in the same agreement
    unreadable_claim(prepared_world(service.world.folder, first=agreement(id=AARDVARK)), DORA)
    answer = await service.post("/claims", service.filing(), BEA)
    service.world = replace(service.world, claim=answer.json()["digest"])
    file = await released_file(service)
    assert (await get(service, BEA, file)).status_code == 200
    assert (await get(service, TOM, file)).status_code == 404


async def test_a_damaged_deposit_hides_no_blob_released_by_another_claim(claimed: Service) -> None:
    other = ready_world(claimed.world.folder, first=agreement(id=AARDVARK))
    assert other.decide().outcome == "released"
    other.execute(
        "UPDATE ledger_entries SET envelope = ? WHERE agreement_id = ? AND kind = 'deposit'", b"{}", AARDVARK
    )
    file = await released_file(claimed)
    assert (await get(claimed, BEA, file)).status_code == 200


async def decide_provisional(service: Service) -> None:
    """Bring the provisional stage to the gate, and let the gate decide."""
    await service.says("intakes", Intake, ANA, accepted=True)
    for person in (ANA, KIM):
        answer = await service.says(
            "approvals",
            Approval,
            person,
            stages=("provisional",),
            purpose=Purpose.RELEASE,
            expires_at=service.clock.now + timedelta(days=20),
            reason="It is in order.",
        )
        assert answer.status_code == 201, answer.text
    service.world.sign_checkpoint()
    gate = service.world.gate(at=service.clock.now)
    assert service.world.decide(gate, StageId("provisional")).outcome == "released"


async def test_a_deposit_is_recorded_once_its_files_have_arrived(service: Service) -> None:
    with reading(service.world.database) as session:
        live = live_custody(session, service.world.agreement.id)
        last = deposits.latest(session, service.world.agreement.id)
    assert last is not None
    sealed = service.world.sealed(ComponentId("docs"), b"new docs", live[ComponentId("docs")])
    body = service.world.body(
        Deposit,
        DORA,
        service.clock.now,
        number=2,
        previous=last.digest,
        watermark=service.clock.now,
        components=(sealed,),
    )
    statement = service.world.signed(body, PEOPLE[DORA].signing_key)
    early = await service.post("/agreements/nordwind-halden/deposits", statement, DORA)
    assert (early.status_code, early.json()["code"]) == (409, "deposit-refused")
    (file, _) = service.world.sealed_files(sealed.sealed_digest)
    await put(service, file.read_bytes(), digest=sealed.sealed_digest)
    told = await service.post("/agreements/nordwind-halden/deposits", statement, DORA)
    assert (told.status_code, told.json()["number"]) == (201, 2)
    asked = VerifyDeposit(agreement=AgreementId("nordwind-halden"), deposit=statement_id(statement))
    assert asked in service.engine.asked
    shown = (await service.get("/agreements/nordwind-halden/deposits/2", BEA)).json()
    assert shown["verdict"] == {"state": "pending", "at": None, "because": []}
    first = (await service.get("/agreements/nordwind-halden/deposits", BEA)).json()["deposits"][1]
    assert first["verdict"]["state"] == "verified"


async def test_files_that_were_sent_once_are_deposited_only_so_often_in_a_day(service: Service) -> None:
    agreement_id, now = service.world.agreement.id, service.clock.now
    with reading(service.world.database) as session:
        before = deposits.latest(session, agreement_id)
    assert before is not None
    first = before.body()

    def again(number: int, previous: Digest) -> Envelope:
        following = {"number": number, "previous": previous, "components": first.components}
        body = service.world.body(Deposit, DORA, now, watermark=now, **following)
        return service.world.signed(body, PEOPLE[DORA].signing_key)

    for _ in range(DEPOSITS_PER_PERSON_AND_DAY_MAX):
        with transaction(service.world.database) as session:
            before = deposits.record(session, again(before.number + 1, before.digest), now)
    for component in first.components:
        file, _ = service.world.sealed_files(component.sealed_digest)
        await put(service, file.read_bytes(), digest=component.sealed_digest)
    one_more = again(before.number + 1, before.digest)
    refused = await service.post("/agreements/nordwind-halden/deposits", one_more, DORA)
    assert (refused.status_code, refused.json()["code"]) == (409, "too-many-deposits")
    service.clock.now += timedelta(days=1)
    taken = await service.post("/agreements/nordwind-halden/deposits", one_more, DORA)
    assert taken.status_code == 201, taken.text


async def test_an_upload_that_nobody_continues_is_dropped_by_the_api_itself(service: Service) -> None:
    assert (await put(service, DATA[:100], offset=0, length=len(DATA))).status_code == 202
    arriving = service.app.state.backend.uploads
    owner = key_id(PEOPLE[DORA].signing_key.public_key)
    assert arriving.received_bytes(owner, DIGEST) == 100

    service.clock.now = datetime.now(UTC) + UPLOAD_IDLE_MAX + timedelta(minutes=1)
    async with service.app.router.lifespan_context(service.app):
        for _ in range(100):
            if not arriving.received_bytes(owner, DIGEST):
                break
            await asyncio.sleep(0.05)

    assert arriving.received_bytes(owner, DIGEST) == 0
