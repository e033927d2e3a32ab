"""Room is taken before bytes arrive, by person, party and purpose; nobody takes another's."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Final

import pytest
from sqlalchemy import Engine

from tallystick.domain.ids import AgreementId, PartyId, sha256_digest
from tallystick.limits.storage import (
    BLOB_CHARGE_BYTES_MIN,
    DEPOSIT_ROOM_PER_PARTY_BYTES,
    DEPOSIT_ROOM_PER_PERSON_BYTES,
    EVIDENCE_ROOM_PER_PERSON_BYTES,
    UPLOAD_IDLE_MAX,
    UPLOAD_RENEWED_AFTER,
    UPLOADS_UNDER_WAY_MAX,
)
from tallystick.store.blobs import room
from tallystick.store.blobs.room import BlobQuotaError, Upload
from tallystick.store.blobs.uploads import BlobPurpose, blobs_with, known_blobs
from tallystick.store.database.session import reading, transaction
from tests.support.worlds.ledgers import AT

TEBIBYTE: Final = 1 << 40
DORA: Final = sha256_digest(b"dora")
DIRK: Final = sha256_digest(b"dirk")


def upload(name: str = "a", **changes: object) -> Upload:
    made = Upload(
        agreement_id=AgreementId("one"),
        digest=sha256_digest(name.encode()),
        purpose=BlobPurpose.DEPOSIT,
        owner=DORA,
        party=PartyId("nordwind"),
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def take(database: Engine, one: Upload, size_bytes: int) -> None:
    with transaction(database) as session:
        room.take(session, one, size_bytes, AT)


def fill_person(database: Engine) -> None:
    for name in "abc":
        take(database, upload(name), DEPOSIT_ROOM_PER_PERSON_BYTES // 3)


def test_what_is_under_way_counts_before_it_has_arrived(database: Engine) -> None:
    fill_person(database)
    with pytest.raises(BlobQuotaError) as caught:
        take(database, upload("d"), 1)
    assert caught.value.facts["used"] == DEPOSIT_ROOM_PER_PERSON_BYTES


def test_of_uploads_that_begin_at_once_only_as_many_pass_as_there_is_room_for(database: Engine) -> None:
    def begin(turn: int) -> bool:
        try:
            take(database, upload(f"at once {turn}"), DEPOSIT_ROOM_PER_PERSON_BYTES // 2)
        except BlobQuotaError:
            return False
        return True

    with ThreadPoolExecutor(4) as threads:
        assert sum(threads.map(begin, range(8))) == 2


def test_one_person_leaves_room_to_the_others_of_the_party(database: Engine) -> None:
    fill_person(database)
    left = DEPOSIT_ROOM_PER_PARTY_BYTES - DEPOSIT_ROOM_PER_PERSON_BYTES
    take(database, upload("a", owner=DIRK), left)
    with pytest.raises(BlobQuotaError):
        take(database, upload("b", owner=DIRK), 1)


def test_deposits_take_no_room_from_evidence_nor_from_another_party_or_agreement(database: Engine) -> None:
    fill_person(database)
    for other in (
        {"purpose": BlobPurpose.EVIDENCE},
        {"owner": DIRK, "party": PartyId("halden")},
        {"agreement_id": AgreementId("two")},
    ):
        take(database, upload("z", **other), EVIDENCE_ROOM_PER_PERSON_BYTES)


def test_the_same_bytes_from_another_are_charged_to_that_one(database: Engine) -> None:
    one, other = upload("a"), upload("a", owner=DIRK, party=PartyId("halden"))
    arrive(database, one, TEBIBYTE)
    arrive(database, other, TEBIBYTE)
    with transaction(database) as session:
        assert {blob.uploaded_by for blob in blobs_with(session, one.digest)} == {DORA, DIRK}
        assert len(known_blobs(session)) == 1
    take(database, upload("b", owner=DIRK, party=PartyId("halden")), 2 * TEBIBYTE)
    with pytest.raises(BlobQuotaError):
        take(database, upload("c", owner=DIRK, party=PartyId("halden")), 1)
    take(database, upload("c"), 2 * TEBIBYTE)


def arrive(database: Engine, one: Upload, size_bytes: int) -> None:
    take(database, one, size_bytes)
    with transaction(database) as session:
        room.has_arrived(session, one, size_bytes, AT)


def test_what_has_arrived_is_no_longer_under_way(database: Engine) -> None:
    arrive(database, upload("a"), TEBIBYTE)
    take(database, upload("b"), DEPOSIT_ROOM_PER_PERSON_BYTES - TEBIBYTE)
    with pytest.raises(BlobQuotaError):
        take(database, upload("c"), 1)


def test_sending_again_what_is_there_takes_room_until_it_has_arrived(database: Engine) -> None:
    arrive(database, upload("a"), TEBIBYTE)
    take(database, upload("a"), TEBIBYTE)
    with pytest.raises(BlobQuotaError):
        take(database, upload("b"), DEPOSIT_ROOM_PER_PERSON_BYTES - TEBIBYTE)
    with transaction(database) as session:
        room.give_up(session, upload("a"))
        assert known_blobs(session) == [upload("a").digest], "what had arrived stays"
    take(database, upload("b"), DEPOSIT_ROOM_PER_PERSON_BYTES - TEBIBYTE)


def test_an_upload_that_comes_to_nothing_gives_its_room_back(database: Engine) -> None:
    take(database, upload("a"), DEPOSIT_ROOM_PER_PERSON_BYTES)
    with transaction(database) as session:
        room.give_up(session, upload("a"))
    take(database, upload("b"), DEPOSIT_ROOM_PER_PERSON_BYTES)


def test_a_smaller_length_frees_nothing(database: Engine) -> None:
    take(database, upload("a"), DEPOSIT_ROOM_PER_PERSON_BYTES)
    take(database, upload("a"), 1)
    with pytest.raises(BlobQuotaError):
        take(database, upload("b"), 1)


def test_many_small_blobs_are_charged_for_the_files_that_they_take(database: Engine) -> None:
    take(database, upload("a"), DEPOSIT_ROOM_PER_PERSON_BYTES - 2 * BLOB_CHARGE_BYTES_MIN)
    arrive(database, upload("empty"), 0)
    take(database, upload("one byte"), 1)
    with pytest.raises(BlobQuotaError):
        take(database, upload("another"), 0)


def test_one_person_has_only_so_many_uploads_under_way(database: Engine) -> None:
    for turn in range(UPLOADS_UNDER_WAY_MAX):
        take(database, upload(f"upload {turn}"), 1)
    take(database, upload("upload 0"), 2)
    with pytest.raises(BlobQuotaError):
        take(database, upload("one more"), 1)
    take(database, upload("one more", owner=DIRK), 1)


def test_room_that_nobody_uses_is_given_back(database: Engine) -> None:
    arrive(database, upload("whole"), 1)
    take(database, upload("a"), TEBIBYTE)
    with transaction(database) as session:
        assert room.drop_idle(session, AT + UPLOAD_IDLE_MAX) == 0
        assert room.drop_idle(session, AT + UPLOAD_IDLE_MAX + timedelta(seconds=1)) == 1
        assert known_blobs(session) == [upload("whole").digest]
    take(database, upload("b"), DEPOSIT_ROOM_PER_PERSON_BYTES - BLOB_CHARGE_BYTES_MIN)


def test_room_is_asked_for_once_and_then_renewed_while_parts_arrive(database: Engine) -> None:
    with reading(database) as session:
        assert room.needs_room(session, upload(), 10, AT)
    take(database, upload(), 10)
    with reading(database) as session:
        assert not room.needs_room(session, upload(), 10, AT)
        assert room.needs_room(session, upload(), 11, AT)
        assert room.needs_room(session, upload(), 10, AT + UPLOAD_RENEWED_AFTER + timedelta(seconds=1))
