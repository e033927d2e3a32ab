"""The copies of one blob: read again, replaced where they are bad, made where they are missing, and told of.

A blob that some process could not put into every store is *behind* until every store has it. Its first copies
are nobody's news; that one is missing for long is, and so is every copy that was there and is gone.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Final, TypeVar

from sqlalchemy import Engine
from sqlmodel import Session

from activities.engine import engine_header, signed_by_engine
from tallystick import telemetry
from tallystick.crypto.keys import SigningKey
from tallystick.domain.codec import instant_text
from tallystick.domain.ids import AgreementId, Digest
from tallystick.domain.json import JsonObject
from tallystick.domain.kinds import Happening
from tallystick.domain.statements.engine import Event
from tallystick.limits.steps import STEP_RETRY_MAX
from tallystick.limits.storage import COPY_LATE, SCRUB_REST_MIN
from tallystick.store.blobs import behind
from tallystick.store.blobs.behind import Behind
from tallystick.store.blobs.replicas import ReplicatedBlobs, ScrubFinding
from tallystick.store.blobs.store import ReplicaState, ReplicaVerdict
from tallystick.store.blobs.uploads import agreements_with
from tallystick.store.damage import unless_damaged
from tallystick.store.database.session import DatabaseUnavailableError, reading, transaction
from tallystick.store.ledger import ledger
from tallystick.store.registers import agreements
from tallystick.store.registers.events import events

_log = telemetry.logger(__name__)
_T = TypeVar("_T")
_SPOILT: Final = frozenset({ReplicaState.ALTERED, ReplicaState.MISSING})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Finding:
    """What is to be recorded of one blob's copies."""

    blob: Digest
    happening: Happening
    lines: tuple[str, ...]
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Copies:
    """Looks at blobs, and records with the log key what was wrong with their copies.

    Attributes:
        clock: This host's own.
        rest: Waits.
        owed: Called with an agreement under which letters are owed about what was recorded.
    """

    database: Engine
    blobs: ReplicatedBlobs
    log_key: SigningKey = field(repr=False)
    clock: Callable[[], datetime]
    rest: Callable[[timedelta], None]
    owed: Callable[[AgreementId], None] = lambda _: None

    def look_at(self, blob: Digest, *, spare_bytes: int = 0) -> bool:
        """Read every copy, make what is missing, record what was found; return whether every store has it.

        A blob without a good copy stays as it is: every release of it is refused until someone brings a
        copy back.

        Args:
            blob: An agreement has it.
            spare_bytes: What a new copy leaves free on its disk.

        Raises:
            DatabaseUnavailableError: The database is out of reach.
        """
        with reading(self.database) as session:
            noted = behind.noted(session, blob)
        finding = self.blobs.scrub_one(blob, spare_bytes=spare_bytes)
        if finding is not None:
            self._tell(finding, noted)
        self._note(blob, finding, noted)
        return finding is None or finding.everywhere

    def tell_if_late(self, noted: Behind, away: Sequence[str]) -> bool:
        """Record that a blob has lacked a copy for long because stores are away; return whether it has."""
        verdicts = [ReplicaVerdict(store=s, digest=noted.digest, state=ReplicaState.UNREADABLE) for s in away]
        if self._is_late(noted):
            self._record(noted.digest, Happening.REPLICA_LOST, _lines(noted.digest, verdicts))
        return self._is_late(noted)

    def _tell(self, finding: ScrubFinding, noted: Behind | None) -> None:
        bad = [verdict for verdict in finding.verdicts if verdict.state is not ReplicaState.GOOD]
        happening, lines = self._happening(finding, noted), _lines(finding.digest, bad)
        if finding.lost:
            _log.error("no store has a good copy", copies=lines)
        elif happening is not None or noted is None:
            _log.warning("a copy was not as it must be", copies=lines)
        if happening is not None:
            self._record(finding.digest, happening, lines)

    def _happening(self, finding: ScrubFinding, noted: Behind | None) -> Happening | None:
        """Return what the parties should know; None if nothing that was there is gone, or not for long."""
        spoilt = [verdict for verdict in finding.verdicts if verdict.state in _SPOILT]
        news = finding.lost or any(verdict.state is ReplicaState.ALTERED for verdict in spoilt)
        if noted is None or news:
            # A store that cannot be read now has lost nothing: it may be back in a moment.
            if not spoilt and not any(verdict.repaired for verdict in finding.verdicts):
                return None
            replaced = all(verdict.repaired for verdict in spoilt)
            return Happening.REPLICA_REPAIRED if replaced else Happening.REPLICA_LOST
        if finding.everywhere:
            return Happening.REPLICA_REPAIRED if self._was_told_lost(finding.digest) else None
        return Happening.REPLICA_LOST if self._is_late(noted) else None

    def _note(self, blob: Digest, finding: ScrubFinding | None, noted: Behind | None) -> None:
        """Note what is behind, so that the copy is made soon, or that nothing is any more."""
        if finding is None or finding.everywhere:
            if noted is not None:
                with transaction(self.database) as session:
                    behind.note_everywhere(session, blob, noted.latest)
            return
        gone = [one.state in _SPOILT and not one.repaired for one in finding.verdicts]
        if noted is not None or any(gone):
            with transaction(self.database) as session:
                behind.note_behind(session, blob, self.clock(), lost=all(gone))

    def _is_late(self, noted: Behind) -> bool:
        return noted.since < self.clock() - COPY_LATE

    def _was_told_lost(self, blob: Digest) -> bool:
        with reading(self.database) as session:
            told = {
                last.happening
                for agreement_id in agreements_with(session, blob)
                if (last := _last_event(session, agreement_id, blob)) is not None
            }
        return Happening.REPLICA_LOST in told

    def _record(self, blob: Digest, happening: Happening, lines: tuple[str, ...]) -> None:
        """Record a finding under each agreement that has the blob; a damaged one keeps it from no other."""
        finding = _Finding(blob=blob, happening=happening, lines=lines, at=self.clock())
        for agreement_id in self._once_in_reach(partial(self._having, blob)):
            with unless_damaged("what was found in the stores is not on record", agreement=agreement_id):
                if self._once_in_reach(partial(self._recorded, agreement_id, finding)):
                    self.owed(agreement_id)

    def _once_in_reach(self, ask: Callable[[], _T]) -> _T:
        """Ask the database, however long it takes: the next round will not find a copy that was replaced."""
        pause = SCRUB_REST_MIN
        while True:
            try:
                return ask()
            except DatabaseUnavailableError as error:
                if pause == SCRUB_REST_MIN:
                    _log.warning("what was found in the stores is not on record yet", why=str(error))
                self.rest(pause)
                pause = min(2 * pause, STEP_RETRY_MAX)

    def _having(self, blob: Digest) -> Sequence[AgreementId]:
        with reading(self.database) as session:
            return agreements_with(session, blob)

    def _recorded(self, agreement_id: AgreementId, finding: _Finding) -> bool:
        """Record a finding under an agreement, unless it is the last one there; return whether it was."""
        with transaction(self.database) as session:
            event = _event(session, agreement_id, finding)
            if event.happening is not Happening.REPLICA_REPAIRED and _is_on_record(session, event):
                return False
            envelope = signed_by_engine(event, self.log_key)
            ledger.append(session, agreement_id, envelope, finding.at, claim=None)
            return True


def _lines(blob: Digest, bad: Sequence[ReplicaVerdict]) -> tuple[str, ...]:
    return (f"blob {blob}", *(verdict.words for verdict in bad))


def _event(session: Session, agreement_id: AgreementId, finding: _Finding) -> Event:
    """Return the statement of a finding: the same one however often it is asked for."""
    registered = agreements.latest(session, agreement_id)
    assert registered is not None, "a blob is under a registered agreement"
    told: JsonObject = {
        "happening": finding.happening.value,
        "found": list(finding.lines),
        "at": instant_text(finding.at),
    }
    return Event(
        **engine_header(registered.signed().terms, finding.at, told),
        happening=finding.happening,
        cause=finding.blob,
        because=finding.lines,
    )


def _is_on_record(session: Session, event: Event) -> bool:
    """Return whether the last event about the blob says the same."""
    last = _last_event(session, event.agreement, event.cause)
    return last is not None and (last.happening, last.because) == (event.happening, event.because)


def _last_event(session: Session, agreement_id: AgreementId, blob: Digest | None) -> Event | None:
    causes = [blob] if blob is not None else []
    told = [one for _, one in events(session, agreement_id, causes=causes)]
    return told[-1] if told else None
