"""The receiver: stage by stage from sealed bytes to an active version, and back.

Each step is durable before the next begins, and may be done again: the logbook says
that a version is staged before it is switched to, that it is healthy before a receipt
is signed, and has the receipt before it is sent. So a crash anywhere costs only time.
"""

import contextlib
import os
from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Final

from tallystick.crypto.envelope import Envelope, new_nonce, sign, statement_id
from tallystick.domain.acts.delivery import receipt
from tallystick.domain.claim.claim import WrongClaimStateError
from tallystick.domain.codec import encode_object
from tallystick.domain.drafts.choices import Choices
from tallystick.domain.drafts.heading import Heading
from tallystick.domain.errors import TallystickError
from tallystick.domain.ids import Digest, PersonId, StageId, digits_of
from tallystick.domain.kinds import Kind, ReceiptOutcome
from tallystick.domain.statements.receipts import ReceivedComponent
from tallystick.durable import make_private
from tallystick.limits.documents import TEXT_LENGTH_MAX
from tallystick.receiver.commands import CommandContext, CommandNotStartedError, fault_of
from tallystick.receiver.delivery import DeliveryRefusedError, OfferedStage, VerifiedDelivery
from tallystick.receiver.fence import fenced
from tallystick.receiver.logbook import Logbook, Progress, StageNote
from tallystick.receiver.opening import DepositDefectiveError, Opener, forget_half_opened
from tallystick.receiver.room import check_own, check_room, hindrances_told, size_below
from tallystick.receiver.setting import Pass, Reported, Setting
from tallystick.receiver.trying import Trying, again_at, has_time, time_left, trying
from tallystick.receiver.versions import Versions, version_name

_TOO_LATE: Final = WrongClaimStateError.code
OWN_FOLDER: Final = ".tallystick"
_PRIVATE_UMASK: Final = 0o077


def receive(setting: Setting, claim: str) -> Pass:
    """Look once at the record of `claim` (short id or digest), and do all that follows from it.

    Raises:
        ReceiverBusyError: Another receiver works in the folder.
        ReceiverHinderedError: The folder or its disk does not let it work. Repeat it later.
        CommandNotStartedError: This machine cannot start a command; nothing was reported.
        DeliveryRefusedError: What the server shows does not follow from the signatures; nothing was opened.
        TallystickError: A signature is wrong, the server refused or did not answer. Repeat it later.
    """
    folder = setting.into.absolute()
    own = folder / OWN_FOLDER
    with private_files() as umask, hindrances_told(folder):
        for part in (folder, own, folder / "versions", folder / "stages"):
            check_own(part)
        make_private(folder)
        with fenced(make_private(own)) as fence:
            forget_half_opened(own / "work")
            work = _Work(
                setting=setting,
                umask=umask,
                folder=folder,
                token=fence.token,
                logbook=Logbook(own / "logbook", fence),
                versions=Versions(folder, fence),
            )
            return work.once(claim)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Work:
    setting: Setting
    umask: int
    folder: Path
    token: str
    logbook: Logbook
    versions: Versions

    def once(self, claim: str) -> Pass:
        delivery = self.setting.delivery(claim)
        self._check_nothing_is_missing(delivery)
        self.logbook.remember(delivery.claim, delivery.said)
        done = list(self._does(delivery))
        return Pass(
            claim=delivery.claim,
            state=delivery.state,
            reported=tuple(one for one in done if isinstance(one, Reported)),
            trying=tuple(one for one in done if isinstance(one, Trying)),
            held=delivery.held,
        )

    def _check_nothing_is_missing(self, delivery: VerifiedDelivery) -> None:
        """Neither activate nor undo anything by a record that leaves out what was on it before.

        Otherwise a server could leave out a receipt, and a stage in use would time out; or a withdrawal, and
        what must go back would be opened. What is done already is only reported again.
        """
        missing = self.logbook.known(delivery.claim) - delivery.said
        undo = [stage for stage in delivery.undo if self._step(delivery.claim, stage) is not Progress.UNDONE]
        offered = [one.stage for one in delivery.offered]
        begin = [one for one in offered if self._step(delivery.claim, one) in {None, Progress.STAGED}]
        if missing and (undo or begin):
            raise DeliveryRefusedError(
                "the record lacks statements that it had", undo=undo, activate=begin, missing=sorted(missing)
            )

    def _step(self, claim: Digest, stage: StageId) -> Progress | None:
        note = self.logbook.read(claim, stage)
        return None if note is None else note.step

    def _does(self, delivery: VerifiedDelivery) -> Iterator[Reported | Trying]:
        for stage in (*delivery.undo, *delivery.undone):
            if stage not in delivery.elsewhere or self._is_here(delivery.claim, stage):
                yield self._undo(stage, delivery)
        for offered in delivery.offered:
            if offered.stage not in delivery.elsewhere or self._is_to_come(delivery.claim, offered.stage):
                yield self._provision(offered, delivery)

    def _is_here(self, claim: Digest, stage: StageId) -> bool:
        """Return whether anything of a stage that another receiver reports is yet to be undone here."""
        return self._step(claim, stage) not in {None, Progress.UNDONE}

    def _is_to_come(self, claim: Digest, stage: StageId) -> bool:
        """Return whether a stage that is in use at another receiver's was not tried to the end here."""
        return self._step(claim, stage) in {None, Progress.STAGED}

    def _provision(self, offered: OfferedStage, delivery: VerifiedDelivery) -> Reported | Trying:
        note = self.logbook.read(delivery.claim, offered.stage) or self._staged(offered, delivery)
        self._opener(delivery.claim, offered.stage).forget()
        if note.step is Progress.STAGED:
            note = self._tried(note, offered)
        match note.step:
            case Progress.STAGED:
                return trying(note, offered)
            case Progress.ACTIVE:
                detail = self.setting.commands.success
                return self._report(note, ReceiptOutcome.ACTIVATED, detail, delivery)
            case _:
                self._go_back(note)
                reason = note.reason or "undone here before"
                return self._report(note, ReceiptOutcome.FAILED, reason, delivery)

    def _staged(self, offered: OfferedStage, delivery: VerifiedDelivery) -> StageNote:
        version = version_name(offered.stage, claim=delivery.claim, deposit=delivery.filing.deposit)
        opener = self._opener(delivery.claim, offered.stage)
        check_room(
            self.folder, (one.deposited for one in offered.components), held_bytes=size_below(opener.work)
        )
        note = StageNote(
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
            return self.logbook.write(replace(note, step=Progress.FAILED, version="", reason=str(error)))
        self.setting.reached("opened")
        self.versions.adopt(opened, version)
        self.setting.reached("adopted")
        note = self.logbook.write(replace(note, components=received))
        self.setting.reached("staged")
        return note

    def _tried(self, note: StageNote, offered: OfferedStage) -> StageNote:
        """Try to activate a staged version, unless its pause is not over; go back if that fails."""
        at = self.setting.now()
        insisted = self.setting.at_once or self.setting.give_up
        if note.tried_at is not None and at < again_at(note) and not insisted:
            return note
        self.versions.switch(note.stage, note.version)
        self.setting.reached("switched")
        try:
            fault = self._run(note, note.version, time_left(offered, at))
        except CommandNotStartedError:
            self._go_back(note)
            raise
        self.setting.reached("checked")
        tried = replace(note, tries=note.tries + 1, tried_at=at, reason=fault)
        return self._noted(tried, offered)

    def _noted(self, note: StageNote, offered: OfferedStage) -> StageNote:
        """Note how a try has ended; go back if there will be another."""
        progress = Progress.ACTIVE
        if note.reason is not None:
            again = has_time(note, offered) and not self.setting.give_up
            progress = Progress.STAGED if again else Progress.FAILED
        if progress is Progress.STAGED:
            self._go_back(note)
        note = self.logbook.write(replace(note, step=progress))
        self.setting.reached("failed-once" if progress is Progress.STAGED else progress.value)
        return note

    def _undo(self, stage: StageId, delivery: VerifiedDelivery) -> Reported:
        note = self.logbook.read(delivery.claim, stage)
        if note is None:
            note = self._never_active(stage, delivery)
            return self._report(note, ReceiptOutcome.ROLLED_BACK, "nothing was activated here", delivery)
        if note.step is not Progress.UNDONE:
            fault = self._go_back(note)
            self.setting.reached("went-back")
            if note.version:
                self.versions.remove(note.version)
            self.setting.reached("removed")
            note = self.logbook.write(replace(note, step=Progress.UNDONE, reason=fault))
            self.setting.reached("undone")
        return self._report(note, ReceiptOutcome.ROLLED_BACK, self._undone(note), delivery)

    def _undone(self, note: StageNote) -> str:
        """Return what a receipt says of a stage that was undone: what is active now, and what got known."""
        active = self.versions.active(note.stage)
        left = "nothing is active" if active is None else f"{active} is active"
        faults = [note.reason] if note.reason else []
        opened = [c.component for c in note.components]
        disclosed = f"irrevocably disclosed: {', '.join(opened)}" if opened else "nothing was opened here"
        return "; ".join((left, *faults, disclosed))

    def _never_active(self, stage: StageId, delivery: VerifiedDelivery) -> StageNote:
        """Remove what a crash may have left of a stage that timed out before it was active."""
        self._opener(delivery.claim, stage).forget()
        self.versions.remove(version_name(stage, claim=delivery.claim, deposit=delivery.filing.deposit))
        return StageNote(claim=delivery.claim, stage=stage, step=Progress.UNDONE, version="", components=())

    def _go_back(self, note: StageNote) -> str | None:
        """Make the version before this one active again; return in words what went wrong in activating it."""
        previous = self._before(note)
        if not note.version or self.versions.active(note.stage) not in {note.version, previous}:
            return None  # never switched to; or a later claim's version is active, and stays
        self.versions.switch(note.stage, previous)
        self.setting.reached("switched-back")
        return None if previous is None else self._activated_again(note, previous)

    def _before(self, note: StageNote) -> str | None:
        """Return the version to go back to: of those before this one, the last that was not undone since."""
        before = note.previous
        while before is not None and not self.versions.path(before).is_dir():
            before = self.logbook.before(note.stage, before)
        return before

    def _activated_again(self, note: StageNote, previous: str) -> str | None:
        commands, words = self.setting.commands, "activation of the previous version"
        try:
            return fault_of(commands.activate, words, self._context(note, previous), commands.time_max)
        except CommandNotStartedError as error:
            return error.message

    def _run(self, note: StageNote, version: str, left: timedelta) -> str | None:
        context, commands = self._context(note, version), self.setting.commands
        time_max = min(commands.time_max, left)
        fault = fault_of(commands.activate, "activation", context, time_max)
        return fault or fault_of(commands.health, "the health check", context, time_max)

    def _context(self, note: StageNote, version: str) -> CommandContext:
        logs = make_private(self.folder / OWN_FOLDER / "logs")
        return CommandContext(
            root=self.folder,
            version=self.versions.path(version),
            stage=note.stage,
            claim=note.claim,
            log=logs / f"{digits_of(note.claim)}.{note.stage}.log",
            umask=self.umask,
        )

    def _report(
        self, note: StageNote, outcome: ReceiptOutcome, detail: str, delivery: VerifiedDelivery
    ) -> Reported:
        done = Reported(stage=note.stage, outcome=outcome, detail=detail)
        if (by := delivery.elsewhere.get(note.stage)) is not None:
            return replace(done, by=by)
        receipt = self.logbook.receipt(note.claim, note.stage, outcome)
        if receipt is None:
            receipt = self._signed(note, outcome, detail, delivery)
            self.logbook.keep_receipt(note.claim, note.stage, outcome, receipt)
        self.setting.reached(f"signed-{outcome.value}")
        if (by := self._sent(note, receipt)) is not None:
            return replace(done, by=by)
        self.logbook.remember(note.claim, frozenset({statement_id(receipt)}))
        self.setting.reached(f"reported-{outcome.value}")
        return done

    def _sent(self, note: StageNote, receipt: Envelope) -> PersonId | None:
        """Send a receipt; return who has reported on the stage meanwhile, if that is why it is refused."""
        try:
            self.setting.escrow.report(note.claim, receipt)
        except TallystickError as refused:
            if refused.code != _TOO_LATE:
                raise
            if (by := self.setting.delivery(note.claim).elsewhere.get(note.stage)) is None:
                raise
            return by
        return None

    def _signed(
        self, note: StageNote, outcome: ReceiptOutcome, detail: str, delivery: VerifiedDelivery
    ) -> Envelope:
        agreement = delivery.terms.agreement
        heading = Heading(
            terms=delivery.terms,
            claim=note.claim,
            filing=delivery.filing,
            person=agreement.person_with(self.setting.keys.signing_key.public_key).id,
            issued_at=self.setting.now(),
            nonce=new_nonce(),
            ledger_seen=self.setting.seen(agreement.id),
        )
        choices = Choices(
            stage=note.stage,
            outcome=outcome,
            received=note.components,
            explanation=detail[:TEXT_LENGTH_MAX],
        )
        body = receipt.ACT.draft(heading, choices)
        return sign(Kind.RECEIPT, encode_object(body), [self.setting.keys.signing_key])

    def _opener(self, claim: Digest, stage: StageId) -> Opener:
        work = make_private(self.folder / OWN_FOLDER / "work")
        own = work / f"{digits_of(claim)}.{stage}"
        return Opener(escrow=self.setting.escrow, keys=self.setting.keys, work=own, token=self.token)


def _sealed_only(offered: OfferedStage) -> tuple[ReceivedComponent, ...]:
    """Return what was received of a stage that did not open: only its sealed files."""
    return tuple(
        ReceivedComponent(component=c.deposited.component, sealed_digest=c.deposited.sealed_digest)
        for c in offered.components
    )


@contextlib.contextmanager
def private_files() -> Generator[int]:
    """Keep every file that is made meanwhile private: plaintext is unpacked here. Yield the mask before."""
    before = os.umask(_PRIVATE_UMASK)
    try:
        yield before
    finally:
        os.umask(before)
