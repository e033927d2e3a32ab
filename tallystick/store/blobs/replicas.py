"""Blobs in several places at once: acknowledged when all have them, read only from a good copy.

Whatever is found to be bad is data for the caller, who enters it in the ledger:
nothing is passed over or repaired silently.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from tallystick.domain.errors import TallystickError
from tallystick.domain.ids import Digest
from tallystick.limits import BLOB_CHUNK_BYTES, BLOB_STORES_MIN
from tallystick.store.blobs.store import (
    BlobMissingError,
    BlobStore,
    BlobStoreFailedError,
    ReplicaState,
    ReplicaVerdict,
)


class NoGoodReplicaError(TallystickError):
    """A blob of which no store has a good copy; `replicas` says what each has."""

    code = "no-good-replica"
    why = "No store has bytes with this digest now: they're missing, altered or can't be read."
    advice = "Bring a store back, or upload the very same bytes again; nothing else can pass for them."

    def __init__(self, message: str, /, *, verdicts: Sequence[ReplicaVerdict]) -> None:
        told = {verdict.store: verdict.state.value for verdict in verdicts}
        super().__init__(message, replicas=told)
        self.verdicts = tuple(verdicts)


class ReplicaChangedError(TallystickError):
    """A copy that was good a moment ago, and wasn't any more while it was being read."""

    code = "replica-changed"
    why = "The stored bytes changed between the check and the read; none of the changed ones were given."
    advice = "Ask again: another copy is used, and this one is reported."
    retryable = True


class BlobRangeError(TallystickError):
    """A range that doesn't lie within the blob."""

    code = "blob-range"
    why = "A range begins and ends within the blob."
    advice = "Ask for the blob's size first, then for bytes within it."


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedRead:
    """A blob from a copy that has just been read and hashed as a whole.

    Attributes:
        chunks: The bytes asked for, once; each chunk is compared with the check before it's given.
        size_bytes: Of the whole blob.
        store: Where the copy is.
        passed_over: The bad copies that were found on the way.
    """

    chunks: Iterator[bytes]
    size_bytes: int
    store: str
    passed_over: tuple[ReplicaVerdict, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScrubFinding:
    """What a scrub found wrong with one blob, and whether it's lost: no good copy was left."""

    digest: Digest
    verdicts: tuple[ReplicaVerdict, ...]
    lost: bool


class ReplicatedBlobs:
    """The same blobs in at least two stores."""

    def __init__(self, stores: Sequence[BlobStore]) -> None:
        """Use `stores`, in this order for reading."""
        names = {store.name for store in stores}
        assert len(names) == len(stores) >= BLOB_STORES_MIN, "at least two stores, each with its own name"
        self._stores = tuple(stores)

    def put(
        self, wanted: Digest, size_bytes: int, source: Callable[[], Iterable[bytes]]
    ) -> tuple[ReplicaVerdict, ...]:
        """Store a blob in every place; on return it's durable in all. Say what each had before.

        `source` is called for each store, and begins at the beginning. A verdict that was
        ALTERED comes back as repaired, its bad copy in quarantine.

        Raises:
            BlobSizeMismatchError, BlobDigestMismatchError: Not the announced bytes.
            BlobStoreFailedError: A store failed: nothing is acknowledged; repeating it is harmless.
        """
        before = [store.put(wanted, size_bytes, source()) for store in self._stores]
        return tuple(replace(found, repaired=found.state is ReplicaState.ALTERED) for found in before)

    def check(self, wanted: Digest, size_bytes: int | None = None) -> tuple[ReplicaVerdict, ...]:
        """Read every copy as a whole, and say what each is."""
        return tuple(store.check(wanted, size_bytes) for store in self._stores)

    def open_verified(
        self, wanted: Digest, *, first_byte: int = 0, length: int | None = None
    ) -> VerifiedRead:
        """Return a blob, or a range of it, from the first copy whose whole hash is right on this read.

        The copy is read twice: once to check it, keeping a hash of every chunk, and once
        to give it, each chunk compared with its hash. So no byte is given that wasn't
        checked, whatever happens to the copy in between.

        Raises:
            NoGoodReplicaError: No copy is good.
            BlobRangeError: The range doesn't lie within the blob.
            ReplicaChangedError: While reading `chunks`: the copy changed after the check.
        """
        bad: list[ReplicaVerdict] = []
        for store in self._stores:
            checked = _checked_copy(store, wanted)
            if isinstance(checked, ReplicaVerdict):
                bad.append(checked)
                continue
            return VerifiedRead(
                chunks=checked.read(first_byte, length),
                size_bytes=checked.size_bytes,
                store=store.name,
                passed_over=tuple(bad),
            )
        raise NoGoodReplicaError("no good copy", verdicts=bad)

    def repair(self, wanted: Digest, size_bytes: int | None = None) -> tuple[ReplicaVerdict, ...]:
        """Replace every bad or missing copy from a good one; say what each was.

        Bad copies go to quarantine. One whose store can't be written stays unrepaired.

        Raises:
            NoGoodReplicaError: No copy is good; the bad ones stay where they are.
        """
        verdicts = self.check(wanted, size_bytes)
        good = [store for store, found in zip(self._stores, verdicts, strict=True) if _is_good(found)]
        if not good:
            raise NoGoodReplicaError("no good copy to repair from", verdicts=verdicts)
        pairs = zip(self._stores, verdicts, strict=True)
        return tuple(
            found if _is_good(found) else replace(found, repaired=self._replaced(store, good[0], wanted))
            for store, found in pairs
        )

    def scrub_one(self, wanted: Digest) -> ScrubFinding | None:
        """Read every copy of one blob again and repair what can be; None if every copy was good."""
        if all(map(_is_good, self.check(wanted))):
            return None
        return self._mended(wanted)

    def discard_unfinished(self, before: datetime) -> int:
        """Remove, in every store, what was left half written before a moment; return how many files.

        Raises:
            BlobStoreFailedError: A store can't be listed.
        """
        return sum(store.discard_unfinished(before) for store in self._stores)

    def _replaced(self, store: BlobStore, good: BlobStore, wanted: Digest) -> bool:
        copy = _checked_copy(good, wanted)
        if isinstance(copy, ReplicaVerdict):
            return False
        try:
            store.put(wanted, copy.size_bytes, copy.read(0, None))
        except (BlobStoreFailedError, ReplicaChangedError):
            return False
        return True

    def _mended(self, wanted: Digest) -> ScrubFinding:
        try:
            return ScrubFinding(digest=wanted, verdicts=self.repair(wanted), lost=False)
        except NoGoodReplicaError as error:
            return ScrubFinding(digest=wanted, verdicts=error.verdicts, lost=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class _CheckedCopy:
    """A copy whose whole hash was right, and the hash of each of its chunks."""

    store: BlobStore
    digest: Digest
    size_bytes: int
    chunk_hashes: Sequence[bytes]

    def read(self, first_byte: int, length: int | None) -> Iterator[bytes]:
        end = self.size_bytes if length is None else first_byte + length
        if not 0 <= first_byte <= end <= self.size_bytes:
            raise BlobRangeError("not within the blob", first_byte=first_byte, size_bytes=self.size_bytes)
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


def _checked_copy(store: BlobStore, wanted: Digest) -> _CheckedCopy | ReplicaVerdict:
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
    if (found := Digest("sha256:" + hashed.hexdigest())) == wanted:
        return _CheckedCopy(store=store, digest=wanted, size_bytes=size_bytes, chunk_hashes=chunk_hashes)
    return ReplicaVerdict(
        store=store.name, digest=wanted, state=ReplicaState.ALTERED, size_bytes=size_bytes, found=found
    )


def _is_good(verdict: ReplicaVerdict) -> bool:
    return verdict.state is ReplicaState.GOOD
