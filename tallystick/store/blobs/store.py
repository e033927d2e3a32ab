"""One place for blobs: what every kind of place does, what it finds, and how it fails."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from tallystick.domain.errors import TallystickError
from tallystick.domain.ids import Digest


class BlobMissingError(TallystickError):
    """A blob that isn't in this store."""

    code = "blob-missing"
    why = "Nothing is stored under this digest."
    advice = "Upload the blob, or compare the digest with the signed one."


class BlobSizeMismatchError(TallystickError):
    """Bytes of another number than was declared."""

    code = "blob-size-mismatch"
    why = "An upload has exactly the size that was declared for it; nothing of it was kept."
    advice = "Upload the file again, from its beginning."


class BlobDigestMismatchError(TallystickError):
    """Bytes that don't have the digest they were announced under."""

    code = "blob-digest-mismatch"
    why = "A blob is stored under the SHA-256 of its bytes; these have another, and nothing of them was kept."
    advice = "Hash the file again and upload it from its beginning."


class BlobStoreFailedError(TallystickError):
    """The place where blobs are kept doesn't take or give them: disk full, input/output error."""

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
    """What was found when a store's copy of a blob was read as a whole.

    Attributes:
        size_bytes: As found; None if it couldn't be read.
        found: The digest of the bytes found; None if they couldn't be read.
        repaired: Whether it has been replaced from a good copy since.
    """

    store: str
    digest: Digest
    state: ReplicaState
    size_bytes: int | None = None
    found: Digest | None = None
    repaired: bool = False

    @property
    def words(self) -> str:
        """What was found, for the record."""
        return f"{self.store} {self.state}" + (", replaced from a good copy" if self.repaired else "")


class BlobStore(Protocol):
    """One place for blobs. Another kind of place implements exactly this."""

    @property
    def name(self) -> str:
        """The store's name in verdicts, unique in a deployment."""
        ...

    def put(self, wanted: Digest, size_bytes: int, chunks: Iterable[bytes]) -> ReplicaVerdict:
        """Store a blob unless it's there and good; say what was there before."""
        ...

    def check(self, wanted: Digest, size_bytes: int | None = None) -> ReplicaVerdict:
        """Read the whole blob again and say what it is."""
        ...

    def read(self, wanted: Digest, *, first_byte: int = 0, length: int | None = None) -> Iterator[bytes]:
        """Yield bytes as they're stored, unverified, in chunks of BLOB_CHUNK_BYTES but for the last."""
        ...

    def quarantine(self, wanted: Digest) -> None:
        """Move what's stored under a digest aside, to be looked at; a missing blob stays missing."""
        ...

    def discard_unfinished(self, before: datetime) -> int:
        """Remove what a stopped process left half written before a moment; return how many files."""
        ...
