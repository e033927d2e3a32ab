"""The storekeeper's rounds: logs are hashed again, copies of blobs read again and replaced from good ones.

A copy that rots unseen is lost on the day on which the other one rots too. A round
decides nothing and may be ended between any two bytes: repairing puts a file in place
whole or not at all, and the next round begins anew. Nothing else ends the rounds: if a
defect ended this thread, nobody would notice, and every copy would be left to rot.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, NoReturn

from sqlalchemy import Engine

from activities.clock import now
from activities.notices.letter_records import LetterRecords
from activities.notices.post import Post
from activities.notices.storage import StorageNotices
from activities.rounds.clearing import Clearance
from activities.rounds.copies import Copies
from activities.rounds.log_checking import LogChecking
from tallystick.crypto.keys import SigningKey
from tallystick.domain.ids import AgreementId
from tallystick.lasting import Lasting, rest
from tallystick.limits.notices import STORAGE_NOTICE_AGAIN
from tallystick.limits.steps import NOTICE_RETRY_MIN
from tallystick.limits.storage import DRAFT_IDLE_MAX, SCRUB_REST_MIN
from tallystick.store.blobs.replicas import ReplicatedBlobs
from tallystick.store.blobs.uploads import known_blobs
from tallystick.store.database.session import reading

_FIRST_ROUND_PART: Final = 24  # of the pause between rounds: an hour of a day


@dataclass(frozen=True, slots=True, kw_only=True)
class Storekeeper:
    """Keeps the copies whole; it has the log key, to record what was replaced, and who got notice of it.

    Attributes:
        post: How letters to the parties are sent.
        clock: This host's own.
        rest: Waits: after each blob for as long as it took to read, so that claims come first.
    """

    database: Engine
    blobs: ReplicatedBlobs
    log_key: SigningKey = field(repr=False)
    post: Post
    clock: Callable[[], datetime] = now
    rest: Callable[[timedelta], None] = rest
    records: LetterRecords = field(default_factory=LetterRecords)

    def keep_making_rounds(self, every: timedelta) -> NoReturn:
        """Make rounds for ever, with a pause of `every` after each; meanwhile give notice of what was found.

        The first round waits for a part of the pause: a worker that is restarted again and again does
        not read all the time, and one that is restarted every day still makes its rounds.
        """
        self._wait(every / _FIRST_ROUND_PART)
        rounds = Lasting("a round through the stores was cut short")
        while True:
            with rounds.attempt():
                self.make_round()
            self._wait(rounds.pause(every))

    def make_round(self) -> None:
        """Remove what nobody needs; read every log and every copy once, and record what was found.

        Bad copies are replaced; a damaged log is left as it is.

        Raises:
            DatabaseUnavailableError: The database is out of reach.
        """
        self._discard_unfinished(self.clock() - DRAFT_IDLE_MAX)
        with Lasting("what nobody needs was not removed").attempt():  # copies are still looked at
            Clearance(database=self.database, blobs=self.blobs, clock=self.clock).clear()
        self._logs().check_all()
        with reading(self.database) as session:
            known = known_blobs(session)
        copies = Copies(
            database=self.database,
            blobs=self.blobs,
            log_key=self.log_key,
            clock=self.clock,
            rest=self.rest,
        )
        for blob in known:  # and no other: a blob that is being uploaded is in no store
            began = time.monotonic()
            with Lasting("a blob was not looked at").attempt():  # the others still are
                copies.look_at(blob)
            self.rest(max(SCRUB_REST_MIN, timedelta(seconds=time.monotonic() - began)))

    def _discard_unfinished(self, before: datetime) -> None:
        for store in self.blobs.stores:
            with Lasting(f"what was left half written was not removed from {store.name}").attempt():
                store.discard_unfinished(before)

    def _logs(self) -> LogChecking:
        return LogChecking(database=self.database, log_key=self.log_key, clock=self.clock, rest=self.rest)

    def _give_notice(self, among: Iterable[AgreementId] | None) -> Mapping[AgreementId, datetime] | None:
        """Give the notices that are owed, and return when the next ones are; None if that is unknown."""
        notices = StorageNotices(
            database=self.database,
            log_key=self.log_key,
            post=self.post,
            clock=self.clock,
            records=self.records,
        )
        with Lasting("notice of damaged copies was not given").attempt():
            return notices.give(among)
        return None

    def _wait(self, pause: timedelta) -> None:
        """Rest for `pause`; meanwhile send the letters that are owed, each until a channel takes it."""
        left, owing = pause, self._give_notice(None)
        while left > timedelta(0):
            part = min(left, self._until_next(owing))
            self.rest(part)
            left -= part
            if owing is None or owing:
                owing = self._give_notice(owing)

    def _until_next(self, owing: Mapping[AgreementId, datetime] | None) -> timedelta:
        if owing is None:
            return STORAGE_NOTICE_AGAIN
        waits = [due_at - self.clock() for due_at in owing.values()]
        return max(NOTICE_RETRY_MIN, min(waits, default=timedelta.max))
