"""A copy that was read and hashed as a whole, and is read once more, each chunk as it was checked."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tallystick.domain.errors import TallystickError
from tallystick.domain.ids import Digest, as_digest
from tallystick.limits.storage import BLOB_CHUNK_BYTES
from tallystick.store.blobs.store import (
    BlobMissingError,
    BlobStore,
    BlobStoreFailedError,
    ReplicaState,
    ReplicaVerdict,
)


class ReplicaChangedError(TallystickError):
    """A copy that was good when it was checked, and changed before it was read to its end."""

    code = "replica-changed"
    why = "The stored bytes changed between the check and the read; none of the changed bytes were sent."
    advice = "Ask again: the server reads another copy, and reports this one."
    retryable = True


class BlobRangeError(TallystickError):
    """A range that does not lie within the blob."""

    code = "blob-range"
    why = "A range begins and ends within the blob."
    advice = "Ask for the blob's size first, then for bytes within it."


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedCopy:
    """A copy whose whole hash was right, and the hash of each of its chunks."""

    store: BlobStore
    digest: Digest
    size_bytes: int
    chunk_hashes: Sequence[bytes]

    def read(self, first_byte: int, length: int | None) -> Iterator[bytes]:
        """Yield a range, or all from `first_byte` on, comparing each chunk with its hash.

        Raises:
            BlobRangeError: The range does not lie within the blob.
            ReplicaChangedError: While reading: the copy changed after the check.
        """
        end = self.size_bytes if length is None else first_byte + length
        if not 0 <= first_byte <= end <= self.size_bytes:
            raise BlobRangeError(
                "the range is not within the blob", first_byte=first_byte, size_bytes=self.size_bytes
            )
        return self._range(first_byte, end)

    def _range(self, start: int, end: int) -> Iterator[bytes]:
        place = start // BLOB_CHUNK_BYTES
        first = place * BLOB_CHUNK_BYTES
        last = min(-(-end // BLOB_CHUNK_BYTES) * BLOB_CHUNK_BYTES, self.size_bytes)
        for chunk in self._unchanged(first, last, place):
            yield chunk[max(start - first, 0) : end - first]
            first += len(chunk)

    def _unchanged(self, first: int, last: int, place: int) -> Iterator[bytes]:
        """Yield whole chunks, each as it was checked."""
        given = first
        try:
            for chunk in self.store.read(self.digest, first_byte=first, length=last - first):
                if hashlib.sha256(chunk).digest() != self.chunk_hashes[place]:
                    raise ReplicaChangedError("changed while it was read", store=self.store.name)
                yield chunk
                given, place = given + len(chunk), place + 1
        except (BlobMissingError, BlobStoreFailedError) as error:
            raise ReplicaChangedError("gone while it was read", store=self.store.name) from error
        if given != last:
            raise ReplicaChangedError("cut while it was read", store=self.store.name)


def checked_copy(store: BlobStore, wanted: Digest) -> CheckedCopy | ReplicaVerdict:
    """Read a store's whole copy, and return it if its hash is right, else what it turned out to be."""
    hashed, size_bytes, chunk_hashes = hashlib.sha256(), 0, list[bytes]()
    try:
        for chunk in store.read(wanted):
            hashed.update(chunk)
            chunk_hashes.append(hashlib.sha256(chunk).digest())
            size_bytes += len(chunk)
    except BlobMissingError:
        return ReplicaVerdict(store=store.name, digest=wanted, state=ReplicaState.MISSING)
    except BlobStoreFailedError:
        return ReplicaVerdict(store=store.name, digest=wanted, state=ReplicaState.UNREADABLE)
    if (actual := as_digest(hashed.digest())) == wanted:
        return CheckedCopy(store=store, digest=wanted, size_bytes=size_bytes, chunk_hashes=chunk_hashes)
    return ReplicaVerdict(
        store=store.name, digest=wanted, state=ReplicaState.ALTERED, size_bytes=size_bytes, found=actual
    )
