"""`tallystick claim`: file a claim, and follow it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from tallystick.cli.commands.acts import add
from tallystick.cli.commands.documents import documents
from tallystick.cli.opened import opened
from tallystick.cli.options import Api, ClaimName, Json, Key, Trusted, Yes
from tallystick.cli.output import (
    print_json,
    print_line,
    print_result,
    print_table,
    say,
    say_left_out,
    say_unverified,
)
from tallystick.cli.signing import asking
from tallystick.client.answers import number, objects, text, texts
from tallystick.client.problems import UnreachableError, passes
from tallystick.client.route import route
from tallystick.desk.claim_form import read_claim_form
from tallystick.desk.claims import case_lines, open_claim
from tallystick.desk.clock import now
from tallystick.desk.desk import Desk
from tallystick.desk.documents.sealing import send_again
from tallystick.desk.filing import file_claim
from tallystick.domain.acts.all import OF_CLAIM
from tallystick.domain.agreement.deadlines import CalendarExhaustedError
from tallystick.domain.claim.state import CLOSED, ClaimState
from tallystick.domain.codec import encode_object, instant_text
from tallystick.domain.errors import TallystickError
from tallystick.domain.ids import person_id
from tallystick.domain.inbox.deadlines import NamedDeadline, known_deadlines
from tallystick.domain.json import JsonObject

app = typer.Typer(no_args_is_help=True, add_completion=False, help="File a claim, and follow it.")

app.command()(documents)

_LOOK_SECONDS = 2.0


@app.command("file")
def file_(
    context: typer.Context,
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="The claim as YAML; put the evidence files next to it.")
    ],
    api: Api,
    key: Key,
    *,
    for_: Annotated[
        str | None,
        typer.Option("--for", metavar="PARTY", help="The beneficiary for whom the escrow agent files."),
    ] = None,
    yes: Yes = False,
    trust: Trusted = None,
    as_json: Json = False,
) -> None:
    """Seal the evidence, sign the claim, and file both."""
    form, confirm = read_claim_form(file, for_=for_), asking(yes=yes, own=True)
    with opened(context, api, key) as desk:
        answer = file_claim(desk, form, confirm=confirm, at=now(), trusted=trust)
    print_result(answer, [f"filed {text(answer, 'claim')}"], as_json=as_json)


class DocumentsNotKeptError(TallystickError):
    """Documents of a claim whose sealed files are not next to the key."""

    code = "documents-not-kept"
    why = "Only the very file that was sealed for the statement can take the place of a lost document."
    advice = "Repeat the command with the key that signed the statement, on its machine, or with its backup."


@app.command()
def resend(
    context: typer.Context,
    claim: ClaimName,
    api: Api,
    key: Key,
    *,
    trust: Trusted = None,
    as_json: Json = False,
) -> None:
    """Send the documents that you brought to a claim, if the stores do not have one, or lost it."""
    with opened(context, api, key) as desk:
        sent = send_again(desk, open_claim(desk, claim, at=now(), trusted=trust))
    missing = [item for item, there in sent if not there]
    if missing:
        raise DocumentsNotKeptError(f"not kept next to {key}: {', '.join(missing)}", missing=missing)
    print_result(
        {"claim": claim, "documents": [item for item, _ in sent]},
        [f"in the stores: {item}" for item, _ in sent],
        as_json=as_json,
    )


@app.command()
def show(
    context: typer.Context,
    claim: ClaimName,
    api: Api,
    key: Key,
    *,
    trust: Trusted = None,
    as_json: Json = False,
) -> None:
    """Show a claim as its signed record makes it, verified here.

    `--json` verifies the record too, but prints the server's own account of the claim.
    """
    at = now()
    with opened(context, api, key) as desk:
        case = open_claim(desk, claim, at=at, trusted=trust)
        view: JsonObject = desk.client.get(route("claims", case.claim.digest)) if as_json else {}
    print_result(view, case_lines(case, at), as_json=as_json)


@app.command("list")
def list_(
    context: typer.Context,
    api: Api,
    key: Key,
    *,
    state: Annotated[
        ClaimState | None, typer.Option(case_sensitive=False, help="Only claims in this state.")
    ] = None,
    waiting_for: Annotated[
        str | None, typer.Option(help="Only claims that are waiting for this person.")
    ] = None,
    as_json: Json = False,
) -> None:
    """List the claims that you may see, as the server says; `claim show` verifies one."""
    person = None if waiting_for is None else person_id(waiting_for)
    with opened(context, api, key) as desk:
        answer = desk.client.get_pages(route("claims"), "claims", state=state, waiting_for=person)
    _say_unverified(as_json=as_json)
    say_left_out(answer, as_json=as_json)
    members = ("claim", "state", "agreement", "condition", "filed_by", "filed_at")
    rows = [[text(claim, name) for name in members] for claim in objects(answer, "claims")]
    print_table(answer, [name.replace("_", " ") for name in members], rows, as_json=as_json)


@app.command()
def watch(context: typer.Context, claim: ClaimName, api: Api, key: Key, *, as_json: Json = False) -> None:
    """Follow a claim, as the server tells it, one line per entry, until it ends or you press Ctrl-C."""
    with opened(context, api, key) as desk:
        _say_unverified(as_json=as_json)
        _Watch(desk=desk, claim=claim, as_json=as_json).follow()


@app.command()
def explain(context: typer.Context, claim: ClaimName, api: Api, key: Key, *, as_json: Json = False) -> None:
    """Show what a claim waits for, and which conditions of the next release are met, as the server says."""
    with opened(context, api, key) as desk:
        answer = desk.client.get(route("claims", claim, "explain"))
    _say_unverified(as_json=as_json)
    marks = [
        f"{'✓' if p.get('holds') else '✗'} {text(p, 'premise')}: {text(p, 'found')}"
        for p in objects(answer, "premises")
    ]
    print_result(answer, [*texts(answer, "lines"), *marks], as_json=as_json)


@app.command()
def deadlines(
    context: typer.Context,
    claim: ClaimName,
    api: Api,
    key: Key,
    *,
    trust: Trusted = None,
    as_json: Json = False,
) -> None:
    """Show until when what may be done, and which days were counted, from the record as verified here."""
    at = now()
    with opened(context, api, key) as desk:
        case = open_claim(desk, claim, at=at, trusted=trust)
    known, beyond = known_deadlines(case.agreement, case.claim, at)
    document: JsonObject = {
        "beyond_calendars": [error.message for error in beyond],
        "deadlines": [encode_object(one) for one in known],
    }
    print_result(document, _deadline_lines(known, beyond), as_json=as_json)


def _deadline_lines(
    known: Sequence[NamedDeadline], beyond: Sequence[CalendarExhaustedError]
) -> Iterator[str]:
    for one in known:
        yield f"{instant_text(one.at)}  {one.words}"
        yield from (f"    {line}" for line in one.explanation)
    yield from (f"cannot be computed: {error.message}" for error in beyond)
    if not known and not beyond:
        yield "no deadline runs"


@app.command()
def timeline(context: typer.Context, claim: ClaimName, api: Api, key: Key, *, as_json: Json = False) -> None:
    """List a claim's entries in the ledger, as the server says; `claim show` verifies them."""
    with opened(context, api, key) as desk:
        answer = desk.client.get_pages(route("claims", claim, "timeline"), "entries")
    _say_unverified(as_json=as_json)
    members = ("accepted_at", "event", "person", "statement")
    rows = [[text(entry, name) for name in members] for entry in objects(answer, "entries")]
    print_table(answer, ("accepted at", "event", "person", "statement"), rows, as_json=as_json)


@app.command()
def inbox(context: typer.Context, api: Api, key: Key, *, as_json: Json = False) -> None:
    """List what is waiting for you, as the server says; `claim show` verifies a claim."""
    with opened(context, api, key) as desk:
        answer = desk.client.get_pages(route("inbox"), "items")
    _say_unverified(as_json=as_json)
    say_left_out(answer, as_json=as_json)
    # Each page has its own order. Moments are spelt so that they sort as text; what has no end comes last.
    urgent = sorted(objects(answer, "items"), key=lambda i: (i.get("until") is None, str(i.get("until"))))
    rows = [[text(i, "claim"), text(i, "what"), i.get("until"), text(i, "why")] for i in urgent]
    print_table(answer, ("claim", "what", "until", "why"), rows, as_json=as_json)


def _say_unverified(*, as_json: bool) -> None:
    say_unverified("claim show CLAIM", as_json=as_json)


@dataclass(slots=True, kw_only=True)
class _Watch:
    """What has been printed of a claim: after an outage the next look continues from there.

    Attributes:
        seen: The index of the last entry that was printed.
        told: How many entries of the record were printed: the next look asks for those that come after.
    """

    desk: Desk
    claim: str
    as_json: bool
    seen: int = -1
    told: int = 0

    def follow(self) -> None:
        """Print each entry as it is recorded, until the claim is over; tell an outage once, and wait."""
        silent = False
        while True:
            try:
                if self._look():
                    return
                self._wait()
                silent = False
            except TallystickError as error:
                if not passes(error):
                    raise
                if not silent:
                    say(f"{error.message}; trying again until the server answers")
                silent = True
                self.desk.client.pause(_LOOK_SECONDS)

    def _look(self) -> bool:
        """Print the new entries; return whether the claim is over."""
        client, cursor = self.desk.client, str(self.told) if self.told else None
        timeline = route("claims", self.claim, "timeline")
        for entry in objects(client.get_pages(timeline, "entries", cursor=cursor), "entries"):
            if (index := number(entry, "index")) > self.seen:
                self._tell(entry)
                self.seen = index
            self.told += 1
        return text(client.get(route("claims", self.claim)), "state") in CLOSED

    def _wait(self) -> None:
        """Return at the next event, or after a pause if a proxy holds events back."""
        try:
            for _ in self.desk.client.events(route("claims", self.claim, "events"), after=self.seen):
                return
        except UnreachableError:
            pass
        self.desk.client.pause(_LOOK_SECONDS)

    def _tell(self, entry: JsonObject) -> None:
        if self.as_json:
            print_json(entry)
        else:
            print_line(f"{text(entry, 'accepted_at')}  {text(entry, 'event')}  {text(entry, 'person')}")


for _act in OF_CLAIM:
    add(_act, app)
