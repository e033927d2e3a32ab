"""Narrates the demonstration: types commands, shows them, and checks their outcomes."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from rich.console import Console

from tallystick.client.http import Client
from tallystick.client.route import route
from tallystick.crypto.keyfile import read_key_file
from tallystick.domain.errors import TallystickError

AGREEMENT: Final = "nordwind-halden-demo"
_READER: Final = "bea@halden"
_WAIT_SECONDS: Final = 60
_LOOK_SECONDS: Final = 0.25


class DemonstrationFailedError(TallystickError):
    """An outcome of the demonstration is not what the agreement says."""

    code = "demonstration-failed"
    why = "An outcome of the demonstration differs from what its agreement prescribes."
    advice = "This is a defect. Run it again with `--data FOLDER`, which keeps the logs, and report it."


@dataclass(frozen=True, slots=True, kw_only=True)
class Narrator:
    """Runs the commands of the people in the story, and prints what comes of them.

    Attributes:
        desk: The folder in which the commands run.
        api: The site's URL; empty while there is no site.
    """

    console: Console
    desk: Path
    api: str

    def chapter(self, title: str, why: str) -> None:
        """Begin a part of the story, with a sentence that says what it is about."""
        self.console.print()
        self.console.rule(f"[bold]{title}", align="left")
        self.say(why)

    def say(self, sentence: str) -> None:
        """Print a sentence."""
        self.console.print(f"  [italic]{sentence}[/]")

    def seen(self, what: str, outcome: object) -> None:
        """Print an outcome that is as it should be."""
        self.console.print(f"  [green]✓[/] {what}: {outcome}")

    def types(self, person: str | None, *words: str, tell: int = 0) -> None:
        """Run one `tallystick` command with the key of `person`, and show the first `tell` lines it prints.

        Raises:
            DemonstrationFailedError: The command was refused.
        """
        who = person.partition("@")[0] if person else ""
        shown = " ".join(f'"{word}"' if " " in word else word for word in words)
        self.console.print(f"  [cyan]{who:>4} $[/] tallystick {shown}".replace(str(self.desk), "."))
        ran = subprocess.run(  # noqa: S603 - our own command
            [sys.executable, "-m", "tallystick.cli.main", *words],
            cwd=self.desk,
            env={**os.environ, **self._environment(person), "COLUMNS": "100"},
            capture_output=True,
            text=True,
            check=False,
        )
        if ran.returncode != 0:
            said = (ran.stdout + ran.stderr)[-2000:]
            raise DemonstrationFailedError(f"`tallystick {words[0]}` ended with {ran.returncode}", said=said)
        for line in (ran.stderr + ran.stdout).splitlines()[:tell]:
            self.console.print(f"         {line}", style="dim", markup=False)

    def shows(self, path: str) -> dict[str, Any]:
        """Return what the API shows the claimant at `path`."""
        keys = read_key_file(self.desk / "keys" / f"{_READER}.key")
        with Client(self.api, keys, now=lambda: datetime.now(UTC)) as client:
            return dict(client.get(path))

    def expect(self, outcome: object, wanted: object, what: str) -> None:
        """Compare an outcome with what the agreement says.

        Raises:
            DemonstrationFailedError: They differ.
        """
        if outcome != wanted:
            raise DemonstrationFailedError(f"wrong: {what}", found=str(outcome), wanted=str(wanted))
        self.seen(what, "as expected" if isinstance(outcome, dict) else outcome)

    def until(self, what: str, check: Callable[[], bool], *, seconds: float = _WAIT_SECONDS) -> None:
        """Wait until `check` returns true.

        Raises:
            DemonstrationFailedError: It does not within `seconds`.
        """
        began = time.monotonic()
        while not check():
            if time.monotonic() - began > seconds:
                raise DemonstrationFailedError(f"this did not happen in time: {what}", seconds=int(seconds))
            time.sleep(_LOOK_SECONDS)
        self.seen(what, f"after {time.monotonic() - began:.0f} s")

    def files(self, *, deposit: int, stages: str) -> str:
        """File a claim, accept its form, and return its short id once notice is given."""
        form = (self.desk / "claim.yaml").read_text().replace("deposit: 1", f"deposit: {deposit}")
        form = form.replace("stages: [provisional, critical, source]", f"stages: {stages}")
        (self.desk / "this-claim.yaml").write_text(form)
        before = {claim["claim"] for claim in self.shows(route("claims"))["claims"]}
        self.types(_READER, "claim", "file", "this-claim.yaml", "--yes", tell=9)
        (claim,) = {claim["claim"] for claim in self.shows(route("claims"))["claims"]} - before
        self.types("ana@harbour", "intake", claim, "--yes")
        has_window = lambda: self.shows(route("claims", claim))["window"] is not None  # noqa: E731 - a name for one line
        self.until("the vendor has notice, and the objection window is open", has_window)
        return str(claim)

    def _environment(self, person: str | None) -> dict[str, str]:
        key = {"TALLYSTICK_KEY": f"keys/{person}.key"} if person else {}
        return {**key, **({"TALLYSTICK_API": self.api} if self.api else {})}
