"""Blobs by their SHA-256 in one local folder: written once, and durable before it is said.

A blob that exists under its name is whole: it is written elsewhere, synchronised, read back
and hashed, and only then linked. A bad copy is moved aside, not removed. What may be removed
is decided elsewhere; to store a blob once more is to keep it. For several stores together,
see `replicas`.

A store without its folders is away: its disk is not mounted, or nobody has made them yet. Nothing is said
of its blobs then, and no folder is made in its place, lest copies end up on another disk.
"""

import os
import re
import secrets
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Final

from tallystick import telemetry
from tallystick.domain.ids import Digest, as_digest, digest, digits_of
from tallystick.durable import Fsync, make_folder, reason_of, sync_file, sync_folder
from tallystick.limits.storage import BLOB_BYTES_MAX, BLOB_CHUNK_BYTES
from tallystick.regular import NotRegularError, open_regular
from tallystick.store.blobs.measured import (
    NOWHERE,
    check_spare,
    copy_measured,
    drop_older,
    measure,
    modified_at,
)
from tallystick.store.blobs.store import BlobMissingError, BlobStoreFailedError, ReplicaState, ReplicaVerdict

_log = telemetry.logger(__name__)

_NAME: Final = re.compile(r"[0-9a-f]{64}")


class FileBlobStore:
    """Blobs in a folder of a local file system.

    `blobs/ab/cd/<64 digits>` are the blobs, `incoming/` holds what is being written,
    `quarantine/` the bad copies.
    """

    def __init__(
        self, root: Path, *, name: str | None = None, fsync: Fsync = os.fsync, writable: bool = True
    ) -> None:
        """Make the folders that are missing under `root`; if that fails, the store is away.

        Args:
            root: The store's folder.
            name: Its name in verdicts; its path if absent.
            fsync: Makes an open file durable.
            writable: Whether this process may write it; another process makes the folders of one that it
                only reads.
        """
        self._name = name or str(root)
        self._fsync = fsync
        self._writable = writable
        self._blobs, self._incoming, self._quarantine = (
            root / part for part in ("blobs", "incoming", "quarantine")
        )
        try:
            self._make_folders() if writable else self._warn_if_not_protected()
        except BlobStoreFailedError as error:
            _log.error("a store is away", store=self._name, reason=error.facts.get("reason"))

    @property
    def name(self) -> str:
        """The store's name in verdicts."""
        return self._name

    @property
    def writable(self) -> bool:
        """Whether this process may write it."""
        return self._writable

    def check_ready(self) -> None:
        """Refuse if the store is away now, or cannot take so much as a name.

        Raises:
            BlobStoreFailedError: It is, or cannot.
        """
        self._check_there()
        if self._writable:
            draft = self._incoming / f"ready.{secrets.token_hex(8)}"
            with self._failures():
                draft.open("xb").close()
                draft.unlink()

    def has(self, wanted: Digest) -> bool:
        """Return whether there is a copy, good or bad; nothing of it is read.

        Raises:
            BlobStoreFailedError: The store is away.
        """
        self._check_there()
        with self._failures():
            return self._path(wanted).is_file()

    def put(
        self, wanted: Digest, size_bytes: int, chunks: Iterable[bytes], *, spare_bytes: int = 0
    ) -> ReplicaVerdict:
        """Store a blob unless a good copy exists; return what was there before.

        The bytes are verified in either case: only someone who has a blob can send it. A bad
        copy is moved to quarantine. On return, the blob is durable.

        Raises:
            BlobSizeMismatchError, BlobDigestMismatchError: Not the announced bytes.
            StoreFullError: Fewer than `spare_bytes` would be left free on this disk.
            BlobStoreFailedError: Not written, not synchronised, or different when it is read back.
        """
        assert self._writable, "this process only reads this store"
        self._touch(wanted)
        before = self.check(wanted, size_bytes)
        if before.state is ReplicaState.GOOD:
            copy_measured(chunks, NOWHERE, wanted, size_bytes)
            self._settle(wanted)
        else:
            with self._failures():
                check_spare(self._incoming, size_bytes, spare_bytes)
            self._write(wanted, size_bytes, chunks, replaces=before.state is not ReplicaState.MISSING)
        return before

    def check(self, wanted: Digest, size_bytes: int | None = None) -> ReplicaVerdict:
        """Read the whole copy again and return what it turned out to be."""
        try:
            actual, size = measure(self.read(wanted))
        except BlobMissingError:
            return ReplicaVerdict(store=self.name, digest=wanted, state=ReplicaState.MISSING)
        except BlobStoreFailedError:
            return ReplicaVerdict(store=self.name, digest=wanted, state=ReplicaState.UNREADABLE)
        good = actual == wanted and size_bytes in {None, size}
        return ReplicaVerdict(
            store=self.name,
            digest=wanted,
            state=ReplicaState.GOOD if good else ReplicaState.ALTERED,
            size_bytes=size,
            found=actual,
        )

    def read(self, wanted: Digest, *, first_byte: int = 0, length: int | None = None) -> Iterator[bytes]:
        """Yield the stored bytes, unverified, in chunks of BLOB_CHUNK_BYTES; the last may be shorter.

        Raises:
            BlobMissingError: Nothing is stored under this digest.
            BlobStoreFailedError: It cannot be read.
        """
        left = BLOB_BYTES_MAX if length is None else length
        with self._failures(), self._open_blob(wanted) as source:
            source.seek(first_byte)
            while left > 0 and (chunk := source.read(min(left, BLOB_CHUNK_BYTES))):
                left -= len(chunk)
                yield chunk

    def quarantine(self, wanted: Digest) -> None:
        """Move the copy that is stored under a digest aside, for people to look at, if there is one.

        Raises:
            BlobStoreFailedError: It cannot be moved.
        """
        assert self._writable, "this process only reads this store"
        path = self._path(wanted)
        aside = self._quarantine / f"{path.name}.{secrets.token_hex(8)}"
        with self._failures():
            try:
                path.rename(aside)
            except FileNotFoundError:
                return
            sync_folder(self._quarantine, fsync=self._fsync)
            sync_folder(path.parent, fsync=self._fsync)

    def kept_since_before(self, moment: datetime) -> Iterator[Digest]:
        """Yield every blob that nobody has stored since a moment, not even once more.

        Raises:
            BlobStoreFailedError: The folder cannot be listed.
        """
        with self._failures():
            for path in self._blobs.glob("*/*/*"):
                if modified_at(path) < moment.timestamp() and _NAME.fullmatch(path.name):
                    yield as_digest(bytes.fromhex(path.name))

    def discard(self, unwanted: Digest, before: datetime) -> bool:
        """Remove a blob unless someone has stored it since a moment; return whether it was removed.

        Whoever stores it meanwhile finds it gone and writes it anew, or has touched it first: then it
        is put back.

        Raises:
            BlobStoreFailedError: It cannot be moved.
        """
        assert self._writable, "this process only reads this store"
        path = self._path(unwanted)
        aside = self._incoming / f"{path.name}.{secrets.token_hex(8)}"
        with self._failures():
            try:
                path.rename(aside)
            except FileNotFoundError:
                return False
            stale = modified_at(aside) < before.timestamp()
            if not stale:
                with suppress(FileExistsError):
                    os.link(aside, path)
            aside.unlink()
            sync_folder(path.parent, fsync=self._fsync)
        return stale

    def discard_unfinished(self, before: datetime) -> int:
        """Remove the files that a stopped process left half written before a moment; return how many.

        Raises:
            BlobStoreFailedError: The folder cannot be listed, or a file not removed; the others were.
        """
        with self._failures():
            return drop_older(self._incoming.iterdir(), before)

    def _make_folders(self) -> None:
        with self._failures():
            for folder in (self._blobs, self._incoming, self._quarantine):
                make_folder(folder, fsync=self._fsync)
            sync_folder(self._blobs.parent, fsync=self._fsync)

    def _warn_if_not_protected(self) -> None:
        self._check_there()
        if os.access(self._blobs, os.W_OK, effective_ids=os.access in os.supports_effective_ids):
            _log.warning("this process only reads this store, but could write it", store=self._name)

    def _check_there(self) -> None:
        """Tell a store that is away from one that lacks a blob."""
        if not self._blobs.is_dir():
            raise BlobStoreFailedError(
                "the store is away", store=self._name, reason="its folder is not there"
            )

    def _write(self, wanted: Digest, size_bytes: int, chunks: Iterable[bytes], *, replaces: bool) -> None:
        """Write, synchronise, read back, link: a crash leaves a nameless file, or the whole blob."""
        draft = self._incoming / f"{digits_of(wanted)}.{secrets.token_hex(8)}"
        with self._failures():
            try:
                with draft.open("xb") as out:
                    copy_measured(chunks, out, wanted, size_bytes)
                    sync_file(out, fsync=self._fsync)
                self._read_back(draft, wanted)
                if replaces:
                    self.quarantine(wanted)
                self._publish(draft, wanted)
            finally:
                # After a failed fsync the kernel may call the pages clean: never use this file again.
                draft.unlink(missing_ok=True)

    def _read_back(self, draft: Path, wanted: Digest) -> None:
        with self._open(draft) as source:
            os.posix_fadvise(source.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)  # from the disk, where possible
            actual, _ = measure(iter(lambda: source.read(BLOB_CHUNK_BYTES), b""))
        if actual != wanted:
            raise BlobStoreFailedError(
                "the bytes read back are not those that were written", store=self.name, reason="read-back"
            )

    def _publish(self, draft: Path, wanted: Digest) -> None:
        path = self._path(wanted)
        make_folder(path.parent, fsync=self._fsync)
        try:
            os.link(draft, path)
        except FileExistsError:
            if self.check(wanted).state is not ReplicaState.GOOD:
                raise
        try:
            self._sync_above(path)
        except OSError:
            path.unlink(missing_ok=True)  # it might vanish later: nobody may believe it stored
            raise

    def _touch(self, wanted: Digest) -> None:
        """Have nobody remove the copy that there is: `discard` looks at when it was touched."""
        with self._failures(), suppress(FileNotFoundError):
            os.utime(self._path(wanted), follow_symlinks=False)

    def _settle(self, wanted: Digest) -> None:
        """Make durable what a process linked just before it was stopped."""
        with self._failures():
            try:
                source = self._open_blob(wanted)
            except BlobMissingError as error:  # a round looks whether anyone wants it: it comes back at once
                raise BlobStoreFailedError("not here now", store=self.name, reason="moved") from error
            with source:
                sync_file(source, fsync=self._fsync)
            self._sync_above(self._path(wanted))

    def _sync_above(self, path: Path) -> None:
        # All of them: a folder that exists may have been made by a process that was stopped.
        for folder in (path.parent, path.parent.parent, self._blobs):
            sync_folder(folder, fsync=self._fsync)

    def _path(self, wanted: Digest) -> Path:
        name = digits_of(digest(wanted))
        return self._blobs / name[:2] / name[2:4] / name

    def _open_blob(self, wanted: Digest) -> BinaryIO:
        try:
            return self._open(self._path(wanted))
        except FileNotFoundError as error:
            self._check_there()
            raise BlobMissingError("not stored here", store=self.name) from error

    def _open(self, path: Path) -> BinaryIO:
        try:
            return open_regular(path, follow=False)
        except (NotRegularError, IsADirectoryError) as error:
            raise BlobStoreFailedError("not a regular file", store=self.name, reason="file type") from error

    @contextmanager
    def _failures(self) -> Generator[None]:
        try:
            yield
        except OSError as error:
            reason = reason_of(error)
            raise BlobStoreFailedError("the blob store failed", store=self.name, reason=reason) from error
