"""The second witness of a window: the gate signs when, by its own clock, it saw that notice was on record.

The worker's log key dates everything else, and the database does not belong to the gate. With the gate's own
time, a notice that someone dates back shortens no window by more than the tolerance.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Engine

from activities.gate.gate import check_gate
from tallystick.crypto.envelope import Envelope, new_nonce, sign, statement_id
from tallystick.crypto.keyfile import PrivateKeys
from tallystick.domain.admission.door import admit
from tallystick.domain.ids import Digest, PublicKey, gate_person
from tallystick.domain.kinds import Kind
from tallystick.domain.notice.sighting import to_be_sighted
from tallystick.domain.statements.engine import Sighting
from tallystick.domain.statements.signed import BY_GATE, write_body
from tallystick.limits.steps import GATE_LOOKS_MAX
from tallystick.proof.reading import read_signed
from tallystick.store.cases.casefile import CaseFile, ClaimMovedOnError, check_head, load
from tallystick.store.database.session import reading, transaction
from tallystick.store.ledger import ledger


@dataclass(frozen=True, slots=True, kw_only=True)
class Witness:
    """Sees notices for the gate.

    Attributes:
        root_keys: The escrow agent's keys, from the gate's own settings.
        clock: The gate host's own.
        tell: Called with each step that is done; a crash between any two is harmless.
    """

    database: Engine
    keys: PrivateKeys = field(repr=False)
    root_keys: frozenset[PublicKey]
    clock: Callable[[], datetime]
    tell: Callable[[str], None]

    def sight(self, claim: Digest, at: datetime) -> Digest | None:
        """Record that the claim's notice was seen, unless there is none or it was seen; return the statement.

        Args:
            at: The workflow's time, when it asked. The entry is accepted then, or with what came since: where
                the database's clock is this host's own, a host that is days ahead would otherwise keep a
                window open for days.

        Raises:
            NotThisGateError: The agreement pins another gate.
            NotDueError: This gate's clock and the workflow's disagree, or this was asked long ago.
            ClaimMovedOnError: The record never stood still.
            TallystickError: The record cannot be trusted, or the database failed.
        """
        for _ in range(GATE_LOOKS_MAX):
            with suppress(ClaimMovedOnError):
                return self._sight(claim, at)
        raise ClaimMovedOnError("the claim's record grew each time that the gate had read it", claim=claim)

    def _sight(self, claim: Digest, at: datetime) -> Digest | None:
        with reading(self.database) as session:
            case = load(session, claim)
        seen = to_be_sighted(case.agreement, case.claim)
        if seen is None:
            return None
        check_gate(case.signed, self.keys, self.root_keys)
        self.tell("notice seen")
        envelope = self._statement(case, seen.signed.id)
        self._append(case, envelope, max(at, _latest(case)))
        self.tell("sighting recorded")
        return statement_id(envelope)

    def _statement(self, case: CaseFile, notice: Digest) -> Envelope:
        by = gate_person(case.agreement.deployment)
        body = Sighting(
            **case.signed.terms.header(by, self.clock(), new_nonce()), claim=case.claim.digest, notice=notice
        )
        return sign(Kind.SIGHTING, write_body(body), [self.keys.signing_key])

    def _append(self, case: CaseFile, envelope: Envelope, at: datetime) -> None:
        agreement, claim = case.agreement, case.claim
        admit(agreement, claim, read_signed(envelope, agreement), at=at)
        known = max(entry.index for entry in case.raw)
        with transaction(self.database) as session:
            check_head(session, agreement.id, claim.digest, after=known)
            ledger.append(session, agreement.id, envelope, at, claim=claim.digest)


def _latest(case: CaseFile) -> datetime:
    """Return when the last statement about the claim was accepted; gates date theirs by their own clock."""
    about = (entry for entry in case.raw if entry.claim == case.claim.digest and entry.kind not in BY_GATE)
    return max(entry.accepted_at for entry in about)
