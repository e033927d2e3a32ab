"""How a receiver is set up, and what comes of one of its looks."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from tallystick.crypto.keyfile import PrivateKeys
from tallystick.domain.claim.state import ClaimState
from tallystick.domain.ids import AgreementId, Digest, PersonId, StageId
from tallystick.domain.kinds import ReceiptOutcome
from tallystick.domain.statements.header import LedgerSeen
from tallystick.receiver.commands import Commands
from tallystick.receiver.delivery import Trust, VerifiedDelivery, read_delivery
from tallystick.receiver.opening import Escrow
from tallystick.receiver.trying import Trying


@dataclass(frozen=True, slots=True, kw_only=True)
class Reported:
    """A receipt that was sent, or what was done here about a stage that another receiver has reported.

    Attributes:
        by: The other receiver, whose receipt counts; None if one was sent from here.
    """

    stage: StageId
    outcome: ReceiptOutcome
    detail: str
    by: PersonId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """The outcome of one look at the delivery.

    Attributes:
        held: Stages that must be undone, but stay as they are while a hold stands.
    """

    claim: Digest
    state: ClaimState
    reported: tuple[Reported, ...]
    trying: tuple[Trying, ...] = ()
    held: tuple[StageId, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """Where a receiver works, for whom, and what it runs.

    Attributes:
        trust: Raises unless the beneficiary trusts the agreement.
        seen: Returns the longest checkpoint of an agreement's log that was verified with the key, if any.
        at_once: Try a stage again at this look, even if its pause is not over.
        give_up: Report a stage whose commands fail as failed, instead of trying it again.
        reached: Called after each step that became durable or visible; tests end the process there.
    """

    escrow: Escrow
    keys: PrivateKeys
    into: Path
    commands: Commands
    trust: Trust
    now: Callable[[], datetime]
    at_once: bool = False
    give_up: bool = False
    seen: Callable[[AgreementId], LedgerSeen | None] = lambda _: None
    reached: Callable[[str], None] = lambda _: None

    def delivery(self, claim: str) -> VerifiedDelivery:
        """Return what the record of `claim` (short id or digest) asks this receiver to do now.

        Raises:
            TallystickError: As `read_delivery`, or the server refused or did not answer.
        """
        shown, record = self.escrow.delivery(claim), self.escrow.record(claim)
        return read_delivery(shown, record, claim=claim, keys=self.keys, trust=self.trust, at=self.now())
