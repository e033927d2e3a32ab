"""`tallystick receive`: the beneficiary's receiver, over the API."""

import shlex
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

import typer

from tallystick.cli.opened import opened
from tallystick.cli.options import Api, ClaimName, Json, Key, Trusted
from tallystick.cli.output import print_json, print_line, print_problem, say
from tallystick.client.answers import as_object
from tallystick.client.blobs import get_blob, get_small_blob
from tallystick.client.http import Client
from tallystick.crypto.envelope import Envelope
from tallystick.desk.clock import now
from tallystick.desk.desk import Desk
from tallystick.domain.claim.state import CLOSED
from tallystick.domain.errors import TallystickError
from tallystick.domain.ids import Digest
from tallystick.domain.json import JsonObject
from tallystick.domain.quoting import quoted
from tallystick.limits import COMMAND_WORDS_MAX
from tallystick.receiver.commands import Commands
from tallystick.receiver.receiver import Pass, Setting
from tallystick.receiver.receiver import receive as receive_once

app = typer.Typer(add_completion=False)

_LOOK_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteEscrow:
    """The server, as far as a receiver needs it."""

    client: Client

    def delivery(self, claim: str) -> JsonObject:
        """Return the delivery document, with the envelope of every statement that it rests on."""
        return self.client.get(f"/v1/claims/{claim}/delivery")

    def fetch(self, wanted: Digest, into: Path, *, size_bytes: int) -> None:
        """Fetch a blob, resuming where an earlier fetch stopped."""
        get_blob(self.client, wanted, into, size_bytes=size_bytes)

    def fetch_small(self, wanted: Digest) -> bytes:
        """Return a small blob."""
        return get_small_blob(self.client, wanted)

    def report(self, claim: Digest, receipt: Envelope) -> None:
        """Send a receipt."""
        self.client.post_statement(f"/v1/claims/{claim}/receipts", receipt)


@app.command()
def receive(
    context: typer.Context,
    claim: ClaimName,
    api: Api,
    key: Key,
    *,
    into: Annotated[Path, typer.Option(help="The folder for released versions; created with mode 0700.")],
    activate: Annotated[
        str | None, typer.Option(help="The command that activates a version, run in its folder.")
    ] = None,
    health: Annotated[
        str | None,
        typer.Option(
            help="The command that checks an active version; it is rolled back unless this exits 0."
        ),
    ] = None,
    once: Annotated[bool, typer.Option("--once", help="Do what is waiting now, then exit.")] = False,
    trust: Trusted = None,
    as_json: Json = False,
) -> None:
    """Fetch, verify, open and activate what was released, stage by stage; roll back a stage that fails."""
    commands = Commands(activate=_words(activate, "--activate"), health=_words(health, "--health"))
    with opened(context, api, key) as desk:
        setting, said = _setting(desk, into, commands, trust), ""
        while True:
            done = _look(setting, claim, once=once)
            if done is not None and (done.reported or done.state != said):  # news, not every look
                _tell(done, as_json=as_json)
                said = done.state
            if once or (done is not None and done.state in CLOSED):
                return
            time.sleep(_LOOK_SECONDS)


def _look(setting: Setting, claim: str, *, once: bool) -> Pass | None:
    """Look once; print a refusal and let the next look try again, unless this is the only one."""
    try:
        return receive_once(setting, claim)
    except TallystickError as error:
        if once:
            raise
        print_problem(error)
        return None


def _setting(desk: Desk, into: Path, commands: Commands, trusted: str | None) -> Setting:
    return Setting(
        escrow=RemoteEscrow(client=desk.client),
        keys=desk.keys,
        into=into,
        commands=commands,
        trust=lambda agreement, digest: desk.trust(agreement, digest, trusted),
        now=now,
    )


def _words(command: str | None, option: str) -> tuple[str, ...]:
    """Return the words of a command; the path of an existing file becomes absolute: it runs elsewhere."""
    try:
        words = shlex.split(command or "")
    except ValueError as error:
        raise typer.BadParameter(f"{option}: {error}") from error
    if len(words) > COMMAND_WORDS_MAX:
        raise typer.BadParameter(f"{option}: too many words")
    return tuple(
        str(Path(word).absolute()) if "/" in word and Path(word).exists() else word for word in words
    )


def _tell(done: Pass, *, as_json: bool) -> None:
    reported = [{"stage": r.stage, "outcome": r.outcome.value, "detail": r.detail} for r in done.reported]
    if as_json:
        print_json(as_object({"claim": done.claim, "state": done.state, "reported": reported}, ""))
        return
    for report in done.reported:
        print_line(f"{report.stage}: {report.outcome.value.replace('_', ' ')} ({quoted(report.detail)})")
    if not done.reported:
        over, waiting = "nothing left to do", "nothing to do yet; see `tallystick claim explain`"
        say(f"claim {done.state}: {over if done.state in CLOSED else waiting}")
