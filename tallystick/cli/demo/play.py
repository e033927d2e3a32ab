"""`tallystick demo`: three claims on a real site, narrated as they happen.

It runs the commands that a person would type, and shows each of them.
The exit code is 0 only if every outcome is what the agreement says.
"""

import shutil
import tempfile
import time
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console

from tallystick.cli.demo.narrator import AGREEMENT, Narrator
from tallystick.client.route import route
from tallystick.domain.errors import TallystickError
from tallystick.site import prepare, settings_of
from tallystick.stack.processes import free_port
from tallystick.stack.stack import running

PEOPLE: Final = (
    *("dora@nordwind", "dirk@nordwind", "bea@halden", "ben@halden"),
    *("ana@harbour", "abe@harbour", "kim@kestrel", "tom@marlowe"),
)
_SIGNERS: Final = ("dora@nordwind", "bea@halden", "kim@kestrel", "tom@marlowe", "ana@harbour")
_UNDONE: Final = {"critical": "ROLLED_BACK", "source": "ROLLED_BACK"}
_APPROVERS: Final = ("ana@harbour", "kim@kestrel", "tom@marlowe")


class DemonstrationFolderError(TallystickError):
    """The folder for the demonstration's data is in use."""

    code = "demonstration-folder"
    why = "A demonstration starts from nothing, and this folder has the data of an earlier one."
    advice = "Name another folder with `--data`, or move this one away."


class DemonstrationFilesMissingError(TallystickError):
    """The files of the demonstration are missing."""

    code = "demonstration-files-missing"
    why = "The demonstration's agreement and deposit are in `deploy/demo` of a source checkout."
    advice = "Run it in a checkout, or name the folder with `--files`."


def demo(
    data: Annotated[
        Path | None, typer.Option(help="Keep the data in this folder, which must be new.")
    ] = None,
    files: Annotated[Path, typer.Option(help="The folder of the demonstration's files.")] = Path(
        "deploy/demo"
    ),
) -> None:
    """Show one claim released, one rolled back and one stopped, on real processes."""
    if not (files / "agreement.yaml").exists():
        raise DemonstrationFilesMissingError(f"{files} has no agreement.yaml", files=str(files))
    if data is not None:
        _play(data, files)
        return
    with tempfile.TemporaryDirectory(prefix="tallystick-demo-") as folder:
        _play(Path(folder), files)


def _play(data: Path, files: Path) -> None:
    console = Console(highlight=False, soft_wrap=True)
    began = time.monotonic()
    desk = data.absolute() / "people"
    if desk.exists():
        raise DemonstrationFolderError(f"{data} is not empty", data=str(data))
    shutil.copytree(files, desk)
    narrator = Narrator(console=console, desk=desk, api="")
    narrator.chapter("The people", "A vendor (nordwind), a bank that depends on it (halden), an escrow agent")
    narrator.say("(harbour), an arbitrator (kestrel), a trust company (marlowe). Each person makes keys.")
    for person in PEOPLE:
        narrator.types(None, "key", "new", person, "--out", "keys")
    site = prepare(data / "site", deployment="harbour", root_files=[desk / "keys" / "ana@harbour.pub"])
    settings = settings_of(site, api_port=free_port(), temporal_port=free_port())
    shutil.copy(site.public_file, desk / "deployment.json")
    narrator.chapter(
        "The site", "Four real processes start; only the gate has a key that can help to open anything."
    )
    with running(site, settings, lambda name: narrator.seen(name, "ready")) as stack:
        narrator = Narrator(console=console, desk=desk, api=stack.api_url)
        _agreement(narrator)
        first = _released(narrator)
        _rolled_back(narrator, first)
        _stopped(narrator)
    console.rule(f"[bold green]Every outcome is what the agreement says ({time.monotonic() - began:.0f} s)")


def _agreement(narrator: Narrator) -> None:
    narrator.chapter("The agreement", "Every rule is data in one file, and each party signs the same bytes.")
    narrator.types(None, "agreement", "check", "agreement.yaml", tell=2)
    document = "agreement.yaml"
    for person in _SIGNERS:
        narrator.types(person, "agreement", "sign", document, "--out", "agreement.signed.json", "--yes")
        document = "agreement.signed.json"
    narrator.types("ana@harbour", "agreement", "register", document)
    _deposit(
        narrator,
        "The deposit",
        "The vendor seals four components before they leave its own machine.",
    )


def _deposit(narrator: Narrator, title: str, why: str) -> None:
    narrator.chapter(title, why)
    narrator.until("the gate has dealt a key for every component", lambda: _custody_is_live(narrator))
    narrator.types("dora@nordwind", "deposit", "make", "deposit", "--agreement", AGREEMENT, "--yes")
    newest = narrator.shows(route("agreements", AGREEMENT, "deposits"))["deposits"][-1]
    narrator.expect(newest["verdict"]["state"], "verified", "every sealed byte, in both stores")


def _released(narrator: Narrator) -> str:
    narrator.chapter(
        "The claim", "The vendor is insolvent, support has ceased. The bank claims, with evidence;"
    )
    narrator.say("the escrow agent checks the form, not the truth; the vendor gets notice and may object.")
    claim = narrator.files(deposit=1, stages="[provisional, critical, source]")
    _opened_in_the_window(narrator, claim)
    _approved_after_the_window(narrator, claim)
    _given_out(narrator, claim)
    narrator.chapter("The evidence", "One file, which a court can verify without this server and without us.")
    narrator.types("bea@halden", "evidence", "export", claim, "--out", "evidence.json")
    agreed = narrator.shows(route("agreements", AGREEMENT))["digest"]
    narrator.types(None, "evidence", "verify", "evidence.json", "--trust", agreed, tell=40)
    return claim


def _opened_in_the_window(narrator: Narrator, claim: str) -> None:
    narrator.chapter(
        "Provisional access", "Two signatures open the documentation while the window is still running."
    )
    _approve(narrator, claim, ("ana@harbour", "kim@kestrel"), "provisional")
    _receive(narrator, claim, "health.sh", "provisional")


def _approved_after_the_window(narrator: Narrator, claim: str) -> None:
    narrator.chapter("The window", "Nobody objects. Only time, counted from proof of notice, ends it.")
    narrator.until("the objection window is over", lambda: _state(narrator, claim) == "APPROVAL", seconds=90)
    narrator.chapter(
        "The quorum",
        "Three of five must sign. A signature counts for this claim only.",
    )
    _approve(narrator, claim, _APPROVERS[:2], "critical", "source")
    narrator.types("bea@halden", "claim", "explain", claim, tell=30)
    _approve(narrator, claim, _APPROVERS[2:], "critical", "source")


def _given_out(narrator: Narrator, claim: str) -> None:
    narrator.chapter(
        "The release",
        "The gate reads every sealed byte again, decides, and adds its share. The bank fetches,",
    )
    narrator.say("compares with what the vendor signed, opens, activates, and signs a receipt.")
    _receive(narrator, claim, "health.sh", "critical", "source")
    narrator.until("the claim is released", lambda: _state(narrator, claim) == "RELEASED")


def _rolled_back(narrator: Narrator, first: str) -> None:
    before = _active(narrator)
    _deposit(
        narrator,
        "A new version",
        "A release uses up its keys, so the next deposit is sealed to new ones.",
    )
    narrator.chapter("A second claim", "The first stage works; the last one fails the health check.")
    claim = narrator.files(deposit=2, stages="[critical, source]")
    _approve(narrator, claim, _APPROVERS, "critical", "source")
    narrator.until("the objection window is over", lambda: _state(narrator, claim) != "WINDOW", seconds=90)
    _receive(narrator, claim, "health.sh", "critical")
    narrator.say(
        "The health check fails, and the bank gives up: the receiver puts the old source back, then the rest."
    )
    _receive(narrator, claim, "health-fails.sh", "source", outcome="ROLLED_BACK", words=("--give-up",))
    narrator.until("the claim is rolled back", lambda: _state(narrator, claim) == "ROLLED_BACK")
    narrator.expect(_stages(narrator, claim), _UNDONE, "both stages went back, the last one first")
    narrator.expect(_active(narrator), before, f"what is active at the bank is what {first} left there")


def _stopped(narrator: Narrator) -> None:
    narrator.chapter("A third claim", "The vendor objects. Nothing moves until the arbitrator has ruled.")
    claim = narrator.files(deposit=2, stages="[critical]")
    explanation = ("--ground", "not-insolvent", "--explanation", "The petition was dismissed.")
    narrator.types("dora@nordwind", "object", claim, *explanation, "--yes")
    narrator.expect(_state(narrator, claim), "CONTESTED", "the claim after the objection")
    (narrator.desk / "award.txt").write_text("Award: the release condition has not come true.\n")
    ruling = ("--authority", "arbitration", "--outcome", "refuse", "--document", "award=award.txt")
    narrator.types("kim@kestrel", "rule", claim, *ruling, "--reason", "The petition was dismissed.", "--yes")
    narrator.expect(_state(narrator, claim), "REFUSED", "the claim after the ruling")
    narrator.expect(
        _stages(narrator, claim), {"critical": "WAITING"}, "the stage that was claimed was never opened"
    )


def _approve(narrator: Narrator, claim: str, persons: tuple[str, ...], *stages: str) -> None:
    words = [word for name in stages for word in ("--stage", name)]
    for person in persons:
        # The first signer's run shows what a signer reads before signing.
        narrator.types(person, "approve", claim, *words, "--yes", tell=30 if person == _APPROVERS[0] else 0)


def _receive(
    narrator: Narrator,
    claim: str,
    health: str,
    *stages: str,
    outcome: str = "ACTIVATED",
    words: Sequence[str] = (),
) -> None:
    scripts = narrator.desk / "receiver"
    commands = ("--activate", f"sh {scripts}/activate.sh", "--health", f"sh {scripts}/{health}", *words)
    for name in stages:
        narrator.until(f"stage {name} is decided", partial(_is_decided, narrator, claim, name))
        while _stages(narrator, claim)[name] not in {outcome, "WAITING", "QUORATE"}:
            narrator.types("bea@halden", "receive", claim, "--into", "bank", "--once", *commands)
        narrator.expect(_stages(narrator, claim)[name], outcome, f"stage {name}")


def _is_decided(narrator: Narrator, claim: str, stage: str) -> bool:
    return _stages(narrator, claim)[stage] not in {"WAITING", "QUORATE"}


def _state(narrator: Narrator, claim: str) -> str:
    return str(narrator.shows(route("claims", claim))["state"])


def _stages(narrator: Narrator, claim: str) -> Mapping[str, str]:
    view: Mapping[str, Any] = narrator.shows(route("claims", claim))
    return {progress["stage"]: progress["state"] for progress in view["stages"]}


def _custody_is_live(narrator: Narrator) -> bool:
    wanted = {folder.name for folder in (narrator.desk / "deposit").iterdir()}
    return {
        epoch["component"] for epoch in narrator.shows(route("agreements", AGREEMENT))["custody"]
    } == wanted


def _active(narrator: Narrator) -> Mapping[str, str]:
    """Return, for each link of the receiver, the version that it points to."""
    links = [path for path in sorted((narrator.desk / "bank").rglob("*")) if path.is_symlink()]
    return {str(link.relative_to(narrator.desk)): str(link.readlink()) for link in links}
