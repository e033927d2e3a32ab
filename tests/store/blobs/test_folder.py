"""A blob is whole or absent; a bad copy is skipped, reported, replaced and set aside."""

import errno
import hashlib
import os
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from structlog.testing import capture_logs

from tallystick.domain.errors import MalformedNameError
from tallystick.domain.ids import Digest
from tallystick.limits.storage import BLOB_CHUNK_BYTES
from tallystick.store.blobs.checked import BlobRangeError, ReplicaChangedError
from tallystick.store.blobs.folder import FileBlobStore
from tallystick.store.blobs.replicas import NoGoodReplicaError, ReplicatedBlobs
from tallystick.store.blobs.store import (
    BlobDigestMismatchError,
    BlobMissingError,
    BlobSizeMismatchError,
    BlobStoreFailedError,
    ReplicaState,
    StoreFullError,
)

BLOB = bytes(range(256)) * (BLOB_CHUNK_BYTES // 256) + b"and a little more than one chunk"
OTHER = b"another blob"


def digest_of(data: bytes) -> Digest:
    return Digest("sha256:" + hashlib.sha256(data).hexdigest())


WANTED = digest_of(BLOB)


def path_of(root: Path, wanted: Digest = WANTED) -> Path:
    name = wanted.removeprefix("sha256:")
    return root / "blobs" / name[:2] / name[2:4] / name


def files_in(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


@pytest.fixture
def roots(tmp_path: Path) -> tuple[Path, Path]:
    return tmp_path / "a", tmp_path / "b"


@pytest.fixture
def store(roots: tuple[Path, Path]) -> FileBlobStore:
    return FileBlobStore(roots[0], name="a")


@pytest.fixture
def blobs(roots: tuple[Path, Path]) -> ReplicatedBlobs:
    """Two stores that both have BLOB and OTHER."""
    replicated = ReplicatedBlobs([FileBlobStore(root, name=root.name) for root in roots])
    for data in (BLOB, OTHER):
        put(replicated, data)
    return replicated


def put(blobs: ReplicatedBlobs, data: bytes) -> list[ReplicaState]:
    return [before.state for before in blobs.put(digest_of(data), len(data), lambda: [data]).before]


def states(blobs: ReplicatedBlobs, wanted: Digest = WANTED) -> list[ReplicaState]:
    return [verdict.state for verdict in blobs.check(wanted)]


# One store.


def test_what_was_put_is_read_back_whole_and_in_ranges(store: FileBlobStore) -> None:
    before = store.put(WANTED, len(BLOB), [BLOB[:10], BLOB[10:]])
    assert before.state is ReplicaState.MISSING
    assert b"".join(store.read(WANTED)) == BLOB
    assert b"".join(store.read(WANTED, first_byte=250, length=10)) == BLOB[250:260]
    assert store.check(WANTED, len(BLOB)).state is ReplicaState.GOOD


def test_an_empty_blob_is_a_blob(store: FileBlobStore) -> None:
    store.put(digest_of(b""), 0, [])
    assert store.check(digest_of(b""), 0).state is ReplicaState.GOOD


def test_chunks_are_read_in_one_size(store: FileBlobStore) -> None:
    store.put(WANTED, len(BLOB), [BLOB])
    assert [len(chunk) for chunk in store.read(WANTED)] == [BLOB_CHUNK_BYTES, len(BLOB) - BLOB_CHUNK_BYTES]


def test_putting_the_same_again_changes_nothing(store: FileBlobStore, roots: tuple[Path, Path]) -> None:
    store.put(WANTED, len(BLOB), [BLOB])
    written = path_of(roots[0]).stat()
    assert store.put(WANTED, len(BLOB), [BLOB]).state is ReplicaState.GOOD
    assert path_of(roots[0]).stat().st_ino == written.st_ino
    assert len(files_in(roots[0])) == 1


@pytest.mark.parametrize(
    ("sent", "size_bytes", "refusal"),
    [
        (BLOB[:-1], len(BLOB), BlobSizeMismatchError),
        (BLOB + b"x", len(BLOB), BlobSizeMismatchError),
        (BLOB, len(BLOB) - 1, BlobSizeMismatchError),
        (BLOB[:-1] + b"x", len(BLOB), BlobDigestMismatchError),
    ],
)
@pytest.mark.parametrize("there_before", [False, True])
def test_bytes_that_were_not_announced_are_refused_even_if_the_blob_is_there(
    tmp_path: Path, sent: bytes, size_bytes: int, refusal: type[Exception], there_before: bool
) -> None:
    store = FileBlobStore(tmp_path)
    if there_before:
        store.put(WANTED, len(BLOB), [BLOB])
    before = files_in(tmp_path)
    with pytest.raises(refusal):
        store.put(WANTED, size_bytes, [sent])
    assert files_in(tmp_path) == before


def test_a_writer_that_stops_in_the_middle_leaves_no_blob(
    store: FileBlobStore, roots: tuple[Path, Path]
) -> None:
    def half() -> Iterator[bytes]:
        yield BLOB[:1000]
        assert files_in(roots[0] / "blobs") == []
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store.put(WANTED, len(BLOB), half())
    assert files_in(roots[0]) == []


def test_what_a_killed_writer_left_is_no_blob_and_is_swept_away(
    store: FileBlobStore, roots: tuple[Path, Path]
) -> None:
    left = roots[0] / "incoming" / f"{WANTED.removeprefix('sha256:')}.0123456789abcdef"
    left.write_bytes(BLOB[:1000])
    assert store.check(WANTED).state is ReplicaState.MISSING
    now = datetime.now(UTC)
    assert store.discard_unfinished(now - timedelta(hours=1)) == 0
    assert store.discard_unfinished(now + timedelta(hours=1)) == 1
    assert files_in(roots[0]) == []


@pytest.mark.parametrize("failing", range(1, 7))
def test_a_failed_fsync_is_never_acknowledged(roots: tuple[Path, Path], failing: int) -> None:
    store = FileBlobStore(roots[0], fsync=failing_at(failing + 5))
    with pytest.raises(BlobStoreFailedError) as caught:
        store.put(WANTED, len(BLOB), [BLOB])
    assert caught.value.facts["reason"] == os.strerror(errno.EIO)
    assert files_in(roots[0]) == [], "nobody may take it for stored"


def test_after_a_failed_fsync_the_blob_is_written_anew(roots: tuple[Path, Path]) -> None:
    store = FileBlobStore(roots[0], fsync=failing_at(6))
    with pytest.raises(BlobStoreFailedError):
        store.put(WANTED, len(BLOB), [BLOB])
    assert store.put(WANTED, len(BLOB), [BLOB]).state is ReplicaState.MISSING
    assert store.check(WANTED).state is ReplicaState.GOOD


def test_a_blob_that_is_there_is_synchronised_before_it_is_acknowledged(roots: tuple[Path, Path]) -> None:
    FileBlobStore(roots[0]).put(WANTED, len(BLOB), [BLOB])
    store = FileBlobStore(roots[0], fsync=failing_at(2))  # the first was its root's, when it was opened
    with pytest.raises(BlobStoreFailedError):
        store.put(WANTED, len(BLOB), [BLOB])


def test_a_disk_that_keeps_other_bytes_than_it_was_given_is_found_out(roots: tuple[Path, Path]) -> None:
    def damaging_fsync(descriptor: int) -> None:
        if not os.path.isdir(f"/proc/self/fd/{descriptor}"):  # noqa: PTH112 - a descriptor, not a path
            os.pwrite(descriptor, b"x", 0)
        os.fsync(descriptor)

    store = FileBlobStore(roots[0], fsync=damaging_fsync)
    with pytest.raises(BlobStoreFailedError) as caught:
        store.put(WANTED, len(BLOB), [BLOB])
    assert caught.value.facts["reason"] == "read-back"
    assert files_in(roots[0]) == []


def failing_at(turn: int) -> Callable[[int], None]:
    """An fsync that fails once, at the given call; opening an empty store takes five."""
    calls = iter(range(1, 1000))

    def fsync(descriptor: int) -> None:
        if next(calls) == turn:
            raise OSError(errno.EIO, "input/output error")
        os.fsync(descriptor)

    return fsync


def test_a_link_is_not_followed(store: FileBlobStore, roots: tuple[Path, Path], tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_bytes(BLOB)
    path_of(roots[0]).parent.mkdir(parents=True)
    path_of(roots[0]).symlink_to(tmp_path / "elsewhere")
    assert store.check(WANTED).state is ReplicaState.UNREADABLE


def test_a_pipe_in_a_blobs_place_is_no_blob_and_keeps_no_round_waiting(
    store: FileBlobStore, roots: tuple[Path, Path]
) -> None:
    path_of(roots[0]).parent.mkdir(parents=True)
    os.mkfifo(path_of(roots[0]))
    assert store.check(WANTED).state is ReplicaState.UNREADABLE


def test_a_folder_in_a_blobs_place_is_no_blob(store: FileBlobStore, roots: tuple[Path, Path]) -> None:
    path_of(roots[0]).mkdir(parents=True)
    assert store.check(WANTED).state is ReplicaState.UNREADABLE


def test_a_blob_that_is_missing_says_so(store: FileBlobStore) -> None:
    with pytest.raises(BlobMissingError):
        list(store.read(WANTED))
    store.quarantine(WANTED)
    assert store.check(WANTED).state is ReplicaState.MISSING


def test_a_name_that_is_no_digest_reaches_no_file(store: FileBlobStore) -> None:
    with pytest.raises(MalformedNameError):
        list(store.read(Digest("sha256:../../etc/passwd")))


# Several stores.


def flip(place: int) -> Callable[[Path, Path], None]:
    def damage(mine: Path, _other: Path) -> None:
        data = bytearray(mine.read_bytes())
        data[place] ^= 1
        mine.write_bytes(data)

    return damage


def swap(mine: Path, other: Path) -> None:
    mine.rename(mine.with_name("aside"))
    other.rename(mine)
    mine.with_name("aside").rename(other)


def folder_instead(mine: Path, _other: Path) -> None:
    mine.unlink()
    mine.mkdir()


DAMAGE: dict[str, Callable[[Path, Path], object]] = {
    "bit flipped at the start": flip(0),
    "bit flipped in the middle": flip(len(BLOB) // 2),
    "bit flipped at the end": flip(-1),
    "truncated": lambda mine, _: os.truncate(mine, len(BLOB) - 1),
    "emptied": lambda mine, _: os.truncate(mine, 0),
    "extended": lambda mine, _: mine.write_bytes(BLOB + b"\0"),
    "swapped with another": swap,
    "missing": lambda mine, _: mine.unlink(),
    "a folder instead": folder_instead,
}


def damage(root: Path, kind: str) -> None:
    DAMAGE[kind](path_of(root), path_of(root, digest_of(OTHER)))


@pytest.mark.parametrize("kind", DAMAGE)
@pytest.mark.parametrize("place", [0, 1])
def test_a_bad_copy_is_passed_over_reported_and_replaced(
    blobs: ReplicatedBlobs, roots: tuple[Path, Path], kind: str, place: int
) -> None:
    damage(roots[place], kind)
    with capture_logs() as logged:
        read = blobs.open_verified(WANTED)
    assert b"".join(read.chunks) == BLOB
    assert read.size_bytes == len(BLOB)
    assert read.store == ("b" if place == 0 else "a")
    assert [entry["blob"] for entry in logged] == ([WANTED] if place == 0 else [])
    assert all(entry["event"] == "a bad copy was passed over" for entry in logged)
    repaired = blobs.repair(WANTED, len(BLOB))
    assert [verdict.repaired for verdict in repaired] == [place == 0, place == 1]
    assert repaired[place].state is not ReplicaState.GOOD
    assert states(blobs) == [ReplicaState.GOOD] * 2
    kept = list((roots[place] / "quarantine").iterdir())
    assert len(kept) == (0 if kind == "missing" else 1), "what was bad is kept to be looked at"


@pytest.mark.parametrize("kind", DAMAGE)
def test_nothing_is_given_when_every_copy_is_bad(
    blobs: ReplicatedBlobs, roots: tuple[Path, Path], kind: str
) -> None:
    for root in roots:
        damage(root, kind)
    before = [files_in(root) for root in roots]
    with pytest.raises(NoGoodReplicaError) as caught:
        blobs.open_verified(WANTED)
    assert [verdict.store for verdict in caught.value.verdicts] == ["a", "b"]
    with pytest.raises(NoGoodReplicaError):
        blobs.repair(WANTED)
    assert [files_in(root) for root in roots] == before


def test_each_copy_is_read_again_each_time(blobs: ReplicatedBlobs, roots: tuple[Path, Path]) -> None:
    assert blobs.open_verified(WANTED).store == "a"
    damage(roots[0], "bit flipped in the middle")
    assert blobs.open_verified(WANTED).store == "b"


def test_a_copy_with_another_size_than_was_signed_is_altered(blobs: ReplicatedBlobs) -> None:
    assert {verdict.state for verdict in blobs.check(WANTED, len(BLOB) + 1)} == {ReplicaState.ALTERED}


@pytest.mark.parametrize("kind", ["bit flipped at the end", "truncated", "missing", "emptied"])
def test_a_copy_that_changes_after_its_check_is_not_given_on(
    blobs: ReplicatedBlobs, roots: tuple[Path, Path], kind: str
) -> None:
    read = blobs.open_verified(WANTED)
    damage(roots[0], kind)
    given = bytearray()

    def take_all() -> None:
        for chunk in read.chunks:
            given.extend(chunk)

    with pytest.raises(ReplicaChangedError):
        take_all()
    assert BLOB.startswith(bytes(given)), "no byte that was not checked"


@pytest.mark.parametrize(
    ("first_byte", "length"),
    [
        (0, 0),
        (0, 1),
        (5, 10),
        (BLOB_CHUNK_BYTES - 3, 6),
        (BLOB_CHUNK_BYTES, 5),
        (BLOB_CHUNK_BYTES + 1, None),
        (len(BLOB), None),
        (0, len(BLOB)),
    ],
)
def test_a_verified_range_is_exactly_that_range(
    blobs: ReplicatedBlobs, first_byte: int, length: int | None
) -> None:
    end = None if length is None else first_byte + length
    read = blobs.open_verified(WANTED, first_byte=first_byte, length=length)
    assert b"".join(read.chunks) == BLOB[first_byte:end]


@pytest.mark.parametrize(
    ("first_byte", "length"), [(-1, 5), (len(BLOB) + 1, None), (0, len(BLOB) + 1), (5, -1)]
)
def test_a_range_beyond_the_blob_is_refused(
    blobs: ReplicatedBlobs, first_byte: int, length: int | None
) -> None:
    with pytest.raises(BlobRangeError):
        blobs.open_verified(WANTED, first_byte=first_byte, length=length)


def test_a_store_that_fails_holds_up_no_other_and_is_behind_until_it_has_a_copy(tmp_path: Path) -> None:
    good = FileBlobStore(tmp_path / "good", name="good")
    failing = FileBlobStore(tmp_path / "failing", name="failing", fsync=failing_at(6))
    blobs = ReplicatedBlobs([failing, good])
    stored = blobs.put(WANTED, len(BLOB), lambda: [BLOB])
    assert (len(stored.before), stored.everywhere) == (1, False)
    assert blobs.put(WANTED, len(BLOB), lambda: [BLOB]).everywhere
    assert states(blobs) == [ReplicaState.GOOD] * 2


def test_nothing_is_acknowledged_that_no_store_has(roots: tuple[Path, Path]) -> None:
    blobs = ReplicatedBlobs([FileBlobStore(root, fsync=failing_at(6)) for root in roots])
    with pytest.raises(BlobStoreFailedError):
        put(blobs, BLOB)
    assert files_in(roots[0]) == files_in(roots[1]) == []


def test_a_store_that_a_process_only_reads_is_read_and_never_changed(roots: tuple[Path, Path]) -> None:
    first, second = (FileBlobStore(root, name=root.name) for root in roots)
    second.put(WANTED, len(BLOB), [BLOB])
    second.put(digest_of(OTHER), len(OTHER), [OTHER])
    damage(roots[1], "truncated")
    before = files_in(roots[1])
    blobs = ReplicatedBlobs([first, FileBlobStore(roots[1], name="read", writable=False)])

    stored = blobs.put(WANTED, len(BLOB), lambda: [BLOB])
    verdicts = blobs.repair(WANTED)

    assert ([verdict.store for verdict in stored.before], stored.everywhere) == ([first.name], False)
    assert [(verdict.state, verdict.repaired) for verdict in verdicts] == [
        (ReplicaState.GOOD, False),
        (ReplicaState.ALTERED, False),
    ]
    assert b"".join(blobs.open_verified(digest_of(OTHER)).chunks) == OTHER
    assert files_in(roots[1]) == before


def test_a_store_that_a_process_only_reads_refuses_each_change(roots: tuple[Path, Path]) -> None:
    FileBlobStore(roots[0]).put(WANTED, len(BLOB), [BLOB])
    read = FileBlobStore(roots[0], writable=False)
    for change in (
        lambda: read.put(WANTED, len(BLOB), [BLOB]),
        lambda: read.quarantine(WANTED),
        lambda: read.discard(WANTED, datetime.now(UTC) + timedelta(hours=1)),
    ):
        with pytest.raises(AssertionError, match="only reads"):
            change()
    assert read.check(WANTED).state is ReplicaState.GOOD


@contextmanager
def without_rights() -> Generator[None]:
    """Be a user who may write nothing that the store's owner has closed, as on a mount that is read-only."""
    before = os.geteuid()
    os.seteuid(65534 if before == 0 else before)
    try:
        yield
    finally:
        os.seteuid(before)


def test_a_store_without_a_right_to_write_is_read_and_nothing_in_it_can_be_removed() -> None:
    with TemporaryDirectory(prefix="store-") as name:
        root = Path(name)
        FileBlobStore(root / "south").put(WANTED, len(BLOB), [BLOB])
        copy = path_of(root / "south", WANTED)
        folders = [root, *(path for path in root.rglob("*") if path.is_dir())]
        copy.chmod(0o444)
        for folder in folders:
            folder.chmod(0o555)
        with without_rights(), capture_logs() as logs:
            read = FileBlobStore(root / "south", writable=False)
            read.check_ready()
            assert read.check(WANTED).state is ReplicaState.GOOD
            assert logs == [], "this store is protected, as it should be"
            with pytest.raises(PermissionError):
                copy.unlink()
            with pytest.raises(BlobStoreFailedError):
                FileBlobStore(root / "south").discard(WANTED, datetime.now(UTC) + timedelta(hours=1))
            with pytest.raises(BlobStoreFailedError):
                FileBlobStore(root / "south").check_ready()
        for folder in folders:
            folder.chmod(0o755)


def test_a_store_that_should_be_protected_and_is_not_is_reported(roots: tuple[Path, Path]) -> None:
    FileBlobStore(roots[0])
    with capture_logs() as logs:
        FileBlobStore(roots[0], name="open", writable=False)
    assert [(log["event"], log["store"]) for log in logs] == [
        ("this process only reads this store, but could write it", "open")
    ]


def test_a_process_that_may_write_no_store_has_none(roots: tuple[Path, Path]) -> None:
    with pytest.raises(AssertionError, match="may write"):
        ReplicatedBlobs([FileBlobStore(root, writable=False) for root in roots])


def test_a_store_that_is_away_has_lost_nothing_and_gets_no_folder(
    blobs: ReplicatedBlobs, roots: tuple[Path, Path]
) -> None:
    elsewhere = roots[1].with_name("elsewhere")
    roots[1].rename(elsewhere)
    roots[1].mkdir()  # the mount point of a disk that is not there

    assert blobs.away() == (roots[1].name,)
    assert states(blobs) == [ReplicaState.GOOD, ReplicaState.UNREADABLE]
    assert not blobs.put(WANTED, len(BLOB), lambda: [BLOB]).everywhere
    with pytest.raises(BlobStoreFailedError):
        blobs.check_ready()
    assert list(roots[1].iterdir()) == []

    roots[1].rmdir()
    elsewhere.rename(roots[1])
    assert (blobs.away(), states(blobs)) == ((), [ReplicaState.GOOD] * 2)


def test_a_store_of_another_process_is_away_until_that_one_has_made_it(tmp_path: Path) -> None:
    store = FileBlobStore(tmp_path / "store", writable=False)
    assert not (tmp_path / "store").exists()
    assert store.check(WANTED).state is ReplicaState.UNREADABLE
    FileBlobStore(tmp_path / "store")
    assert store.check(WANTED).state is ReplicaState.MISSING


def test_uploading_again_replaces_a_bad_copy_and_says_so(
    blobs: ReplicatedBlobs, roots: tuple[Path, Path]
) -> None:
    for root in roots:
        damage(root, "truncated")
    before = blobs.put(WANTED, len(BLOB), lambda: [BLOB]).before
    assert [(verdict.state, verdict.repaired) for verdict in before] == [(ReplicaState.ALTERED, True)] * 2
    assert states(blobs) == [ReplicaState.GOOD] * 2
    assert all(len(list((root / "quarantine").iterdir())) == 1 for root in roots)


def test_wrong_bytes_do_not_touch_a_bad_copy(blobs: ReplicatedBlobs, roots: tuple[Path, Path]) -> None:
    damage(roots[0], "truncated")
    before = files_in(roots[0])
    with pytest.raises(BlobDigestMismatchError):
        blobs.put(WANTED, len(OTHER), lambda: [OTHER])
    assert files_in(roots[0]) == before


def test_a_store_that_cannot_be_written_stays_unrepaired(tmp_path: Path, roots: tuple[Path, Path]) -> None:
    good = FileBlobStore(roots[0], name="a")
    good.put(WANTED, len(BLOB), [BLOB])
    broken = FileBlobStore(roots[1], name="b", fsync=failing_at(6))
    verdicts = ReplicatedBlobs([good, broken]).repair(WANTED)
    assert [(verdict.state, verdict.repaired) for verdict in verdicts] == [
        (ReplicaState.GOOD, False),
        (ReplicaState.MISSING, False),
    ]


def test_a_scrub_finds_repairs_and_reports_what_is_bad_or_lost(
    blobs: ReplicatedBlobs, roots: tuple[Path, Path]
) -> None:
    damage(roots[0], "bit flipped in the middle")
    path_of(roots[1], digest_of(OTHER)).unlink()
    lost = digest_of(b"never stored")
    findings = [blobs.scrub_one(each) for each in (WANTED, digest_of(OTHER), lost)]
    assert [finding and (finding.digest, finding.lost) for finding in findings] == [
        (WANTED, False),
        (digest_of(OTHER), False),
        (lost, True),
    ]
    assert [verdict.repaired for finding in findings[:1] if finding for verdict in finding.verdicts] == [
        True,
        False,
    ]
    assert [blobs.scrub_one(each) for each in (WANTED, digest_of(OTHER))] == [None, None]


def test_one_store_is_not_enough(store: FileBlobStore) -> None:
    with pytest.raises(AssertionError, match="at least two"):
        ReplicatedBlobs([store])
    with pytest.raises(AssertionError, match="its own name"):
        ReplicatedBlobs([store, store])


def test_the_source_is_asked_anew_for_each_store(roots: tuple[Path, Path]) -> None:
    blobs = ReplicatedBlobs([FileBlobStore(root) for root in roots])
    asked: list[int] = []

    def source() -> Iterable[bytes]:
        asked.append(1)
        return iter([BLOB])

    blobs.put(WANTED, len(BLOB), source)
    assert len(asked) == 2
    assert states(blobs) == [ReplicaState.GOOD] * 2


def test_nothing_is_written_where_too_little_would_be_left_free(tmp_path: Path) -> None:
    store = FileBlobStore(tmp_path / "store")
    with pytest.raises(StoreFullError):
        store.put(WANTED, len(BLOB), [BLOB], spare_bytes=1 << 62)
    assert store.check(WANTED).state is ReplicaState.MISSING
    store.put(WANTED, len(BLOB), [BLOB], spare_bytes=1)
    assert store.put(WANTED, len(BLOB), [BLOB], spare_bytes=1 << 62).state is ReplicaState.GOOD


def test_what_was_stored_once_more_is_neither_listed_as_old_nor_discarded(tmp_path: Path) -> None:
    store, moment = FileBlobStore(tmp_path / "store"), datetime.now(UTC) - timedelta(hours=1)
    store.put(WANTED, len(BLOB), [BLOB])
    aged = moment.timestamp() - 60
    os.utime(path_of(tmp_path / "store"), (aged, aged))
    assert list(store.kept_since_before(moment)) == [WANTED]
    store.put(WANTED, len(BLOB), [BLOB])
    assert list(store.kept_since_before(moment)) == []
    assert not store.discard(WANTED, moment)
    assert store.check(WANTED).state is ReplicaState.GOOD, "it was put back"
    assert not list((tmp_path / "store" / "incoming").iterdir())


def test_what_nobody_has_stored_since_is_discarded_once(tmp_path: Path) -> None:
    store, moment = FileBlobStore(tmp_path / "store"), datetime.now(UTC) + timedelta(hours=1)
    store.put(WANTED, len(BLOB), [BLOB])
    assert store.discard(WANTED, moment)
    assert store.check(WANTED).state is ReplicaState.MISSING
    assert not store.discard(WANTED, moment)
    assert not list((tmp_path / "store" / "incoming").iterdir())
