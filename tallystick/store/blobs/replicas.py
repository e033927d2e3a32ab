"""Blobs in several stores at once: acknowledged when all have them, read only from a good copy.

Checks and repairs report bad copies to the caller, who records them in the ledger. A read
passes a bad copy over and logs that; the next check finds it.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from tallystick import telemetry
from tallystick.domain.errors import TallystickError
from tallystick.domain.ids import Digest
from tallystick.limits.storage import BLOB_CHUNK_BYTES, BLOB_STORES_MIN
from tallystick.store.blobs.store import (
    BlobMissingError,
    BlobStore,
    BlobStoreFailedError,
    ReplicaState,
    ReplicaVerdict,
)

_log = telemetry.logger(__name__)


class NoGoodReplicaError(TallystickError):
    """A blob of which no store has a good copy; `replicas` says what each has."""

    code = "no-good-replica"
    why = "No store has a good copy of this blob now: each copy is missing, altered or unreadable."
    advice = "Bring a store back, or upload exactly the same bytes again; no others have this digest."

    def __init__(self, message: str, /, *, verdicts: Sequence[ReplicaVerdict]) -> None:
        states = {verdict.store: verdict.state.value for verdict in verdicts}
        super().__init__(message, replicas=states)
        self.verdicts = tuple(verdicts)


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
class VerifiedRead:
    """A blob from a copy that has just been read and hashed as a whole.

    Attributes:
        chunks: The bytes asked for, to be read once; each chunk is compared with the hash that it had
            when the copy was checked.
        size_bytes: Of the whole blob.
        store: The name of the store that has the copy.
    """

    chunks: Iterator[bytes]
    size_bytes: int
    store: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ScrubFinding:
    """What a scrub found wrong with one blob; it is lost if no good copy was left."""

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

    @property
    def stores(self) -> tuple[BlobStore, ...]:
        """The stores, in the order in which they are read."""
        return self._stores

    def put(
        self,
        wanted: Digest,
        size_bytes: int,
        source: Callable[[], Iterable[bytes]],
        *,
        spare_bytes: int = 0,
    ) -> tuple[ReplicaVerdict, ...]:
        """Store a blob in every store, durably; return what each store had before.

        `source` is called once for each store, and yields the bytes from the first. An ALTERED
        copy is moved to quarantine, and its verdict comes back as repaired.

        Raises:
            BlobSizeMismatchError, BlobDigestMismatchError: Not the announced bytes.
            StoreFullError: Fewer than `spare_bytes` would be left free in a store.
            BlobStoreFailedError: A store failed and nothing is acknowledged; repeating is harmless.
        """
        before = [store.put(wanted, size_bytes, source(), spare_bytes=spare_bytes) for store in self._stores]
        return tuple(replace(verdict, repaired=verdict.state is ReplicaState.ALTERED) for verdict in before)

    def check(self, wanted: Digest, size_bytes: int | None = None) -> tuple[ReplicaVerdict, ...]:
        """Read every copy as a whole, and return what each turned out to be."""
        return tuple(store.check(wanted, size_bytes) for store in self._stores)

    def open_verified(
        self, wanted: Digest, *, first_byte: int = 0, length: int | None = None
    ) -> VerifiedRead:
        """Return a blob, or a range of it, from the first copy whose whole hash is right on this read.

        The copy is read twice: once to check it, keeping a hash of every chunk, and once
        to yield it, comparing each chunk with its hash. So every byte was checked before it
        is yielded, whatever happens to the copy in between.

        Raises:
            NoGoodReplicaError: No copy is good.
            BlobRangeError: The range does not lie within the blob.
            ReplicaChangedError: While reading `chunks`: the copy changed after the check.
        """
        bad: list[ReplicaVerdict] = []
        for store in self._stores:
            checked = _checked_copy(store, wanted)
            if isinstance(checked, ReplicaVerdict):
                bad.append(checked)
                continue
            for verdict in bad:
                _log.warning("a bad copy was passed over", blob=wanted, copy=verdict.words)
            return VerifiedRead(
                chunks=checked.read(first_byte, length),
                size_bytes=checked.size_bytes,
                store=store.name,
            )
        raise NoGoodReplicaError("no good copy", verdicts=bad)

    def repair(self, wanted: Digest, size_bytes: int | None = None) -> tuple[ReplicaVerdict, ...]:
        """Replace every bad or missing copy from a good one; return what each was.

        Bad copies go to quarantine. If a store cannot be written, its copy stays unrepaired.

        Raises:
            NoGoodReplicaError: No copy is good; the bad ones stay where they are.
        """
        verdicts = self.check(wanted, size_bytes)
        copies = list(zip(self._stores, verdicts, strict=True))
        good = [store for store, verdict in copies if _is_good(verdict)]
        if not good:
            raise NoGoodReplicaError("no good copy to repair from", verdicts=verdicts)
        return tuple(
            verdict if _is_good(verdict) else replace(verdict, repaired=_replaced(store, good[0], wanted))
            for store, verdict in copies
        )

    def scrub_one(self, wanted: Digest) -> ScrubFinding | None:
        """Read every copy of one blob again and repair the bad ones; None if every copy was good."""
        if all(map(_is_good, self.check(wanted))):
            return None
        return self._mended(wanted)

    def kept_since_before(self, moment: datetime) -> Iterator[Digest]:
        """Yield, for each store, every blob that nobody has stored since a moment, not even once more.

        Raises:
            BlobStoreFailedError: A store cannot be listed.
        """
        for store in self._stores:
            yield from store.kept_since_before(moment)

    def discard(self, unwanted: Digest, before: datetime) -> bool:
        """Remove a blob from every store, unless someone has stored it since a moment; say if any had it.

        Raises:
            BlobStoreFailedError: A store failed.
        """
        removed = [store.discard(unwanted, before) for store in self._stores]
        return any(removed)

    def discard_unfinished(self, before: datetime) -> int:
        """Remove, in every store, the files left half written before a moment; return how many.

        Raises:
            BlobStoreFailedError: A store cannot be listed.
        """
        return sum(store.discard_unfinished(before) for store in self._stores)

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
    if (actual := Digest("sha256:" + hashed.hexdigest())) == wanted:
        return _CheckedCopy(store=store, digest=wanted, size_bytes=size_bytes, chunk_hashes=chunk_hashes)
    return ReplicaVerdict(
        store=store.name, digest=wanted, state=ReplicaState.ALTERED, size_bytes=size_bytes, found=actual
    )


def _is_good(verdict: ReplicaVerdict) -> bool:
    return verdict.state is ReplicaState.GOOD


def _replaced(store: BlobStore, good: BlobStore, wanted: Digest) -> bool:
    copy = _checked_copy(good, wanted)
    if isinstance(copy, ReplicaVerdict):
        return False
    try:
        store.put(wanted, copy.size_bytes, copy.read(0, None))
    except (BlobStoreFailedError, ReplicaChangedError):
        return False
    return True
