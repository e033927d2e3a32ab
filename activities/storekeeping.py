"""The storekeeper's rounds: every copy of every blob is read again, and bad ones are replaced from good ones.

A copy that rots unseen is lost on the day on which the other one rots too. A round
decides nothing and may be ended between any two bytes: repairing puts a file in place
whole or not at all, and the next round begins anew.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sqlalchemy import Engine
from sqlmodel import Session

from activities.ledger import engine_person
from tallystick import telemetry
from tallystick.crypto.keys import SigningKey
from tallystick.crypto.reading import read_agreement
from tallystick.crypto.statement import new_nonce, sign
from tallystick.domain.codec import encode_object
from tallystick.domain.errors import TallystickError
from tallystick.domain.ids import AgreementId, Digest
from tallystick.domain.kinds import Happening, Kind
from tallystick.domain.statements import Event
from tallystick.limits import DRAFT_IDLE_MAX
from tallystick.store import agreements, ledger
from tallystick.store.blobs import ReplicaState
from tallystick.store.casefiles import agreement_envelope
from tallystick.store.replicas import ReplicatedBlobs
from tallystick.store.session import reading, transaction
from tallystick.store.uploads import blobs_with, known_blobs

_log = telemetry.logger(__name__)


def now() -> datetime:
    """Return the time by this host's clock: aware UTC, whole seconds."""
    return datetime.now(UTC).replace(microsecond=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Storekeeper:
    """Keeps the copies whole; holds the log key, to put on record what was replaced.

    Attributes:
        clock: This host's own.
    """

    engine: Engine
    blobs: ReplicatedBlobs
    log_key: SigningKey = field(repr=False)
    clock: Callable[[], datetime] = now

    def make_round_if_possible(self) -> None:
        """Make a round; whatever keeps it from its end is left to the next one."""
        try:
            self.make_round()
        except TallystickError as error:
            _log.warning("a round through the stores was cut short", code=error.code, why=str(error))

    def make_round(self) -> None:
        """Read every copy once, replace what is bad, and put on record what was replaced.

        A blob of which no good copy is left stays as it is and is told in the log: every
        release of it is refused until somebody brings a copy back.

        Raises:
            StoreUnavailableError: The database is out of reach.
            BlobStoreFailedError: A store can't be listed.
        """
        self.blobs.discard_unfinished(self.clock() - DRAFT_IDLE_MAX)
        with reading(self.engine) as session:
            known = known_blobs(session)
        for finding in self.blobs.scrub(known):
            lines = tuple(found.words for found in finding.verdicts if found.state is not ReplicaState.GOOD)
            if finding.lost:
                _log.error("no store has a good copy", blob=finding.digest, copies=lines)
                continue
            _log.warning("a copy was not as it must be", blob=finding.digest, copies=lines)
            if any(verdict.repaired for verdict in finding.verdicts):
                self._record(finding.digest, lines)

    def _record(self, blob: Digest, lines: tuple[str, ...]) -> None:
        with transaction(self.engine) as session:
            for stored in blobs_with(session, blob):
                self._record_under(session, stored.agreement_id, (f"blob {blob}", *lines))

    def _record_under(self, session: Session, agreement_id: AgreementId, lines: tuple[str, ...]) -> None:
        registered = agreements.latest(session, agreement_id)
        assert registered is not None, "a blob is under a registered agreement"
        signed = read_agreement(agreement_envelope(registered.envelope))
        at = self.clock()
        event = Event(
            deployment=signed.agreement.deployment,
            agreement=agreement_id,
            agreement_digest=signed.terms.digest,
            person=engine_person(signed.agreement),
            issued_at=at,
            nonce=new_nonce(),
            happening=Happening.REPLICA_REPAIRED,
            because=lines,
        )
        envelope = sign(Kind.EVENT, encode_object(event), [self.log_key])
        ledger.append(session, agreement_id, envelope, at, claim=None)
