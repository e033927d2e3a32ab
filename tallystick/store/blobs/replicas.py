"""Blobs in several stores at once: acknowledged when one has them, read only from a good copy.

A process writes those stores that it may write. One that is away holds nobody up: the worker, which may write
all of them, makes the copy that is missing as soon as it can. Who relies on several copies waits for them.

Checks and repairs report bad copies to the caller, who records them in the ledger. A read
passes a bad copy over and logs that; the next check finds it.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from threading import Lock
from weakref import WeakValueDictionary

from tallystick import telemetry
from tallystick.domain.errors import TallystickError
from tallystick.domain.ids import Digest
from tallystick.limits.storage import BLOB_STORES_MIN
from tallystick.store.blobs.checked import ReplicaChangedError, checked_copy
from tallystick.store.blobs.store import (
    BlobStore,
    BlobStoreFailedError,
    ReplicaState,
    ReplicaVerdict,
    StoreFullError,
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
class Stored:
    """A blob that was stored.

    Attributes:
        before: What each store had that took it now.
        everywhere: Whether every store took it; if not, copies are behind.
    """

    before: tuple[ReplicaVerdict, ...]
    everywhere: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ScrubFinding:
    """What a scrub found wrong with one blob; it is lost if no good copy was left."""

    digest: Digest
    verdicts: tuple[ReplicaVerdict, ...]
    lost: bool

    @property
    def everywhere(self) -> bool:
        """Whether every store has a good copy now."""
        return all(verdict.is_good_now for verdict in self.verdicts)


class ReplicatedBlobs:
    """The same blobs in at least two stores."""

    def __init__(self, stores: Sequence[BlobStore]) -> None:
        """Use `stores`, in this order for reading."""
        names = {store.name for store in stores}
        assert len(names) == len(stores) >= BLOB_STORES_MIN, "at least two stores, each with its own name"
        assert any(store.writable for store in stores), "at least one store that this process may write"
        self._stores = tuple(stores)
        self._repairing = WeakValueDictionary[Digest, _Repair]()
        self._lock = Lock()

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
    ) -> Stored:
        """Store a blob durably in every store that this process may write, and that is not away.

        `source` is called once for each store, and yields the bytes from the first. An ALTERED
        copy is moved to quarantine, and its verdict comes back as repaired.

        Raises:
            BlobSizeMismatchError, BlobDigestMismatchError: Not the announced bytes.
            StoreFullError: Fewer than `spare_bytes` would be left free in a store.
            BlobStoreFailedError: No store took it, so nothing is acknowledged; repeating is harmless.
        """
        took, failures = list[ReplicaVerdict](), list[BlobStoreFailedError]()
        for store in self._writable:
            try:
                before = store.put(wanted, size_bytes, source(), spare_bytes=spare_bytes)
            except BlobStoreFailedError as error:
                _log.error("a store did not take a blob", blob=wanted, store=store.name, why=str(error))
                failures.append(error)
            else:
                took.append(replace(before, repaired=before.state is ReplicaState.ALTERED))
        if not took:
            raise failures[0]
        return Stored(before=tuple(took), everywhere=len(took) == len(self._stores))

    @property
    def _writable(self) -> tuple[BlobStore, ...]:
        return tuple(store for store in self._stores if store.writable)

    def check_ready(self) -> None:
        """Refuse while a store is away: who needs copies in all of them need not read any before.

        Raises:
            BlobStoreFailedError: One is.
        """
        for store in self._stores:
            store.check_ready()

    def away(self) -> tuple[str, ...]:
        """Return the names of the stores that are away, or cannot be written, now."""
        return tuple(store.name for store in self._stores if _is_away(store))

    def lacks(self, wanted: Digest, *, but: Collection[str]) -> bool:
        """Return whether a store has no copy at all, `but` those that are away; nothing is read."""
        return any(store.name not in but and not store.has(wanted) for store in self._stores)

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
            checked = checked_copy(store, wanted)
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

    def repair(
        self, wanted: Digest, size_bytes: int | None = None, *, spare_bytes: int = 0
    ) -> tuple[ReplicaVerdict, ...]:
        """Replace every bad or missing copy from a good one; return what each was.

        Bad copies go to quarantine. If a store cannot be written, or has no `spare_bytes` besides, its copy
        stays unrepaired. Threads that repair the same blob take turns, so that it is copied once.

        Raises:
            NoGoodReplicaError: No copy is good; the bad ones stay where they are.
        """
        with self._lock:
            mine = self._repairing.setdefault(wanted, _Repair())
        with mine.lock:
            return self._repaired(wanted, size_bytes, spare_bytes)

    def _repaired(
        self, wanted: Digest, size_bytes: int | None, spare_bytes: int
    ) -> tuple[ReplicaVerdict, ...]:
        verdicts = self.check(wanted, size_bytes)
        good = [store for store, verdict in zip(self._stores, verdicts, strict=True) if _is_good(verdict)]
        if not good:
            raise NoGoodReplicaError("no good copy to repair from", verdicts=verdicts)
        pairs = zip(self._stores, verdicts, strict=True)
        return tuple(
            verdict
            if _is_good(verdict) or not store.writable
            else replace(verdict, repaired=self._replaced(store, good[0], wanted, spare_bytes))
            for store, verdict in pairs
        )

    def scrub_one(self, wanted: Digest, *, spare_bytes: int = 0) -> ScrubFinding | None:
        """Read every copy of one blob again and repair the bad ones; None if every copy was good."""
        try:
            verdicts = self.repair(wanted, spare_bytes=spare_bytes)
        except NoGoodReplicaError as error:
            return ScrubFinding(digest=wanted, verdicts=error.verdicts, lost=True)
        if all(map(_is_good, verdicts)):
            return None
        return ScrubFinding(digest=wanted, verdicts=verdicts, lost=False)

    def discard(self, unwanted: Digest, before: datetime) -> bool:
        """Remove a blob from every store, unless someone has stored it since a moment; say if any had it.

        Raises:
            BlobStoreFailedError: A store failed; it was removed from the others.
        """
        removed, failures = False, list[BlobStoreFailedError]()
        for store in self._stores:
            try:
                removed |= store.discard(unwanted, before)
            except BlobStoreFailedError as error:
                failures.append(error)
        if failures:
            raise failures[0]
        return removed

    def _replaced(self, store: BlobStore, good: BlobStore, wanted: Digest, spare_bytes: int) -> bool:
        copy = checked_copy(good, wanted)
        if isinstance(copy, ReplicaVerdict):
            return False
        try:
            store.put(wanted, copy.size_bytes, copy.read(0, None), spare_bytes=spare_bytes)
        except (BlobStoreFailedError, StoreFullError, ReplicaChangedError) as error:
            _log.warning("a copy was not replaced", blob=wanted, store=store.name, why=str(error))
            return False
        return True


class _Repair:
    """The turn of those who repair one blob."""

    def __init__(self) -> None:
        self.lock = Lock()


def _is_away(store: BlobStore) -> bool:
    try:
        store.check_ready()
    except BlobStoreFailedError:
        return True
    return False


def _is_good(verdict: ReplicaVerdict) -> bool:
    return verdict.state is ReplicaState.GOOD
