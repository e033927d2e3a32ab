"""Signing the logs: with its log key, the deployment signs a checkpoint of what each log contains.

An entry is on record when it is committed; the checkpoint that covers it comes a moment
later, one for all entries since the last. Nobody waits for it: no act depends on it.
"""

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import NoReturn

from sqlalchemy import Engine
from sqlmodel import Session

from activities.doubts import record_doubts
from tallystick import telemetry
from tallystick.crypto.keys import SigningKey
from tallystick.crypto.log import note
from tallystick.domain.errors import TallystickError
from tallystick.domain.ids import AgreementId, DeploymentId
from tallystick.lasting import Lasting, SaidSeldom, rest
from tallystick.limits.processes import CHECKPOINT_SOON
from tallystick.store.damage import LedgerCorruptError
from tallystick.store.database.session import reading, transaction
from tallystick.store.ledger import checkpoints

_log = telemetry.logger(__name__)


class LogSigning:
    """Signs the logs of a deployment that have grown."""

    def __init__(
        self,
        *,
        database: Engine,
        log_key: SigningKey,
        deployment: DeploymentId,
        doubted: Callable[[AgreementId], None] = lambda _: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take what signing needs.

        Args:
            doubted: Called with each log that does not extend what somebody had verified: letters are owed.
            clock: In seconds; only its differences count.
        """
        self._database = database
        self._doubted = doubted
        self._log_key = log_key
        self._deployment = deployment
        self._said = SaidSeldom(clock)
        self._grown: set[AgreementId] = set()
        self._lock = threading.Lock()

    def keep_signing(self, every: timedelta, rest: Callable[[timedelta], None] = rest) -> NoReturn:
        """Sign soon what this process appended, and every so often all logs: gate and API append too."""
        signing = Lasting("no checkpoints were signed")
        while True:
            with signing.attempt():
                self.sign_all()
            for _ in range(max(every // CHECKPOINT_SOON, 1)):
                rest(CHECKPOINT_SOON)
                with signing.attempt():
                    self.sign_grown()

    def sign(self, agreement_id: AgreementId) -> None:
        """Sign a log as it stands; if that fails, the next checkpoint covers the same entries."""
        refusal = self._refusal(agreement_id)
        if refusal is None:
            self._said.forget(agreement_id)
            return
        why = f"{refusal.code}: {refusal}"
        if self._said.is_news(agreement_id, why):
            _log.error("no checkpoint was signed", agreement=agreement_id, code=refusal.code, why=why)

    def _refusal(self, agreement_id: AgreementId) -> TallystickError | None:
        """Sign a log as it stands, or return what keeps it from being signed."""
        try:
            with transaction(self._database) as session:
                self.raise_alarms(session, agreement_id)
                try:
                    self.signed(session, agreement_id)
                except LedgerCorruptError as error:  # a damaged log has its alarms all the same
                    return error
        except TallystickError as error:
            return error
        return None

    def raise_alarms(self, session: Session, agreement_id: AgreementId) -> None:
        """Record, in the caller's transaction, which authors had verified another log, before it is signed.

        Every checkpoint is signed after this: so each entry is asked about once, whoever recorded it.
        """
        if record_doubts(session, agreement_id, self._log_key):
            self._doubted(agreement_id)

    def signed(self, session: Session, agreement_id: AgreementId) -> bytes:
        """Return the log's checkpoint as it stands, signed in the caller's transaction if it has grown.

        Raises:
            LedgerCorruptError: The log is not what was signed before; nothing is signed.
        """
        origin = note.origin_of(self._deployment, agreement_id)
        return checkpoints.sign_checkpoint(session, agreement_id, self._log_key, origin)

    def sign_soon(self, agreement_id: AgreementId) -> None:
        """Remember that a log has grown; returns at once."""
        with self._lock:
            self._grown.add(agreement_id)

    def sign_grown(self) -> None:
        """Sign every log that `sign_soon` was called for."""
        with self._lock:
            grown, self._grown = self._grown, set()
        for agreement_id in sorted(grown):
            self.sign(agreement_id)

    def sign_all(self) -> None:
        """Sign every log that has entries after its last checkpoint: the gate and the API append too.

        Raises:
            DatabaseUnavailableError: The database is out of reach.
        """
        with reading(self._database) as session:
            grown = checkpoints.logs_to_sign(session)
        for agreement_id in grown:
            self.sign(agreement_id)
