"""The gate's own memory, on the gate's own disk: what it contributed, decided and saw.

Someone who can alter the database cannot alter this, so the gate notices a ledger that was
rolled back. Nothing secret is kept: contributions are sealed to the claim's receivers.
Each note is written once, and synchronised before anybody may rely on it.
"""

import hashlib
import os
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeAlias, TypeVar

from tallystick.crypto.json.base64 import base64_bytes, base64_text
from tallystick.crypto.json.canonical import canonical_bytes, parse_canonical
from tallystick.domain.codec import decode, encode_object
from tallystick.domain.errors import MalformedError, TallystickError
from tallystick.domain.ids import AgreementId, ComponentId, Digest, StageId, digits_of
from tallystick.domain.statements.filing import Receiver
from tallystick.durable import Fsync, keep_durably, make_private, reason_of, sync_folder, write_durably
from tallystick.limits.documents import TEXT_LENGTH_MAX
from tallystick.limits.steps import GATE_NOTE_BYTES_MAX
from tallystick.regular import read_regular

_N = TypeVar("_N")

Receivers: TypeAlias = tuple[Receiver, ...]

_CONTRIBUTIONS: Final = "contributions"
_DECISIONS: Final = "decisions"
_LOGS: Final = "logs"


class GateJournalDamagedError(TallystickError):
    """A damaged note in the gate's journal."""

    code = "gate-journal-damaged"
    why = "The gate decides nothing about a claim while its own memory of that claim is unreadable."
    advice = "Restore the gate's journal folder from its backup; never empty it to make the gate continue."


class GateJournalFailedError(TallystickError):
    """The gate's journal cannot be written: disk full, input/output error."""

    code = "gate-journal-failed"
    why = "The gate decides nothing before its contribution is durable in its own journal."
    advice = "Free or repair the gate's disk, then send the same request again: repeating is harmless."
    retryable = True


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptContribution:
    """A contribution as it was made, once: the share of `leaf`, sealed to the claim's receivers."""

    component: ComponentId
    leaf: str
    sealed: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogHead:
    """The size and root of an agreement's log when the gate last found it whole."""

    size: int
    root: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _To:
    receivers: Receivers


@dataclass(frozen=True, slots=True, kw_only=True)
class _Contribution:
    component: ComponentId
    leaf: str
    sealed: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Contributions:
    claim: Digest
    stage: StageId
    receivers: Receivers
    contributions: tuple[_Contribution, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Decided:
    claim: Digest
    stage: StageId
    decision: Digest


class GateJournal:
    """Notes in a folder that only the gate's user may write."""

    def __init__(self, folder: Path, *, fsync: Fsync = os.fsync) -> None:
        """Make the folders that are missing under `folder`.

        Raises:
            GateJournalFailedError: They cannot be made.
        """
        self._folder = folder
        self._fsync = fsync
        with _failures():
            for name in (_CONTRIBUTIONS, _DECISIONS, _LOGS):
                make_private(folder / name, fsync=fsync)
            sync_folder(folder, fsync=fsync)  # a process that was stopped may have made what is in it

    def contributions(
        self, claim: Digest, stage: StageId, receivers: Receivers
    ) -> tuple[KeptContribution, ...] | None:
        """Return what was contributed to a stage, or was about to be; None if nothing was made yet.

        Args:
            receivers: To whom it is sealed: once others are named, what was made before is not given.

        Raises:
            GateJournalDamagedError: The note exists but is unreadable, or is about another stage.
        """
        note = self._read(_CONTRIBUTIONS, _name_for(claim, stage, receivers), _Contributions)
        if note is None:
            return None
        if (note.claim, note.stage, note.receivers) != (claim, stage, receivers):
            raise GateJournalDamagedError(
                "a note in the gate's journal is about another stage", claim=claim, stage=stage
            )
        return tuple(map(_kept, note.contributions))

    def keep_contributions(
        self, claim: Digest, stage: StageId, receivers: Receivers, made: Sequence[KeptContribution]
    ) -> tuple[KeptContribution, ...]:
        """Keep contributions durably, and return those that count: the first that were kept.

        Raises:
            GateJournalFailedError: Not durable; nothing may be decided.
            GateJournalDamagedError: What was kept before is unreadable.
        """
        note = _Contributions(
            claim=claim,
            stage=stage,
            receivers=receivers,
            contributions=tuple(
                _Contribution(component=one.component, leaf=one.leaf, sealed=_in_lines(one.sealed))
                for one in made
            ),
        )
        with _failures():
            path = self._path(_CONTRIBUTIONS, _name_for(claim, stage, receivers))
            keep_durably(path, _bytes(note), fsync=self._fsync)
        standing = self.contributions(claim, stage, receivers)
        assert standing is not None, "it was just written, or was there before"
        return standing

    def decision(self, claim: Digest, stage: StageId) -> Digest | None:
        """Return the decision that this gate remembers having made on a stage, or None.

        Raises:
            GateJournalDamagedError: The note exists but is unreadable.
        """
        note = self._read(_DECISIONS, _name(claim, stage), _Decided)
        return None if note is None else note.decision

    def remember_decision(self, claim: Digest, stage: StageId, decision: Digest) -> None:
        """Remember durably that the ledger has this gate's decision.

        Raises:
            GateJournalFailedError: Not durable; nothing may be published.
        """
        note = _Decided(claim=claim, stage=stage, decision=decision)
        with _failures():
            keep_durably(self._path(_DECISIONS, _name(claim, stage)), _bytes(note), fsync=self._fsync)

    def log_head(self, agreement: AgreementId) -> LogHead | None:
        """Return the head of the log when it was last seen whole, or None.

        Raises:
            GateJournalDamagedError: The note exists but is unreadable.
        """
        return self._read(_LOGS, f"{agreement}.json", LogHead)

    def remember_log(self, agreement: AgreementId, head: LogHead) -> None:
        """Remember durably the head of the log.

        Raises:
            GateJournalFailedError: Not durable.
        """
        with _failures():
            write_durably(self._path(_LOGS, f"{agreement}.json"), _bytes(head), fsync=self._fsync)

    def _read(self, kind: str, name: str, form: type[_N]) -> _N | None:
        try:
            data = read_regular(self._path(kind, name), GATE_NOTE_BYTES_MAX)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise GateJournalDamagedError(
                "a note in the gate's journal cannot be read", note=f"{kind}/{name}"
            ) from error
        try:
            return decode(form, parse_canonical(data, size_bytes_max=GATE_NOTE_BYTES_MAX))
        except MalformedError as error:
            raise GateJournalDamagedError(
                "a note in the gate's journal is damaged", note=f"{kind}/{name}"
            ) from error

    def _path(self, kind: str, name: str) -> Path:
        return self._folder / kind / name


def _name(claim: Digest, stage: StageId) -> str:
    return f"{digits_of(claim)}-{stage}.json"


def _name_for(claim: Digest, stage: StageId, receivers: Receivers) -> str:
    to = hashlib.sha256(_bytes(_To(receivers=receivers))).hexdigest()
    return f"{digits_of(claim)}-{stage}-{to}.json"


def _bytes(note: object) -> bytes:
    return canonical_bytes(encode_object(note))


@contextmanager
def _failures() -> Generator[None]:
    try:
        yield
    except OSError as error:
        reason = reason_of(error)
        raise GateJournalFailedError("the journal cannot be written", reason=reason) from error


def _in_lines(sealed: bytes) -> tuple[str, ...]:
    """Return bytes as texts that are no longer than one may be: a share has a stanza for each receiver."""
    text = base64_text(sealed)
    return tuple(text[at : at + TEXT_LENGTH_MAX] for at in range(0, len(text), TEXT_LENGTH_MAX))


def _kept(one: _Contribution) -> KeptContribution:
    sealed = base64_bytes("".join(one.sealed), where="sealed")
    return KeptContribution(component=one.component, leaf=one.leaf, sealed=sealed)
