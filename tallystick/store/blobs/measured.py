"""What passes is measured: how many bytes, their hash, and whether the disk has room for them."""

import hashlib
import os
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Final, Protocol

from tallystick.domain.ids import Digest, as_digest
from tallystick.store.blobs.store import BlobDigestMismatchError, BlobSizeMismatchError, StoreFullError


def check_spare(folder: Path, size_bytes: int, spare_bytes: int) -> None:
    """Refuse to write where fewer than `spare_bytes` would be left free; nothing to spare refuses nothing.

    Raises:
        StoreFullError: They would.
    """
    disk = os.statvfs(folder)
    if spare_bytes and disk.f_bavail * disk.f_frsize - size_bytes < spare_bytes:
        raise StoreFullError("no room to spare on this disk", size_bytes=size_bytes, spare_bytes=spare_bytes)


def measure(chunks: Iterable[bytes]) -> tuple[Digest, int]:
    """Return the digest and the number of all bytes in `chunks`."""
    hashed, size_bytes = hashlib.sha256(), 0
    for chunk in chunks:
        hashed.update(chunk)
        size_bytes += len(chunk)
    return as_digest(hashed.digest()), size_bytes


class Sink(Protocol):
    """Where bytes go."""

    def write(self, data: bytes, /) -> int:
        """Take `data`."""
        ...


class _Nowhere:
    def write(self, data: bytes, /) -> int:
        return len(data)


NOWHERE: Final[Sink] = _Nowhere()
"""Where bytes go that are only measured."""


def copy_measured(chunks: Iterable[bytes], out: Sink, wanted: Digest, size_bytes: int) -> None:
    """Write all of `chunks` to `out`.

    Raises:
        BlobSizeMismatchError, BlobDigestMismatchError: They are not the announced bytes.
    """
    hashed, size = hashlib.sha256(), 0
    for chunk in chunks:
        size += len(chunk)
        if size > size_bytes:
            raise BlobSizeMismatchError("the blob has more bytes than were declared", declared=size_bytes)
        hashed.update(chunk)
        out.write(chunk)
    if size != size_bytes:
        raise BlobSizeMismatchError(
            "the blob has fewer bytes than were declared", declared=size_bytes, found=size
        )
    if (actual := as_digest(hashed.digest())) != wanted:
        raise BlobDigestMismatchError(
            "the bytes do not have the announced digest", expected=wanted, found=actual
        )


def modified_at(path: Path) -> float:
    """Return when a file was last written, in seconds of the epoch; if another has removed it, never."""
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return float("inf")


def drop_older(paths: Iterable[Path], before: datetime) -> int:
    """Remove the files that were last written before a moment, and return how many.

    Raises:
        OSError: One could not be removed; the others were.
    """
    dropped, failures = 0, list[OSError]()
    for path in paths:
        try:
            if modified_at(path) < before.timestamp():
                path.unlink(missing_ok=True)
                dropped += 1
        except OSError as error:
            failures.append(error)
    if failures:
        raise failures[0]
    return dropped
