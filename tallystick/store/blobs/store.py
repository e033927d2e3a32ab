"""What every blob store does, what it reports of a copy, and how it fails."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from tallystick.domain.errors import TallystickError
from tallystick.domain.ids import Digest


class BlobMissingError(TallystickError):
    """A blob that is not in this store."""

    code = "blob-missing"
    why = "No blob with this digest is stored here, or you may not fetch it."
    advice = "Upload the blob, or compare the digest with the signed one."


class BlobSizeMismatchError(TallystickError):
    """More or fewer bytes than were declared."""

    code = "blob-size-mismatch"
    why = "An upload must have exactly the size that was declared for it; nothing of it was kept."
    advice = "Upload the file again, from its beginning."


class BlobDigestMismatchError(TallystickError):
    """Bytes that do not have the announced digest."""

    code = "blob-digest-mismatch"
    why = "A blob is stored under the SHA-256 of its bytes. These bytes have a different one; none were kept."
    advice = "Hash the file again and upload it from its beginning."


class StoreFullError(TallystickError):
    """A disk with no room to spare for what somebody wants to store."""

    code = "store-full"
    why = "Some of each disk stays free for evidence and for the ledger, so deposits cannot fill it."
    advice = "Ask the deployment's operators for more disk space. The upload resumes from what has arrived."
    retryable = True


class BlobStoreFailedError(TallystickError):
    """A blob store that cannot be written or read: disk full, input/output error."""

    code = "blob-store-failed"
    why = "The storage failed, so nothing was acknowledged."
    advice = "Send the same request again later; operators find the cause in `reason`."
    retryable = True


class ReplicaState(StrEnum):
    """What one store has of a blob."""

    GOOD = "good"
    MISSING = "missing"
    ALTERED = "altered"
    """Another size or digest than it must have."""
    UNREADABLE = "unreadable"
    """The store failed while it was read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplicaVerdict:
    """What a store's copy of a blob turned out to be when it was read as a whole.

    Attributes:
        size_bytes: As read; None if the copy could not be read.
        found: The digest of the bytes read; None if the copy could not be read.
        repaired: Whether it has been replaced from a good copy since.
    """

    store: str
    digest: Digest
    state: ReplicaState
    size_bytes: int | None = None
    found: Digest | None = None
    repaired: bool = False

    @property
    def is_good_now(self) -> bool:
        """Whether the store has a good copy, perhaps only since it was replaced."""
        return self.repaired or self.state is ReplicaState.GOOD

    @property
    def words(self) -> str:
        """The verdict in words, for the record."""
        return f"{self.store} {self.state}" + (", replaced from a good copy" if self.repaired else "")


class BlobStore(Protocol):
    """One store of blobs. Another kind of store implements exactly this."""

    @property
    def name(self) -> str:
        """The store's name in verdicts, unique in a deployment."""
        ...

    @property
    def writable(self) -> bool:
        """Whether this process may write it; nothing that changes a store is asked of one that it reads."""
        ...

    def check_ready(self) -> None:
        """Refuse if the store is away now, or cannot be written."""
        ...

    def has(self, wanted: Digest) -> bool:
        """Return whether there is a copy, good or bad; nothing of it is read."""
        ...

    def put(
        self, wanted: Digest, size_bytes: int, chunks: Iterable[bytes], *, spare_bytes: int = 0
    ) -> ReplicaVerdict:
        """Store a blob unless a good copy exists; return what was there before.

        It is not stored if fewer than `spare_bytes` would be left free.
        """
        ...

    def check(self, wanted: Digest, size_bytes: int | None = None) -> ReplicaVerdict:
        """Read the whole copy again and return what it turned out to be."""
        ...

    def read(self, wanted: Digest, *, first_byte: int = 0, length: int | None = None) -> Iterator[bytes]:
        """Yield the stored bytes, unverified, in chunks of BLOB_CHUNK_BYTES; the last may be shorter."""
        ...

    def quarantine(self, wanted: Digest) -> None:
        """Move the copy that is stored under a digest aside, for people to look at, if there is one."""
        ...

    def kept_since_before(self, moment: datetime) -> Iterator[Digest]:
        """Yield every blob that nobody has stored since a moment, not even once more."""
        ...

    def discard(self, unwanted: Digest, before: datetime) -> bool:
        """Remove a blob unless someone has stored it since a moment; return whether it was removed."""
        ...

    def discard_unfinished(self, before: datetime) -> int:
        """Remove the files that a stopped process left half written before a moment; return how many."""
        ...


def check_readable(verdicts: Iterable[ReplicaVerdict]) -> None:
    """Refuse to judge a blob by a store that fails: it may work again in a moment.

    Raises:
        BlobStoreFailedError: A copy could not be read, and was not replaced.
    """
    for verdict in verdicts:
        if verdict.state is ReplicaState.UNREADABLE and not verdict.repaired:
            raise BlobStoreFailedError("a copy cannot be read", store=verdict.store, reason="unreadable")


def check_everywhere(verdicts: Iterable[ReplicaVerdict]) -> None:
    """Refuse to rely on a blob before every store has a good copy: the missing ones may follow in a moment.

    Raises:
        BlobStoreFailedError: A store has none, and did not take one.
    """
    for verdict in verdicts:
        if not verdict.is_good_now:
            raise BlobStoreFailedError("a store has no copy yet", store=verdict.store, reason=verdict.state)
