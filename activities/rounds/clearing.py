"""Removing what nobody needs: blobs that no statement names for long, then copies that no agreement knows.

A crash may end each step anywhere. First the note that an agreement has a blob is removed, and with it the
room that it took; only then the copies. What a statement names stays, and so does what is on its way.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine

from tallystick import telemetry
from tallystick.domain.errors import TallystickError
from tallystick.domain.ids import AgreementId, Digest
from tallystick.limits.storage import BLOB_ORPHANED_MAX
from tallystick.store.blobs import unneeded
from tallystick.store.blobs.replicas import ReplicatedBlobs
from tallystick.store.database.session import database_now, reading, transaction

_log = telemetry.logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Clearance:
    """Removes blobs that nobody needs.

    Attributes:
        clock: This host's own; something is old only if the database's clock says so as well.
    """

    database: Engine
    blobs: ReplicatedBlobs
    clock: Callable[[], datetime]

    def clear(self) -> None:
        """Remove what nobody needs.

        Raises:
            DatabaseUnavailableError: The database is out of reach; the rest is removed another time.
            BlobStoreFailedError: A store cannot be listed, or a copy not removed.
        """
        with reading(self.database) as session:
            at = min(self.clock(), database_now(session))
            doubtful = unneeded.doubtful(session, at)
        forgotten = sum(self._forget_unnamed(one, digests, at) for one, digests in doubtful.items())
        removed = self._remove_orphans(at)
        _log.info("removed what nobody needs", forgotten=forgotten, removed=removed)

    def _forget_unnamed(self, agreement_id: AgreementId, digests: Collection[Digest], at: datetime) -> int:
        """Forget what no statement names, and count it; an unreadable log may name any of it."""
        try:
            with reading(self.database) as session:
                seen = unneeded.unnamed(session, agreement_id, digests)
            with transaction(self.database) as session:  # what was recorded meanwhile counts as well
                left = unneeded.unnamed(session, agreement_id, seen.digests, after=seen.read_to).digests
                unneeded.note_named(session, agreement_id, set(digests) - left)
                return unneeded.forget(session, agreement_id, left, at)
        except TallystickError as error:
            _log.warning("what nobody names was not forgotten", agreement=agreement_id, why=str(error))
            return 0

    def _remove_orphans(self, at: datetime) -> int:
        """Remove copies that no agreement knows, and count them."""
        before = at - BLOB_ORPHANED_MAX
        with reading(self.database) as session:
            expected = unneeded.expected(session)
        orphans = {digest for digest in self.blobs.kept_since_before(before) if digest not in expected}
        return sum(self._remove(orphan, before) for orphan in orphans)

    def _remove(self, orphan: Digest, before: datetime) -> bool:
        """Remove a blob that still nobody expects; return whether it was removed."""
        # Writers take turns: a sender who wants it now takes room for it before this, or after.
        with transaction(self.database) as session:
            if unneeded.is_expected(session, orphan) or not self.blobs.discard(orphan, before):
                return False
            unneeded.forget_chunks(session, orphan)
            return True
