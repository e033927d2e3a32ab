"""The receiver: stage by stage from sealed bytes to an active version, and back.

Each step is durable before the next begins, and may be done again: the journal says
that a version is staged before it is switched to, that it is healthy before a receipt
is signed, and has the receipt before it is sent. So a crash anywhere costs only time.
"""

import contextlib
import os
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Final

from tallystick.crypto.envelope import Envelope, new_nonce, sign
from tallystick.crypto.keyfile import PrivateKeys
from tallystick.domain.acts.delivery import receipt
from tallystick.domain.codec import encode_object
from tallystick.domain.drafts.choices import Choices
from tallystick.domain.drafts.heading import Heading
from tallystick.domain.ids import Digest, StageId
from tallystick.domain.kinds import Kind, ReceiptOutcome
from tallystick.domain.statements.receipts import ReceivedComponent
from tallystick.durable import make_private
from tallystick.limits import TEXT_LENGTH_MAX
from tallystick.receiver.commands import CommandContext, Commands, fault_of
from tallystick.receiver.delivery import OfferedStage, Trust, VerifiedDelivery, read_delivery
from tallystick.receiver.fence import fenced
from tallystick.receiver.journal import Journal, Progress, Record
from tallystick.receiver.opening import DepositDefectiveError, Escrow, Opener, forget_half_opened
from tallystick.receiver.versions import Versions, version_name

OWN_FOLDER: Final = ".tallystick"
_PRIVATE_UMASK: Final = 0o077


@dataclass(frozen=True, slots=True, kw_only=True)
class Reported:
    """A receipt that was sent."""

    stage: StageId
    outcome: ReceiptOutcome
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """The outcome of one look at the delivery."""

    claim: Digest
    state: str
    reported: tuple[Reported, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """Where a receiver works, for whom, and what it runs.

    Attributes:
        trust: Raises unless the beneficiary trusts the agreement.
        reached: Called after each step that became durable or visible; tests end the process there.
    """

    escrow: Escrow
    keys: PrivateKeys
    into: Path
    commands: Commands
    trust: Trust
    now: Callable[[], datetime]
    reached: Callable[[str], None] = lambda _: None


def receive(setting: Setting, claim: str) -> Pass:
    """Look once at what is offered for `claim` (short id or digest), and do all of it.

    Raises:
        ReceiverBusyError: Another receiver works in the folder.
        DeliveryRefusedError: The delivery does not follow from the signatures; nothing was opened.
        TallystickError: A signature is wrong, the server refused or did not answer. Repeat it later.
    """
    with _private_files():
        into = make_private(setting.into.absolute())
        with fenced(make_private(into / OWN_FOLDER)) as fence:
            own = into / OWN_FOLDER
            forget_half_opened(own / "work")
            work = _Work(
                setting=setting,
                folder=into,
                journal=Journal(own / "journal", fence),
                versions=Versions(into, fence),
            )
            return work.once(claim)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Work:
    setting: Setting
    folder: Path
    journal: Journal
    versions: Versions

    def once(self, claim: str) -> Pass:
        delivery = read_delivery(
            self.setting.escrow.delivery(claim),
            claim=claim,
            keys=self.setting.keys,
            trust=self.setting.trust,
        )
        return Pass(claim=delivery.claim, state=delivery.state, reported=tuple(self._reports(delivery)))

    def _reports(self, delivery: VerifiedDelivery) -> Iterator[Reported]:
        for stage in delivery.undo:
            yield self._undo(stage, delivery)
        for offered in delivery.offered:
            yield self._provision(offered, delivery)

    def _provision(self, offered: OfferedStage, delivery: VerifiedDelivery) -> Reported:
        record = self.journal.read(delivery.claim, offered.stage) or self._staged(offered, delivery)
        self._opener(delivery.claim, offered.stage).forget()
        if record.step is Progress.STAGED:
            record = self._activated(record)
        if record.step is Progress.ACTIVE:
            return self._report(record, ReceiptOutcome.ACTIVATED, "activated and healthy", delivery)
        self._go_back(record)
        return self._report(record, ReceiptOutcome.FAILED, record.reason or "undone here before", delivery)

    def _staged(self, offered: OfferedStage, delivery: VerifiedDelivery) -> Record:
        version = version_name(offered.stage, claim=delivery.claim, deposit=delivery.filing.deposit)
        opener = self._opener(delivery.claim, offered.stage)
        record = Record(
            claim=delivery.claim,
            stage=offered.stage,
            step=Progress.STAGED,
            version=version,
            components=_sealed_only(offered),
            previous=self.versions.active(offered.stage),
        )
        try:
            opened, received = opener.open_components(offered.components, delivery)
        except DepositDefectiveError as error:
            return self.journal.write(replace(record, step=Progress.FAILED, version="", reason=str(error)))
        self.setting.reached("opened")
        self.versions.adopt(opened, version)
        self.setting.reached("adopted")
        record = self.journal.write(replace(record, components=received))
        self.setting.reached("staged")
        return record

    def _activated(self, record: Record) -> Record:
        self.versions.switch(record.stage, record.version)
        self.setting.reached("switched")
        fault = self._run(record, record.version)
        self.setting.reached("checked")
        progress = Progress.ACTIVE if fault is None else Progress.FAILED
        record = self.journal.write(replace(record, step=progress, reason=fault))
        self.setting.reached(progress.value)
        return record

    def _undo(self, stage: StageId, delivery: VerifiedDelivery) -> Reported:
        record = self.journal.read(delivery.claim, stage)
        if record is None:  # the stage timed out before it was active; a crash may have left something
            self._opener(delivery.claim, stage).forget()
            self.versions.remove(version_name(stage, claim=delivery.claim, deposit=delivery.filing.deposit))
            record = Record(
                claim=delivery.claim, stage=stage, step=Progress.UNDONE, version="", components=()
            )
            return self._report(record, ReceiptOutcome.ROLLED_BACK, "nothing was activated here", delivery)
        if record.step is not Progress.UNDONE:
            fault = self._go_back(record)
            self.setting.reached("went-back")
            if record.version:
                self.versions.remove(record.version)
            self.setting.reached("removed")
            record = self.journal.write(replace(record, step=Progress.UNDONE, reason=fault))
            self.setting.reached("undone")
        return self._report(record, ReceiptOutcome.ROLLED_BACK, _undone_text(record), delivery)

    def _go_back(self, record: Record) -> str | None:
        """Make the version before this one active again; return in words what went wrong in activating it."""
        previous = record.previous
        if previous is not None and not self.versions.path(previous).is_dir():
            previous = None  # the claim that brought it was rolled back meanwhile
        if not record.version or self.versions.active(record.stage) not in {record.version, previous}:
            return None  # never switched to; or a later claim's version is active, and stays
        self.versions.switch(record.stage, previous)
        self.setting.reached("switched-back")
        if previous is None:
            return None
        context = self._context(record, previous)
        commands = self.setting.commands
        return fault_of(commands.activate, "activation of the previous version", context, commands.time_max)

    def _run(self, record: Record, version: str) -> str | None:
        context, commands = self._context(record, version), self.setting.commands
        fault = fault_of(commands.activate, "activation", context, commands.time_max)
        return fault or fault_of(commands.health, "the health check", context, commands.time_max)

    def _context(self, record: Record, version: str) -> CommandContext:
        logs = make_private(self.folder / OWN_FOLDER / "logs")
        return CommandContext(
            root=self.folder,
            version=self.versions.path(version),
            stage=record.stage,
            claim=record.claim,
            log=logs / f"{record.claim.removeprefix('sha256:')}.{record.stage}.log",
        )

    def _report(
        self, record: Record, outcome: ReceiptOutcome, detail: str, delivery: VerifiedDelivery
    ) -> Reported:
        receipt = self.journal.receipt(record.claim, record.stage, outcome)
        if receipt is None:
            receipt = self._signed(record, outcome, detail, delivery)
            self.journal.keep_receipt(record.claim, record.stage, outcome, receipt)
        self.setting.reached(f"signed-{outcome.value}")
        self.setting.escrow.report(record.claim, receipt)
        self.setting.reached(f"reported-{outcome.value}")
        return Reported(stage=record.stage, outcome=outcome, detail=detail)

    def _signed(
        self, record: Record, outcome: ReceiptOutcome, detail: str, delivery: VerifiedDelivery
    ) -> Envelope:
        agreement = delivery.terms.agreement
        heading = Heading(
            terms=delivery.terms,
            claim=record.claim,
            filing=delivery.filing,
            person=agreement.person_with(self.setting.keys.signing_key.public_key).id,
            issued_at=self.setting.now(),
            nonce=new_nonce(),
        )
        choices = Choices(
            stage=record.stage,
            outcome=outcome,
            received=record.components,
            explanation=detail[:TEXT_LENGTH_MAX],
        )
        body = receipt.ACT.draft(heading, choices)
        return sign(Kind.RECEIPT, encode_object(body), [self.setting.keys.signing_key])

    def _opener(self, claim: Digest, stage: StageId) -> Opener:
        work = make_private(self.folder / OWN_FOLDER / "work")
        own = work / f"{claim.removeprefix('sha256:')}.{stage}"
        return Opener(escrow=self.setting.escrow, keys=self.setting.keys, work=own)


def _sealed_only(offered: OfferedStage) -> tuple[ReceivedComponent, ...]:
    """Return what was received of a stage that did not open: only its sealed files."""
    return tuple(
        ReceivedComponent(component=c.deposited.component, sealed_digest=c.deposited.sealed_digest)
        for c in offered.components
    )


def _undone_text(record: Record) -> str:
    back = f"back to {record.previous}" if record.previous else "nothing is active"
    faults = [record.reason] if record.reason else []
    opened = [c.component for c in record.components]
    disclosed = f"irrevocably disclosed: {', '.join(opened)}" if opened else "nothing was opened here"
    return "; ".join((back, *faults, disclosed))


@contextlib.contextmanager
def _private_files() -> Generator[None]:
    """Keep every file that is made meanwhile private: plaintext is unpacked here."""
    before = os.umask(_PRIVATE_UMASK)
    try:
        yield
    finally:
        os.umask(before)
