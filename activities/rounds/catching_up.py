"""Making soon the copies that are missing: the API puts an upload only into stores that it may write.

Small blobs and long ones are copied by two threads, so that evidence never waits for a deposit. While a
store is away, nothing is read that could only be copied to it.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NoReturn

from activities.rounds.copies import Copies
from tallystick import telemetry
from tallystick.domain.ids import Digest
from tallystick.domain.pauses import backoff
from tallystick.lasting import Lasting
from tallystick.limits.storage import COPIES_SOON, COPY_RETRY_MAX, COPY_RETRY_MIN
from tallystick.store.blobs import behind
from tallystick.store.blobs.behind import Behind
from tallystick.store.blobs.room import ROOMS
from tallystick.store.blobs.uploads import BlobPurpose
from tallystick.store.database.session import reading

_log = telemetry.logger(__name__)


class CopiesSoon:
    """Makes the copies that are behind, each as soon as its store can take it."""

    def __init__(self, copies: Copies, *, long: bool) -> None:
        """Begin; `long` says whether to make those that take so long that others could not wait for them."""
        self._copies, self._long = copies, long
        self._again: dict[Digest, tuple[int, datetime]] = {}
        self._told: set[Digest] = set()
        self._away: Sequence[str] = ()

    def keep_copying(self) -> NoReturn:
        """Copy for ever what is behind; may be ended between any two bytes."""
        copying = Lasting("copies were not made")
        while True:
            with copying.attempt():
                self.copy()
            self._copies.rest(COPIES_SOON)

    def copy(self) -> None:
        """Copy once what is behind; what fails is tried again after a pause that grows.

        Raises:
            DatabaseUnavailableError: The database is out of reach.
        """
        with reading(self._copies.database) as session:
            noted = behind.behind(session, long=self._long)
        left = {one.digest for one in noted}
        self._again = {blob: again for blob, again in self._again.items() if blob in left}
        self._told &= left
        if noted:
            self._look_who_is_away()
        for one in noted:
            with Lasting("a copy was not made").attempt():  # the others still are
                self._copy(one)

    def _look_who_is_away(self) -> None:
        away = self._copies.blobs.away()
        if away != self._away:
            _log.warning("the stores that are away have changed", away=away, before=self._away)
        self._away = away

    def _copy(self, one: Behind) -> None:
        if self._away and not self._copies.blobs.lacks(one.digest, but=self._away):
            if one.digest not in self._told and self._copies.tell_if_late(one, self._away):
                self._told.add(one.digest)
            return
        failures, due_at = self._again.get(one.digest, (0, self._copies.clock()))
        if due_at > self._copies.clock():
            return
        pause = backoff(failures + 1, COPY_RETRY_MIN, COPY_RETRY_MAX)
        self._again[one.digest] = (failures + 1, self._copies.clock() + pause)
        if self._copies.look_at(one.digest, spare_bytes=_spare_bytes(one)):
            del self._again[one.digest]


def _spare_bytes(one: Behind) -> int:
    """Return what a copy leaves free on its disk, as the upload did; the gate's own are small."""
    room = ROOMS.get(BlobPurpose(one.purpose)) if one.purpose in set(BlobPurpose) else None
    return 0 if room is None else room.spare_bytes
