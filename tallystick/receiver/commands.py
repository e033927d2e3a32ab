"""The beneficiary's commands that activate a version and check whether it works.

Their output stays in a private log, because it may quote what was released, while every
party reads a receipt. The log is bounded: what was released may make a command talk without
an end, and a full disk would stop the receiver. What a failed command has started ends with it.
A command gets nothing of the receiver's own: no `TALLYSTICK_` setting, none of its open files,
signals as they are by default, and the umask of the user who started the receiver.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import BinaryIO, Final

from tallystick.domain.errors import TallystickError
from tallystick.domain.ids import Digest, StageId
from tallystick.limits.desk import COMMAND_LOG_BYTES_MAX, COMMAND_LOG_LOOK, COMMAND_TIME_MAX

_OWN_SETTINGS: Final = "TALLYSTICK_"
_DROPPED: Final = b"[tallystick: the log was full, and what it had was dropped]\n"
_ENDING: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class CommandNotStartedError(TallystickError):
    """A command of the receiver's that this machine cannot start."""

    code = "command-not-started"
    why = "A command that cannot be started has activated nothing, and has not failed to do so either."
    advice = (
        "Nothing was reported. Correct the command and start the receiver again; the stage waits until its "
        "provisioning window ends."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Commands:
    """Two commands, each in words, run without a shell; one without words is not run."""

    activate: tuple[str, ...] = ()
    health: tuple[str, ...] = ()
    time_max: timedelta = COMMAND_TIME_MAX

    def fault(self) -> str | None:
        """Return in words why this machine cannot start one of the commands, or None; nothing is run."""
        given = (("activation", self.activate), ("health check", self.health))
        faults = (_fault(what, words[0]) for what, words in given if words)
        return next(filter(None, faults), None)

    @property
    def success(self) -> str:
        """What a receipt says of a stage for which both have succeeded: what was run, and what was not."""
        if self.activate:
            return "activated and healthy" if self.health else "activated; its health was not checked"
        if self.health:
            return "switched to and healthy; no command activated it"
        return "switched to; no command activated it or checked its health"


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandContext:
    """What a command finds in its environment, and where it runs and logs.

    Attributes:
        root: The receiver's folder.
        version: The version that the command is about; it runs there.
        umask: The mask for what the command creates; the receiver's own is stricter.
    """

    root: Path
    version: Path
    stage: StageId
    claim: Digest
    log: Path
    umask: int

    def environment(self) -> Mapping[str, str]:
        """Return the command's environment: this process's, without the receiver's own settings."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(_OWN_SETTINGS)}
        return {
            **inherited,
            "TALLYSTICK_DIR": str(self.root),
            "TALLYSTICK_VERSION": str(self.version),
            "TALLYSTICK_STAGE": self.stage,
            "TALLYSTICK_CLAIM": self.claim,
        }


def fault_of(command: tuple[str, ...], what: str, context: CommandContext, time_max: timedelta) -> str | None:
    """Run `command` to its end; return None if it succeeded, otherwise what went wrong, in words.

    Raises:
        CommandNotStartedError: This machine cannot start it.
    """
    if not command:
        return None
    child: subprocess.Popen[bytes] | None = None
    with _opened_log(context.log) as log:
        try:
            with signals_held_back():
                child = _started(command, what, context, log)
            code = _waited_for(child, time_max, log)
            if code != 0:
                _end(child)  # what it left in the background would work beside the next try
        except BaseException as error:  # also Ctrl-C: it would work beside what the next receiver starts
            if child is not None:
                _end(child)
            if isinstance(error, subprocess.TimeoutExpired):
                return f"{what} did not end within {time_max.total_seconds():.0f} s"
            raise
        finally:
            _keep_bounded(log)
    return None if code == 0 else f"{what} ended with exit code {code}"


def _opened_log(log: Path) -> BinaryIO:
    return os.fdopen(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600), "wb")


def _started(
    command: tuple[str, ...], what: str, context: CommandContext, log: BinaryIO
) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(  # noqa: S603 - the beneficiary's own command, without a shell
            command,
            cwd=context.version,
            env=context.environment(),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            umask=context.umask,
        )
    except OSError as error:
        raise CommandNotStartedError(
            f"cannot start {command[0]!a} for {what}: {error.strerror}",
            command=command[0],
            reason=error.strerror,
        ) from error


def _fault(what: str, word: str) -> str | None:
    """Return why `word` cannot be started; only what has a slash is a path, as in a shell."""
    if "/" not in word:
        return None if shutil.which(word) else f"the {what} {word!a} is not a command of this machine"
    if not Path(word).is_file():
        return f"the {what} {word!a} is not a file"
    return None if os.access(word, os.X_OK) else f"the {what} {word!a} is not executable"


@contextlib.contextmanager
def signals_held_back() -> Generator[None]:
    """Raise what a signal raises at the end of the block: a child that nobody knows yet cannot be ended."""
    if threading.current_thread() is not threading.main_thread():  # where no signal raises anything
        yield
        return
    come: list[int] = []
    caught = [number for number in _ENDING if callable(signal.getsignal(number))]
    usual = {number: signal.signal(number, lambda number, _: come.append(number)) for number in caught}
    try:
        yield
    finally:
        for number, handler in usual.items():
            signal.signal(number, handler)
        for came in come:
            signal.raise_signal(came)


def _waited_for(child: subprocess.Popen[bytes], time_max: timedelta, log: BinaryIO) -> int:
    """Return the exit code; meanwhile keep the log bounded.

    Raises:
        TimeoutExpired: The time is over.
    """
    until = time.monotonic() + time_max.total_seconds()
    while True:
        left = max(until - time.monotonic(), 0)
        try:
            return child.wait(min(left, COMMAND_LOG_LOOK.total_seconds()))
        except subprocess.TimeoutExpired:
            if not left:
                raise
        _keep_bounded(log)


def _keep_bounded(log: BinaryIO) -> None:
    """Drop what a log has if that is too much: whoever writes to it appends, and goes on."""
    if os.fstat(log.fileno()).st_size > COMMAND_LOG_BYTES_MAX:
        os.ftruncate(log.fileno(), 0)
        os.write(log.fileno(), _DROPPED)


def _end(child: subprocess.Popen[bytes]) -> None:
    """End a command and what it has started: it leads a session of its own."""
    with contextlib.suppress(ProcessLookupError):  # it has ended, and has left nothing
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()
