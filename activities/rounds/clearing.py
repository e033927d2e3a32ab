"""Removing what nobody needs: blobs that no statement names for long, then copies that no agreement knows.

A crash may end each step anywhere. First the note that an agreement has a blob is removed, and with it the
room that it took; only then the copies. What a statement names stays, and so does what is on its way.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine

from tallystick import telemetry
from tallystick.domain.errors import TallystickError
from tallystick.domain.ids import AgreementId, Digest
from tallystick.lasting import Lasting
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
        """Remove what nobody needs; what cannot be removed is logged, and keeps nothing else.

        Raises:
            DatabaseUnavailableError: The database is out of reach; the rest is removed another time.
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
        before, removed = at - BLOB_ORPHANED_MAX, 0
        removing = Lasting("a copy that nobody needs was not removed")
        for orphan in self._orphans(before):
            with removing.attempt():  # the others still are
                removed += self._remove(orphan, before)
        return removed

    def _orphans(self, before: datetime) -> Sequence[Digest]:
        """Return what no agreement knows; a store that cannot be listed hides no other's."""
        with reading(self.database) as session:
            expected = unneeded.expected(session)
        kept = set[Digest]()
        for store in self.blobs.stores:
            with Lasting(f"{store.name} was not looked through for what nobody needs").attempt():
                kept.update(store.kept_since_before(before))
        return sorted(kept - expected)

    def _remove(self, orphan: Digest, before: datetime) -> bool:
        """Remove a blob that still nobody expects; return whether it was removed."""
        # Writers take turns: a sender who wants it now takes room for it before this, or after.
        with transaction(self.database) as session:
            if unneeded.is_expected(session, orphan) or not self.blobs.discard(orphan, before):
                return False
            unneeded.forget_chunks(session, orphan)
            return True
