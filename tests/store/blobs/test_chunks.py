"""A range is checked by its own chunks, from whichever copy has them."""

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tallystick.domain.ids import Digest, sha256_digest
from tallystick.limits.storage import BLOB_CHUNK_BYTES
from tallystick.store.blobs.checked import BlobRangeError
from tallystick.store.blobs.chunks import ChunkedBlob, ChunkHashing
from tallystick.store.blobs.folder import FileBlobStore
from tallystick.store.blobs.replicas import NoGoodReplicaError, ReplicatedBlobs

CHUNK = BLOB_CHUNK_BYTES
DATA = bytes(range(256)) * (CHUNK // 256) * 3 + b"the rest"
WANTED = sha256_digest(DATA)


class Counted(FileBlobStore):
    """A store that counts the bytes that are read from it."""

    read_bytes = 0

    def read(self, wanted: Digest, *, first_byte: int = 0, length: int | None = None) -> Iterator[bytes]:
        for chunk in super().read(wanted, first_byte=first_byte, length=length):
            self.read_bytes += len(chunk)
            yield chunk


def stored(folder: Path, pieces: Sequence[bytes] = (DATA,)) -> tuple[ChunkedBlob, list[Counted]]:
    stores = [Counted(folder / name, name=name) for name in ("north", "south")]
    hashing = ChunkHashing()
    ReplicatedBlobs(stores).put(WANTED, len(DATA), lambda: hashing.passing(pieces))
    for store in stores:
        store.read_bytes = 0
    row = {0: hashing.hashes}.get
    return ChunkedBlob(digest=WANTED, size_bytes=len(DATA), row=row, stores=stores), stores


def alter(folder: Path, name: str, at: int) -> None:
    digits = WANTED.removeprefix("sha256:")
    file = folder / name / "blobs" / digits[:2] / digits[2:4] / digits
    file.chmod(0o600)
    with file.open("r+b") as out:
        out.seek(at)
        out.write(b"!")


@pytest.mark.parametrize("cut", [1000, CHUNK, CHUNK + 1, len(DATA)])
def test_hashes_are_those_of_the_chunks_however_the_bytes_arrive(cut: int) -> None:
    hashing = ChunkHashing()
    pieces = [DATA[start : start + cut] for start in range(0, len(DATA), cut)]
    for _ in range(2):  # each store is sent the bytes from the first
        assert b"".join(hashing.passing(pieces)) == DATA
    chunks = [DATA[start : start + CHUNK] for start in range(0, len(DATA), CHUNK)]
    assert hashing.hashes == b"".join(hashlib.sha256(chunk).digest() for chunk in chunks)


@pytest.mark.parametrize(
    ("first", "length", "chunks"),
    [(5, 10, 1), (CHUNK - 1, 2, 2), (0, CHUNK, 1), (3 * CHUNK, 8, 1), (7, 0, 1)],
)
def test_a_range_reads_its_own_chunks_and_no_other(
    tmp_path: Path, first: int, length: int, chunks: int
) -> None:
    blob, stores = stored(tmp_path)
    assert b"".join(blob.read(first, length)) == DATA[first : first + length]
    assert stores[0].read_bytes <= chunks * CHUNK
    assert stores[1].read_bytes == 0


def test_a_bad_chunk_comes_from_the_other_copy_and_what_no_copy_has_is_refused(tmp_path: Path) -> None:
    blob, _ = stored(tmp_path)
    alter(tmp_path, "north", CHUNK + 3)
    assert b"".join(blob.read(0, len(DATA))) == DATA
    alter(tmp_path, "south", CHUNK + 3)
    assert b"".join(blob.read(0, CHUNK)) == DATA[:CHUNK]
    with pytest.raises(NoGoodReplicaError) as refused:
        b"".join(blob.read(CHUNK, 1))
    assert refused.value.facts["replicas"] == {"north": "altered", "south": "altered"}


def test_a_range_beyond_the_blob_is_refused(tmp_path: Path) -> None:
    blob, _ = stored(tmp_path)
    with pytest.raises(BlobRangeError):
        blob.read(len(DATA), 1)
