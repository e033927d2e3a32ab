"""`tallystick receive`: the beneficiary's receiver, over the API."""

import contextlib
import shlex
import signal
import threading
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

import typer

from tallystick.cli.opened import opened
from tallystick.cli.options import Api, ClaimName, Json, Key, Trusted
from tallystick.cli.output import print_json, print_line, print_problem, print_result, say
from tallystick.client.blobs import get_blob, get_small_blob
from tallystick.client.http import Client
from tallystick.client.problems import passes
from tallystick.client.records import record_shown
from tallystick.client.route import route
from tallystick.crypto.envelope import Envelope
from tallystick.desk.clock import now
from tallystick.desk.desk import Desk
from tallystick.domain.claim.state import CLOSED
from tallystick.domain.codec import instant_text
from tallystick.domain.errors import TallystickError
from tallystick.domain.ids import Digest
from tallystick.domain.json import JsonObject
from tallystick.domain.pauses import backoff
from tallystick.domain.quoting import quoted
from tallystick.limits.desk import COMMAND_WORDS_MAX, LOOK_PAUSE_MAX, LOOK_PAUSE_MIN
from tallystick.receiver.commands import Commands
from tallystick.receiver.readiness import readiness
from tallystick.receiver.receiver import receive as receive_once
from tallystick.receiver.setting import Pass, Setting

app = typer.Typer(add_completion=False)


class StageNotActivatedError(TallystickError):
    """A released stage whose commands have failed so far."""

    code = "stage-not-activated"
    why = "The stage was opened, and a command failed; the version before it is active again."
    advice = (
        "Nothing was reported. Mend what the command needs and repeat this before the facts' `until`, or "
        "report the stage as failed with `--give-up`."
    )
    retryable = True


_SLIPS: Final = frozenset(
    {"no-such-claim", "malformed-name", "not-a-receiver", "agreement-not-trusted", "not-in-agreement"}
)
"""What is wrong with the command itself, and no outage, if it is refused at the first look."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteEscrow:
    """The server, as far as a receiver needs it."""

    client: Client

    def delivery(self, claim: str) -> JsonObject:
        """Return the delivery document."""
        return self.client.get(route("claims", claim, "delivery"))

    def record(self, claim: str) -> Iterable[JsonObject]:
        """Yield the entries of the claim's record, a page at a time."""
        return record_shown(self.client, claim)

    def fetch(self, wanted: Digest, into: Path, *, size_bytes: int) -> None:
        """Fetch a blob, resuming where an earlier fetch stopped."""
        get_blob(self.client, wanted, into, size_bytes=size_bytes)

    def fetch_small(self, wanted: Digest) -> bytes:
        """Return a small blob."""
        return get_small_blob(self.client, wanted)

    def report(self, claim: Digest, receipt: Envelope) -> None:
        """Send a receipt."""
        self.client.post_statement(route("claims", claim, "receipts"), receipt)


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
    check: Annotated[
        bool,
        typer.Option("--check", help="Say whether a release could be received here today, then exit."),
    ] = False,
    give_up: Annotated[
        bool,
        typer.Option("--give-up", help="Report a stage whose commands fail as failed; do not try again."),
    ] = False,
    trust: Trusted = None,
    as_json: Json = False,
) -> None:
    """Fetch, verify, open and activate what was released, stage by stage; roll back what must go back.

    The commands are looked for before anything else. If one fails, the version before it is active again and
    the stage is tried again, until its provisioning window is about to end.
    """
    commands = _commands(activate, health)
    with opened(context, api, key) as desk:
        setting = _setting(desk, into, commands, trust, at_once=once, give_up=give_up)
        if check:
            _check(setting, claim, as_json=as_json)
            return
        if not commands.health:
            say("no --health: what becomes active is not checked")
        with _ended_as_by_ctrl_c():
            watch = _Watch(setting=setting, claim=claim, as_json=as_json, pause=desk.client.pause)
            watch.look_once() if once else watch.follow()


@contextlib.contextmanager
def _ended_as_by_ctrl_c() -> Generator[None]:
    """Have a service manager, or a terminal that is lost, end the receiver and the command that it runs."""
    numbers = (signal.SIGTERM, signal.SIGHUP) if threading.current_thread() is threading.main_thread() else ()
    usual = [number for number in numbers if signal.getsignal(number) is signal.SIG_DFL]  # nohup stays nohup
    for number in usual:
        signal.signal(number, signal.default_int_handler)
    try:
        yield
    finally:
        for number in usual:
            signal.signal(number, signal.SIG_DFL)


@dataclass(slots=True, kw_only=True)
class _Watch:
    """A receiver at its claim, with what it has found and said so far.

    Attributes:
        pause: Waits for some seconds, between two looks.
        said: What was printed last; the same is not printed again.
        found: Whether a look has succeeded: from then on, whatever is refused may pass.
        refusals: How many looks in succession were refused, and not for want of an answer.
    """

    setting: Setting
    claim: str
    as_json: bool
    pause: Callable[[float], None]
    said: str = ""
    found: bool = False
    refusals: int = 0

    def follow(self) -> None:
        """Look until the claim is over, whatever fails meanwhile; say what is news."""
        while not self._look():
            pause = backoff(max(self.refusals, 1), LOOK_PAUSE_MIN, LOOK_PAUSE_MAX)
            self.pause(pause.total_seconds())

    def look_once(self) -> None:
        """Do what is waiting now; refuse if a stage is not active afterwards."""
        done = receive_once(self.setting, self.claim)
        self._say(done)
        _refuse_what_failed(done)

    def _look(self) -> bool:
        """Look once, and return whether the claim is over; a refusal is printed if it is news."""
        try:
            done = receive_once(self.setting, self.claim)
        except TallystickError as error:
            if not self.found and error.code in _SLIPS:
                raise
            self.refusals = 0 if passes(error) else self.refusals + 1
            if str(error) != self.said:
                print_problem(error, as_json=self.as_json)
            self.said = str(error)
            return False
        self.found, self.refusals = True, 0
        self._say(done)
        return done.state in CLOSED and not done.held

    def _say(self, done: Pass) -> None:
        if done.reported or _news(done) != self.said:
            _tell(done, as_json=self.as_json)
        self.said = _news(done)


def _news(done: Pass) -> str:
    return "; ".join([done.state, *(f"{one.stage} {one.fault}" for one in done.trying), *done.held])


def _refuse_what_failed(done: Pass) -> None:
    for one in done.trying:
        raise StageNotActivatedError(
            f"stage {one.stage} is not active: {one.fault}",
            stage=one.stage,
            reason=one.fault,
            until=instant_text(one.until),
        )


def _check(setting: Setting, claim: str, *, as_json: bool) -> None:
    """Print what a release would find here; exit 1 unless it would succeed as far as can be known."""
    findings = list(readiness(setting, claim))
    checks: list[JsonObject] = [
        {"what": one.what, "holds": one.holds, "found": one.found} for one in findings
    ]
    lines = (f"{'ok ' if one.holds else 'NOT'}  {one.what}: {one.found}" for one in findings)
    print_result({"checks": checks}, lines, as_json=as_json)
    if not all(one.holds for one in findings):
        raise typer.Exit(1)


def _setting(
    desk: Desk, into: Path, commands: Commands, trusted: str | None, *, at_once: bool, give_up: bool
) -> Setting:
    return Setting(
        escrow=RemoteEscrow(client=desk.client),
        keys=desk.keys,
        into=into,
        commands=commands,
        trust=lambda agreement, digest: desk.trust(agreement, digest, trusted),
        now=now,
        at_once=at_once,
        give_up=give_up,
        seen=desk.ledger_seen,
    )


def _commands(activate: str | None, health: str | None) -> Commands:
    """Return the commands, each of which this machine can start."""
    commands = Commands(activate=_words(activate, "--activate"), health=_words(health, "--health"))
    if (fault := commands.fault()) is not None:
        raise typer.BadParameter(f"{fault}; nothing was fetched")
    return commands


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
    reported: list[JsonObject] = [
        {"stage": one.stage, "outcome": one.outcome.value, "detail": one.detail, "by": one.by}
        for one in done.reported
    ]
    trying: list[JsonObject] = [
        {"stage": one.stage, "fault": one.fault, "until": instant_text(one.until)} for one in done.trying
    ]
    if as_json:
        document: JsonObject = {"claim": done.claim, "state": done.state, "held": list(done.held)}
        print_json({**document, "reported": reported, "trying": trying})
        return
    for stage in done.held:
        say(f"{stage}: kept, because nothing is undone while a hold stands; undone once it is lifted")
    for one in done.trying:
        say(
            f"{one.stage}: {one.fault}; tried again from {instant_text(one.again_at)} on, until the window "
            f"to report it ends at {instant_text(one.until)}; --give-up reports it as failed"
        )
    for report in done.reported:
        whose = f"; {report.by} has reported this stage before, and nothing was sent" if report.by else ""
        outcome = report.outcome.value.replace("_", " ")
        print_line(f"{report.stage}: {outcome} ({quoted(report.detail)}){whose}")
    if not done.reported and not done.trying and not done.held:
        over, waiting = "nothing left to do", "nothing to do yet; see `tallystick claim explain`"
        say(f"claim {done.state}: {over if done.state in CLOSED else waiting}")
