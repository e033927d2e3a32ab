"""An upload is resumed where it stopped, is its sender's alone, and becomes a blob only as a whole."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from tallystick.domain.ids import AgreementId, Digest
from tallystick.limits.storage import BLOB_BYTES_MAX
from tallystick.store.blobs.folder import FileBlobStore
from tallystick.store.blobs.measured import measure
from tallystick.store.blobs.replicas import ReplicatedBlobs
from tallystick.store.blobs.store import (
    BlobDigestMismatchError,
    BlobSizeMismatchError,
    BlobStoreFailedError,
    ReplicaState,
)
from tallystick.store.blobs.uploads import (
    BlobPurpose,
    StoredBlob,
    UploadOffsetError,
    Uploads,
    blobs_with,
    find_blob,
    known_blobs,
    record_blob,
)
from tallystick.store.database.session import reading, transaction
from tests.support.worlds.ledgers import AT

BLOB = b"0123456789" * 50
WANTED, _ = measure([BLOB])
ANA, EVE = (measure([name])[0] for name in (b"ana", b"eve"))


@pytest.fixture
def blobs(tmp_path: Path) -> ReplicatedBlobs:
    return ReplicatedBlobs([FileBlobStore(tmp_path / name, name=name) for name in ("a", "b")])


@pytest.fixture
def uploads(tmp_path: Path, blobs: ReplicatedBlobs) -> Uploads:
    return Uploads(tmp_path / "uploads", blobs)


def test_parts_become_a_blob_in_every_store(uploads: Uploads, blobs: ReplicatedBlobs) -> None:
    assert uploads.received_bytes(ANA, WANTED) == 0
    assert uploads.append_part(ANA, WANTED, 0, BLOB[:200]) == 200
    assert uploads.received_bytes(ANA, WANTED) == 200
    assert uploads.append_part(ANA, WANTED, 200, BLOB[200:]) == 500
    before = uploads.finish(ANA, WANTED, 500).before
    assert [verdict.state for verdict in before] == [ReplicaState.MISSING] * 2
    assert [verdict.state for verdict in blobs.check(WANTED, 500)] == [ReplicaState.GOOD] * 2
    assert uploads.received_bytes(ANA, WANTED) == 0


def test_an_upload_continues_after_a_restart(
    tmp_path: Path, uploads: Uploads, blobs: ReplicatedBlobs
) -> None:
    uploads.append_part(ANA, WANTED, 0, BLOB[:200])
    restarted = Uploads(tmp_path / "uploads", blobs)
    restarted.append_part(ANA, WANTED, restarted.received_bytes(ANA, WANTED), BLOB[200:])
    restarted.finish(ANA, WANTED, 500)
    assert b"".join(blobs.open_verified(WANTED).chunks) == BLOB


@pytest.mark.parametrize("offset", [0, 199, 201])
def test_a_part_that_is_not_the_next_is_refused_and_says_which_is(uploads: Uploads, offset: int) -> None:
    uploads.append_part(ANA, WANTED, 0, BLOB[:200])
    with pytest.raises(UploadOffsetError) as caught:
        uploads.append_part(ANA, WANTED, offset, BLOB[200:])
    assert caught.value.facts["received"] == 200
    assert uploads.received_bytes(ANA, WANTED) == 200


def test_an_upload_that_is_not_complete_is_no_blob(uploads: Uploads, blobs: ReplicatedBlobs) -> None:
    uploads.append_part(ANA, WANTED, 0, BLOB[:200])
    with pytest.raises(UploadOffsetError) as caught:
        uploads.finish(ANA, WANTED, 500)
    assert caught.value.facts["received"] == 200
    assert {verdict.state for verdict in blobs.check(WANTED)} == {ReplicaState.MISSING}


@pytest.mark.parametrize(
    ("sent", "refusal"),
    [(BLOB[:-1] + b"x", BlobDigestMismatchError), (BLOB + b"x", BlobSizeMismatchError)],
)
def test_wrong_bytes_are_thrown_away_so_that_it_can_begin_again(
    uploads: Uploads, blobs: ReplicatedBlobs, sent: bytes, refusal: type[Exception]
) -> None:
    uploads.append_part(ANA, WANTED, 0, sent)
    with pytest.raises(refusal):
        uploads.finish(ANA, WANTED, 500)
    assert {verdict.state for verdict in blobs.check(WANTED)} == {ReplicaState.MISSING}
    uploads.append_part(ANA, WANTED, 0, BLOB)
    uploads.finish(ANA, WANTED, 500)


def test_nobody_can_spoil_another_persons_upload(uploads: Uploads, blobs: ReplicatedBlobs) -> None:
    uploads.append_part(ANA, WANTED, 0, BLOB[:200])
    uploads.append_part(EVE, WANTED, 0, b"poison")
    assert uploads.received_bytes(ANA, WANTED) == 200
    uploads.append_part(ANA, WANTED, 200, BLOB[200:])
    uploads.finish(ANA, WANTED, 500)
    assert b"".join(blobs.open_verified(WANTED).chunks) == BLOB


def test_nobody_uploads_a_blob_that_is_there_without_its_bytes(uploads: Uploads) -> None:
    uploads.append_part(ANA, WANTED, 0, BLOB)
    uploads.finish(ANA, WANTED, 500)
    uploads.append_part(EVE, WANTED, 0, b"x" * 500)
    with pytest.raises(BlobDigestMismatchError):
        uploads.finish(EVE, WANTED, 500)


def test_of_the_same_part_sent_many_times_at_once_one_is_taken(uploads: Uploads) -> None:
    def send(_turn: int) -> bool:
        try:
            uploads.append_part(ANA, WANTED, 0, BLOB)
        except UploadOffsetError:
            return False
        return True

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(send, range(16))) == 1
    assert uploads.received_bytes(ANA, WANTED) == 500


def test_finishing_twice_at_once_ends_in_one_blob(uploads: Uploads, blobs: ReplicatedBlobs) -> None:
    uploads.append_part(ANA, WANTED, 0, BLOB)

    def finish(_turn: int) -> bool:
        try:
            uploads.finish(ANA, WANTED, 500)
        except UploadOffsetError:
            return False
        return True

    with ThreadPoolExecutor(4) as threads:
        assert sum(threads.map(finish, range(4))) == 1
    assert [verdict.state for verdict in blobs.check(WANTED)] == [ReplicaState.GOOD] * 2


def test_a_part_beyond_the_largest_blob_is_refused(tmp_path: Path, uploads: Uploads) -> None:
    uploads.append_part(ANA, WANTED, 0, b"x")
    (partial,) = (path for path in (tmp_path / "uploads").rglob("*") if path.is_file())
    with partial.open("r+b") as sparse:
        sparse.truncate(BLOB_BYTES_MAX)
    with pytest.raises(BlobSizeMismatchError):
        uploads.append_part(ANA, WANTED, BLOB_BYTES_MAX, b"x")


def test_abandoned_uploads_are_removed(uploads: Uploads) -> None:
    uploads.append_part(ANA, WANTED, 0, BLOB[:200])
    now = datetime.now(UTC)
    assert uploads.discard_stale(now - timedelta(hours=1)) == 0
    assert uploads.discard_stale(now + timedelta(hours=1)) == 1
    assert uploads.received_bytes(ANA, WANTED) == 0


def test_a_folder_that_cannot_be_made_is_a_failed_store(tmp_path: Path, blobs: ReplicatedBlobs) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(BlobStoreFailedError):
        Uploads(tmp_path / "file" / "uploads", blobs)


def test_a_blob_is_known_to_each_agreement_and_from_each_sender_on_its_own(database: Engine) -> None:
    mine, eves = stored("one", ANA), replace(stored("one", EVE), arrived_at=AT + timedelta(seconds=1))
    with transaction(database) as session:
        assert record_blob(session, mine) == mine
        assert record_blob(session, replace(mine, arrived_at=AT + timedelta(days=1))) == mine
        assert record_blob(session, eves) == eves
        assert find_blob(session, AgreementId("two"), WANTED, BlobPurpose.DEPOSIT) is None
        theirs = record_blob(session, stored("two", EVE))
    with reading(database) as session:
        assert find_blob(session, AgreementId("one"), WANTED, BlobPurpose.DEPOSIT) == mine
        assert find_blob(session, AgreementId("one"), WANTED, BlobPurpose.EVIDENCE) is None
        assert blobs_with(session, WANTED) == [mine, eves, theirs]
        assert known_blobs(session) == [WANTED]


def stored(agreement: str, owner: Digest) -> StoredBlob:
    return StoredBlob(
        digest=WANTED,
        size_bytes=500,
        agreement_id=AgreementId(agreement),
        uploaded_by=owner,
        party="nordwind",
        purpose=BlobPurpose.DEPOSIT,
        arrived_at=AT,
    )
