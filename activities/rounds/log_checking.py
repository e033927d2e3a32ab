"""The round through the logs: each is hashed again, and compared with every checkpoint that was signed.

A gate hashes a log before it decides under it, and so does a person who verifies it. A log that nobody asks
about would be damaged unseen, until no good copy of the database is left. A round reads a log in pieces, each
in a transaction of its own, and rests after each for as long as it took, so that claims come first.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Engine
from sqlmodel import Session

from activities.engine import engine_header, signed_by_engine
from tallystick import telemetry
from tallystick.crypto.keys import SigningKey
from tallystick.crypto.log.merkle import Frontier
from tallystick.crypto.log.note import origin_of
from tallystick.domain.ids import AgreementId
from tallystick.domain.kinds import Happening
from tallystick.domain.statements.engine import Event
from tallystick.lasting import Lasting
from tallystick.limits.storage import SCRUB_REST_MIN
from tallystick.store.damage import LedgerCorruptError
from tallystick.store.database.session import reading, transaction
from tallystick.store.ledger import ledger
from tallystick.store.ledger.checkpoints import LogSigner, verify_next
from tallystick.store.registers import agreements
from tallystick.store.registers.events import events

_log = telemetry.logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogChecking:
    """Hashes the logs again, and records with the log key which of them are damaged.

    Attributes:
        clock: This host's own.
        rest: Waits.
    """

    database: Engine
    log_key: SigningKey = field(repr=False)
    clock: Callable[[], datetime]
    rest: Callable[[timedelta], None]

    def check_all(self) -> None:
        """Look at every log; one that cannot be looked at is logged, and hides no other.

        Raises:
            DatabaseUnavailableError: The database is out of reach.
        """
        with reading(self.database) as session:
            known = agreements.agreement_ids(session)
        for agreement_id in known:
            with Lasting("a log was not looked at").attempt():
                self.check(agreement_id)

    def check(self, agreement_id: AgreementId) -> None:
        """Look at a whole log; record under its agreement if it is damaged.

        Raises:
            DatabaseUnavailableError: The database is out of reach.
            LedgerCorruptError: The log is so damaged that nothing can be recorded in it.
        """
        try:
            self._look_at(agreement_id)
        except LedgerCorruptError as error:
            _log.error("a stored log is damaged", agreement=agreement_id, why=str(error))
            self._record(agreement_id, error)

    def _look_at(self, agreement_id: AgreementId) -> None:
        with reading(self.database) as session:
            signer = _signer(session, agreement_id)
        verified, whole = Frontier(), False
        while not whole:
            began = time.monotonic()
            with reading(self.database) as session:
                verified, whole = verify_next(session, agreement_id, verified, signer=signer)
            self.rest(max(SCRUB_REST_MIN, timedelta(seconds=time.monotonic() - began)))

    def _record(self, agreement_id: AgreementId, damage: LedgerCorruptError) -> None:
        """Record what was found, unless it is the last thing that was recorded about the log."""
        at = self.clock()
        with transaction(self.database) as session:
            event = _event(session, agreement_id, damage, at)
            told = list(events(session, agreement_id, causes=[event.agreement_digest]))
            if not told or told[-1][1].because != event.because:
                ledger.append(session, agreement_id, signed_by_engine(event, self.log_key), at, claim=None)


def _signer(session: Session, agreement_id: AgreementId) -> LogSigner:
    registered = agreements.latest(session, agreement_id)
    assert registered is not None, "only registered agreements are looked at"
    deployment = registered.signed().agreement.deployment
    return LogSigner(
        origin=origin_of(deployment, agreement_id),
        public_keys=agreements.log_keys(session, agreement_id),
    )


def _event(session: Session, agreement_id: AgreementId, damage: LedgerCorruptError, at: datetime) -> Event:
    registered = agreements.latest(session, agreement_id)
    assert registered is not None, "only registered agreements are looked at"
    return Event(
        **engine_header(registered.signed().terms, at, {"damage": str(damage)}),
        happening=Happening.LEDGER_DAMAGED,
        cause=registered.digest,
        because=(str(damage),),
    )
