"""The beneficiary's commands that activate a version and check whether it works.

Their output stays in a private log, because it may quote what was released, while every
party reads a receipt.
"""

import os
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from tallystick.domain.ids import Digest, StageId
from tallystick.limits import COMMAND_TIME_MAX

_SECRET: Final = frozenset({"TALLYSTICK_KEY", "TALLYSTICK_API"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Commands:
    """Two commands, each in words, run without a shell; one without words is not run."""

    activate: tuple[str, ...] = ()
    health: tuple[str, ...] = ()
    time_max: timedelta = COMMAND_TIME_MAX


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandContext:
    """What a command finds in its environment, and where it runs and logs.

    Attributes:
        root: The receiver's folder.
        version: The version that the command is about; it runs there.
    """

    root: Path
    version: Path
    stage: StageId
    claim: Digest
    log: Path

    def environment(self) -> Mapping[str, str]:
        """Return the command's environment: this process's, without the key file and the server."""
        inherited = {name: value for name, value in os.environ.items() if name not in _SECRET}
        return {
            **inherited,
            "TALLYSTICK_DIR": str(self.root),
            "TALLYSTICK_VERSION": str(self.version),
            "TALLYSTICK_STAGE": self.stage,
            "TALLYSTICK_CLAIM": self.claim,
        }


def fault_of(command: tuple[str, ...], what: str, context: CommandContext, time_max: timedelta) -> str | None:
    """Run `command` to its end; return None if it succeeded, otherwise what went wrong, in words."""
    if not command:
        return None
    descriptor = os.open(context.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "wb") as log:
        try:
            child = subprocess.Popen(  # noqa: S603 - the beneficiary's own command, without a shell
                command,
                cwd=context.version,
                env=context.environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as error:
            return f"{what} could not be started: {error.strerror}"
        return _outcome(child, what, time_max)


def _outcome(child: subprocess.Popen[bytes], what: str, time_max: timedelta) -> str | None:
    try:
        code = child.wait(time_max.total_seconds())
    except subprocess.TimeoutExpired:
        os.killpg(
            child.pid, signal.SIGKILL
        )  # it leads a session of its own, so everything that it started ends with it
        child.wait()
        return f"{what} did not end within {time_max.total_seconds():.0f} s"
    return None if code == 0 else f"{what} ended with exit code {code}"
