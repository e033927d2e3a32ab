"""The storekeeper's rounds: every copy of every blob is read again, and bad ones replaced from a good copy.

A copy that rots unseen is lost on the day on which the other one rots too. A round
decides nothing and may be ended between any two bytes: repairing puts a file in place
whole or not at all, and the next round begins anew. Nothing else ends the rounds: if a
defect ended this thread, nobody would notice, and every copy would be left to rot.
"""

import time
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, NoReturn

from sqlalchemy import Engine
from sqlmodel import Session

from activities.clock import now
from activities.engine import engine_header, signed_by_engine
from activities.notices.post import Post
from activities.notices.storage import StorageNotices
from activities.rounds.clearing import Clearance
from tallystick import telemetry
from tallystick.crypto.keys import SigningKey
from tallystick.domain.codec import instant_text
from tallystick.domain.errors import TallystickError
from tallystick.domain.ids import AgreementId, Digest
from tallystick.domain.json import JsonObject
from tallystick.domain.kinds import Happening
from tallystick.domain.statements.engine import Event
from tallystick.limits.notices import STORAGE_NOTICE_AGAIN
from tallystick.limits.steps import NOTICE_RETRY_MIN
from tallystick.limits.storage import DRAFT_IDLE_MAX, SCRUB_REST_MIN
from tallystick.store.blobs.replicas import ReplicatedBlobs, ScrubFinding
from tallystick.store.blobs.store import ReplicaState
from tallystick.store.blobs.uploads import blobs_with, known_blobs
from tallystick.store.database.session import DatabaseUnavailableError, reading, transaction
from tallystick.store.ledger import ledger
from tallystick.store.registers import agreements
from tallystick.store.registers.events import events

_log = telemetry.logger(__name__)
_SPOILT: Final = frozenset({ReplicaState.ALTERED, ReplicaState.MISSING})
_FIRST_ROUND_PART: Final = 24  # of the pause between rounds: an hour of a day


def rest(pause: timedelta) -> None:
    """Wait, and leave the disks to others for a while."""
    time.sleep(pause.total_seconds())


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

    def keep_making_rounds(self, every: timedelta) -> NoReturn:
        """Make rounds for ever, with a pause of `every` after each; meanwhile give notice of what was found.

        The first round waits for a part of the pause: a worker that is restarted again and again does
        not read all the time, and one that is restarted every day still makes its rounds.
        """
        self._wait(every / _FIRST_ROUND_PART)
        while True:
            self.make_round_if_possible()
            self._wait(every)

    def make_round_if_possible(self) -> None:
        """Make a round; if something cuts it short, the next one begins anew."""
        with _continuing("a round through the stores was cut short"):
            self.make_round()

    def make_round(self) -> None:
        """Remove what nobody needs; read every copy once, replace the bad ones, and record what was found.

        A blob without a good copy stays as it is: every release of it is refused until
        someone brings a copy back.

        Raises:
            DatabaseUnavailableError: The database is out of reach.
            BlobStoreFailedError: A store cannot be listed.
        """
        self.blobs.discard_unfinished(self.clock() - DRAFT_IDLE_MAX)
        with _continuing("what nobody needs was not removed"):  # copies are still looked at
            Clearance(database=self.database, blobs=self.blobs, clock=self.clock).clear()
        with reading(self.database) as session:
            known = known_blobs(session)
        for blob in known:  # and no other: a blob that is being uploaded has not reached every store
            began = time.monotonic()
            with _continuing("a blob was not looked at"):  # the others still are
                self._look_at(blob)
            self.rest(max(SCRUB_REST_MIN, timedelta(seconds=time.monotonic() - began)))

    def _give_notice(self, among: Iterable[AgreementId] | None) -> Mapping[AgreementId, datetime] | None:
        """Give the notices that are owed, and return when the next ones are; None if that is unknown."""
        notices = StorageNotices(
            database=self.database, log_key=self.log_key, post=self.post, clock=self.clock
        )
        with _continuing("notice of damaged copies was not given"):
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

    def _look_at(self, blob: Digest) -> None:
        finding = self.blobs.scrub_one(blob)
        if finding is not None:
            self._tell(finding)

    def _tell(self, finding: ScrubFinding) -> None:
        bad = [verdict for verdict in finding.verdicts if verdict.state is not ReplicaState.GOOD]
        lines = (f"blob {finding.digest}", *(verdict.words for verdict in bad))
        tell = _log.error if finding.lost else _log.warning
        tell("no store has a good copy" if finding.lost else "a copy was not as it must be", copies=lines)
        # A store that cannot be read now has lost nothing: it may be back in a moment.
        if any(verdict.state in _SPOILT or verdict.repaired for verdict in bad):
            whole = all(verdict.repaired for verdict in bad if verdict.state in _SPOILT)
            happening = Happening.REPLICA_REPAIRED if whole else Happening.REPLICA_LOST
            self._record(finding.digest, happening, lines)

    def _record(self, blob: Digest, happening: Happening, lines: tuple[str, ...]) -> None:
        """Record a finding, however long it takes: the next round will not find a copy that was replaced."""
        at = self.clock()
        while True:
            try:
                with transaction(self.database) as session:
                    for stored in blobs_with(session, blob):
                        event = _event(session, stored.agreement_id, (happening, blob, lines), at)
                        if happening is Happening.REPLICA_REPAIRED or not _is_on_record(session, event):
                            envelope = signed_by_engine(event, self.log_key)
                            ledger.append(session, stored.agreement_id, envelope, at, claim=None)
            except DatabaseUnavailableError as error:
                _log.warning("what was found in the stores is not on record yet", why=str(error))
                self.rest(SCRUB_REST_MIN)
            else:
                return


@contextmanager
def _continuing(what: str) -> Generator[None]:
    """Let nothing end the rounds: a typed refusal is logged as a warning, anything else as a defect."""
    try:
        yield
    except TallystickError as error:
        _log.warning(what, code=error.code, why=str(error))
    except Exception:  # noqa: BLE001 - nobody notices a thread that ends
        _log.exception("defect", what=what)


def _event(
    session: Session,
    agreement_id: AgreementId,
    finding: tuple[Happening, Digest, tuple[str, ...]],
    at: datetime,
) -> Event:
    happening, blob, lines = finding
    registered = agreements.latest(session, agreement_id)
    assert registered is not None, "a blob is under a registered agreement"
    told: JsonObject = {"happening": happening.value, "found": list(lines), "at": instant_text(at)}
    return Event(
        **engine_header(registered.signed().terms, at, told),
        happening=happening,
        cause=blob,
        because=lines,
    )


def _is_on_record(session: Session, event: Event) -> bool:
    """Return whether the last event about the blob says the same."""
    causes = [event.cause] if event.cause is not None else []
    told = [one for _, one in events(session, event.agreement, causes=causes)]
    last = told[-1] if told else None
    return last is not None and (last.happening, last.because) == (event.happening, event.because)
