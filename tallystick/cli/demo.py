"""`tallystick demo`: three claims on a real site, told as they happen.

Everything is done with the commands that a person would type, and each is shown.
The exit code is 0 only if every outcome is what the agreement says.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console

from tallystick.domain.errors import TallystickError
from tallystick.site import prepare, settings_of
from tallystick.stack import free_port, running

PEOPLE: Final = (
    *("dora@nordwind", "dirk@nordwind", "bea@halden", "ben@halden"),
    *("ana@harbour", "abe@harbour", "kim@kestrel", "tom@marlowe"),
)
_AGREEMENT: Final = "nordwind-halden-demo"
_WAIT_SECONDS_MAX: Final = 90
_LOOK_SECONDS: Final = 0.5


class DemonstrationFailedError(TallystickError):
    """The demonstration did not come out as the agreement says."""

    code = "demonstration-failed"
    why = "An outcome of the demonstration differs from what its agreement prescribes."
    advice = "Keep the data folder and its logs, and report it: this is a defect."


class DemonstrationFilesMissingError(TallystickError):
    """The files of the demonstration are not there."""

    code = "demonstration-files-missing"
    why = "The demonstration's agreement and deposit stand in `deploy/demo` of a source checkout."
    advice = "Run it in a checkout, or name the folder with `--files`."


def demo(
    data: Annotated[Path | None, typer.Option(help="Keep the data in this folder.")] = None,
    files: Annotated[Path, typer.Option(help="The demonstration's files.")] = Path("deploy/demo"),
) -> None:
    """Show one claim released, one rolled back and one stopped, on real processes."""
    if not (files / "agreement.yaml").exists():
        raise DemonstrationFilesMissingError("no agreement.yaml", files=str(files))
    if data is not None:
        _run(data, files)
        return
    with tempfile.TemporaryDirectory(prefix="tallystick-demo-") as folder:
        _run(Path(folder), files)


def _run(data: Path, files: Path) -> None:
    console = Console(highlight=False)
    began = time.monotonic()
    people = _enrol(data / "people", console)
    site = prepare(data / "site", deployment="harbour", root_files=[people / "keys" / "ana@harbour.pub"])
    settings = settings_of(site, api_port=free_port(), temporal_port=free_port())
    console.rule("[bold]The site starts: four real processes")
    with running(site, settings, lambda name: console.print(f"  ready  {name}")) as stack:
        shutil.copytree(files, people, dirs_exist_ok=True)
        shutil.copy(site.public_file, people / "deployment.json")
        story = Story(console=console, desk=people, api=stack.api_url)
        story.agreement_and_deposit()
        first = story.released()
        story.rolled_back(first)
        story.stopped_by_objection()
    console.rule(
        f"[bold green]Every outcome is what the agreement says[/] ({time.monotonic() - began:.0f} s)"
    )


def _enrol(desk: Path, console: Console) -> Path:
    console.rule("[bold]Eight people of five parties make their keys")
    keys = desk / "keys"
    keys.mkdir(parents=True)
    story = Story(console=console, desk=desk, api="")
    for person in PEOPLE:
        story.run(person, "key", "new", person, "--out", "keys", with_key=False)
    return desk


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """Runs the commands of the story's people, and tells what comes of them."""

    console: Console
    desk: Path
    api: str

    def agreement_and_deposit(self) -> None:
        """Sign the agreement by five parties, register it, and deposit four components."""
        self.chapter("Five parties sign one agreement")
        self.run("ana@harbour", "agreement", "check", "agreement.yaml", with_key=False)
        document = "agreement.yaml"
        for person in ("dora@nordwind", "bea@halden", "kim@kestrel", "tom@marlowe", "ana@harbour"):
            self.run(person, "agreement", "sign", document, "--out", "agreement.signed.json", "--yes")
            document = "agreement.signed.json"
        self.run("ana@harbour", "agreement", "register", document)
        self.deposit("The vendor deposits four components, sealed before they leave the building")

    def deposit(self, title: str) -> None:
        """Deposit every component, and wait until both stores were found to hold every byte."""
        self.chapter(title)
        self.until("every component has a live custody epoch", self._custody_is_live)
        made = self.run("dora@nordwind", "deposit", "make", "deposit", "--agreement", _AGREEMENT)
        self.expect(made["verdict"]["state"], "verified", "the deposit's verdict")

    def released(self) -> str:
        """Carry a claim from filing to released, and verify its evidence offline."""
        claim = self._file("A claim: the vendor is insolvent, and support has ceased", deposit=1)
        self.chapter("Provisional access: the documentation, while the vendor may still object")
        self._approve(claim, ("ana@harbour", "kim@kestrel"), "provisional")
        self._receive(claim, "health.sh", until=lambda view: _stage(view, "provisional") == "ACTIVATED")
        self.chapter("The objection window runs out: nobody objected")
        self.until("the window is over", lambda: self._view(claim)["state"] == "APPROVAL")
        self.chapter("Three of four sign, over the API; each signature names this claim alone")
        self._approve(claim, ("ana@harbour", "kim@kestrel", "tom@marlowe"), "critical", "source")
        self.run("bea@halden", "claim", "explain", claim)
        self.chapter(
            "The gate re-reads every byte, decides, and adds its share; the bank opens and activates"
        )
        self._receive(claim, "health.sh", until=lambda view: view["state"] == "RELEASED")
        self.chapter("Evidence that needs no server")
        self.run("bea@halden", "evidence", "export", claim, "--out", "evidence.json")
        self.run("bea@halden", "evidence", "verify", "evidence.json", with_key=False)
        return claim

    def rolled_back(self, first: str) -> None:
        """Carry a second claim to an activation that fails, and back to the version before."""
        before = self._active()
        self.deposit("A new version is deposited: the old keys are spent, so new ones are dealt")
        claim = self._file("A second claim, on the new version", deposit=2, stages="[critical, source]")
        self._approve(claim, ("ana@harbour", "kim@kestrel", "tom@marlowe"), "critical", "source")
        self.until("the window is over", lambda: self._view(claim)["state"] != "WINDOW")
        self._receive(claim, "health.sh", until=lambda view: _stage(view, "critical") == "ACTIVATED")
        self.chapter("The last stage fails its health check: both are undone, the last one first")
        self._receive(claim, "health-fails.sh", until=lambda view: view["state"] == "ROLLED_BACK")
        self.expect(self._active() == before, True, f"active is again what {first} released")

    def stopped_by_objection(self) -> None:
        """File a third claim, which the vendor's objection and the arbitrator's ruling stop."""
        claim = self._file("A third claim", deposit=2, stages="[critical]")
        self.chapter("The vendor objects; nothing moves until the arbitrator rules")
        self.run(
            "dora@nordwind",
            *(
                "object",
                claim,
                "--ground",
                "not-insolvent",
                "--explanation",
                "The petition was dismissed.",
                "--yes",
            ),
        )
        self.expect(self._view(claim)["state"], "CONTESTED", "the claim after the objection")
        (self.desk / "award.txt").write_text("Award: the condition has not come true.\n")
        self.run(
            "kim@kestrel",
            *("rule", claim, "--authority", "arbitration", "--outcome", "refuse"),
            *("--document", "award=award.txt", "--reason", "The petition was dismissed.", "--yes"),
        )
        self.expect(self._view(claim)["state"], "REFUSED", "the claim after the ruling")

    def chapter(self, title: str) -> None:
        """Begin a part of the story."""
        self.console.rule(f"[bold]{title}")

    def run(self, person: str, *words: str, with_key: bool = True) -> Any:  # noqa: ANN401 - whatever JSON the command prints
        """Run one `tallystick` command as `person`, show it, and return the JSON that it printed.

        Raises:
            DemonstrationFailedError: The command was refused.
        """
        key = ("--key", f"keys/{person}.key") if with_key else ()
        self.console.print(f"[dim]{person.split('@', maxsplit=1)[0]:>5}[/] $ tallystick {' '.join(words)}")
        ran = subprocess.run(  # noqa: S603 - our own command
            [sys.executable, "-m", "tallystick.cli.main", *words, *key, "--json"],
            cwd=self.desk,
            env={**os.environ, "TALLYSTICK_API": self.api},
            capture_output=True,
            text=True,
            check=False,
        )
        if ran.returncode != 0:
            raise DemonstrationFailedError(
                f"`tallystick {' '.join(words)}` was refused", said=ran.stderr[-2000:]
            )
        return json.loads(ran.stdout) if ran.stdout.strip() else {}

    def expect(self, found: object, wanted: object, what: str) -> None:
        """Compare an outcome with what the agreement says.

        Raises:
            DemonstrationFailedError: They differ.
        """
        if found != wanted:
            raise DemonstrationFailedError(
                f"{what} is not what it must be", found=str(found), wanted=str(wanted)
            )
        self.console.print(f"      [green]✓[/] {what}: {found}")

    def until(self, what: str, check: Callable[[], bool]) -> None:
        """Wait until `check` holds.

        Raises:
            DemonstrationFailedError: It does not in time.
        """
        give_up = time.monotonic() + _WAIT_SECONDS_MAX
        while not check():
            if time.monotonic() > give_up:
                raise DemonstrationFailedError(f"waited in vain: {what}")
            time.sleep(_LOOK_SECONDS)
        self.console.print(f"      [green]✓[/] {what}")

    def _file(self, title: str, *, deposit: int, stages: str = "[provisional, critical, source]") -> str:
        self.chapter(title)
        text = (self.desk / "claim.yaml").read_text()
        text = text.replace("deposit: 1", f"deposit: {deposit}")
        text = text.replace("stages: [provisional, critical, source]", f"stages: {stages}")
        (self.desk / "this-claim.yaml").write_text(text)
        claim: str = self.run("bea@halden", "claim", "file", "this-claim.yaml")["claim"]
        self.run("ana@harbour", "intake", claim, "--yes")
        self.until("the vendor has notice", lambda: self._view(claim)["window"] is not None)
        return claim

    def _approve(self, claim: str, persons: Sequence[str], *stages: str) -> None:
        words = [word for stage in stages for word in ("--stage", stage)]
        for person in persons:
            self.run(person, "approve", claim, *words, "--yes")

    def _receive(self, claim: str, health: str, *, until: Callable[[Mapping[str, Any]], bool]) -> None:
        scripts = self.desk / "receiver"
        give_up = time.monotonic() + _WAIT_SECONDS_MAX
        while not until(self._view(claim)):
            if time.monotonic() > give_up:
                raise DemonstrationFailedError("the receiver waited in vain", claim=claim)
            self.run(
                "bea@halden",
                *("receive", claim, "--into", "bank", "--once"),
                *("--activate", f"sh {scripts}/activate.sh", "--health", f"sh {scripts}/{health}"),
            )
            time.sleep(_LOOK_SECONDS)
        view = self._view(claim)
        for stage in view["stages"]:
            self.console.print(f"      [green]✓[/] stage {stage['stage']}: {stage['state']}")

    def _view(self, claim: str) -> Mapping[str, Any]:
        return self._show("claim", "show", claim)

    def _show(self, *words: str) -> Mapping[str, Any]:
        """Read something without telling it."""
        ran = subprocess.run(  # noqa: S603 - our own command
            [sys.executable, "-m", "tallystick.cli.main", *words, "--json"],
            cwd=self.desk,
            env={**os.environ, "TALLYSTICK_API": self.api, "TALLYSTICK_KEY": "keys/bea@halden.key"},
            capture_output=True,
            text=True,
            check=True,
        )
        view: Mapping[str, Any] = json.loads(ran.stdout)
        return view

    def _custody_is_live(self) -> bool:
        shown = self._show("agreement", "show", _AGREEMENT)
        return len(shown["custody"]) == len(list((self.desk / "deposit").iterdir()))

    def _active(self) -> Mapping[str, str]:
        """Return, for each `current` link of the receiver, the version that it points to."""
        links = sorted((self.desk / "bank").rglob("current"))
        return {str(link.relative_to(self.desk)): str(link.readlink()) for link in links if link.is_symlink()}


def _stage(view: Mapping[str, Any], name: str) -> str:
    return next(stage["state"] for stage in view["stages"] if stage["stage"] == name)
