"""The hashes of a blob's chunks: a range is checked by those of its own chunks, and the rest is not read.

They are taken while a whole upload is hashed and found to be what was announced, and lie in the database,
not with the bytes. Every chunk is hashed on every read, and read from another copy if one is bad.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from sqlmodel import Session

from tallystick import telemetry
from tallystick.domain.ids import Digest
from tallystick.limits.storage import BLOB_CHUNK_BYTES
from tallystick.store.blobs.checked import BlobRangeError
from tallystick.store.blobs.replicas import NoGoodReplicaError
from tallystick.store.blobs.store import (
    BlobMissingError,
    BlobStore,
    BlobStoreFailedError,
    ReplicaState,
    ReplicaVerdict,
)
from tallystick.store.database.tables import BlobChunksRow

_log = telemetry.logger(__name__)

_HASH_BYTES: Final = 32
_CHUNKS_A_ROW: Final = 1024  # 32 KiB of hashes stand for 1 GiB


class ChunkHashing:
    """The hashes of the chunks that have passed."""

    def __init__(self) -> None:
        """Begin with none."""
        self._hashes = bytearray()

    @property
    def hashes(self) -> bytes:
        """SHA-256 of each chunk of BLOB_CHUNK_BYTES, one after the other; the last may be shorter."""
        return bytes(self._hashes)

    def passing(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """Yield the pieces of a whole blob, from its first byte, however they are cut."""
        self._hashes.clear()
        hashed, left = hashlib.sha256(), BLOB_CHUNK_BYTES
        for piece in pieces:
            rest = memoryview(piece)
            while rest:
                hashed.update(rest[:left])
                taken = min(left, len(rest))
                rest, left = rest[taken:], left - taken
                if not left:
                    self._hashes += hashed.digest()
                    hashed, left = hashlib.sha256(), BLOB_CHUNK_BYTES
            yield piece
        if left < BLOB_CHUNK_BYTES:
            self._hashes += hashed.digest()


def record_chunks(session: Session, wanted: Digest, hashes: bytes) -> None:
    """Note the hashes of a blob's chunks; they follow from its bytes, so a second upload has the same."""
    step = _CHUNKS_A_ROW * _HASH_BYTES
    for part, start in enumerate(range(0, len(hashes), step)):
        if session.get(BlobChunksRow, (wanted, part)) is None:
            session.add(BlobChunksRow(digest=wanted, part=part, hashes=hashes[start : start + step]))
    session.flush()


def chunks_in_row(session: Session, wanted: Digest, part: int) -> bytes | None:
    """Return the hashes of the chunks from number `1024 * part` on, those of one row, if they are known."""
    row = session.get(BlobChunksRow, (wanted, part))
    return None if row is None else row.hashes


@dataclass(frozen=True, slots=True, kw_only=True)
class ChunkedBlob:
    """A blob of which the hash of every chunk is known.

    Attributes:
        row: Returns the hashes in one row, as `chunks_in_row` does.
        stores: Where there are copies, in the order in which they are read.
    """

    digest: Digest
    size_bytes: int
    row: Callable[[int], bytes | None]
    stores: Sequence[BlobStore]

    def read(self, first_byte: int, length: int) -> Iterator[bytes]:
        """Yield a range, each chunk from a copy in which it has its hash.

        Raises:
            BlobRangeError: It does not lie within the blob.
            NoGoodReplicaError: No copy has one of its chunks.
        """
        end = first_byte + length
        if not 0 <= first_byte <= end <= self.size_bytes:
            raise BlobRangeError(
                "the range is not within the blob", first_byte=first_byte, size_bytes=self.size_bytes
            )
        return self._range(first_byte, end)

    def _range(self, first_byte: int, end: int) -> Iterator[bytes]:
        stores, known = list(self.stores), dict[int, bytes]()
        for place in range(first_byte // BLOB_CHUNK_BYTES, -(-end // BLOB_CHUNK_BYTES)):
            part, within = divmod(place, _CHUNKS_A_ROW)
            if part not in known:
                known = {part: self.row(part) or b""}
            wanted = known[part][within * _HASH_BYTES : (within + 1) * _HASH_BYTES]
            start = place * BLOB_CHUNK_BYTES
            yield self._good(stores, start, wanted)[max(first_byte - start, 0) : end - start]

    def _good(self, stores: list[BlobStore], start: int, wanted: bytes) -> bytes:
        """Return the chunk that begins at `start`; a store whose copy is bad is asked last from then on."""
        bad: list[ReplicaVerdict] = []
        for store in list(stores):
            found = self._chunk(store, start)
            if isinstance(found, bytes) and hashlib.sha256(found).digest() == wanted:
                return found
            state = ReplicaState.ALTERED if isinstance(found, bytes) else found
            bad.append(ReplicaVerdict(store=store.name, digest=self.digest, state=state))
            stores.remove(store)
            stores.append(store)
            _log.warning("a bad copy was passed over", blob=self.digest, copy=bad[-1].words, first_byte=start)
        raise NoGoodReplicaError("no good copy", verdicts=bad)

    def _chunk(self, store: BlobStore, start: int) -> bytes | ReplicaState:
        length = min(BLOB_CHUNK_BYTES, self.size_bytes - start)
        try:
            return b"".join(store.read(self.digest, first_byte=start, length=length))
        except BlobMissingError:
            return ReplicaState.MISSING
        except BlobStoreFailedError:
            return ReplicaState.UNREADABLE
