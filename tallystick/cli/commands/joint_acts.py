"""What several persons say together, in one envelope that goes from one signer to the next.

The first signs with `--out FILE`; each next one adds a signature with `--cosign FILE`,
and hands it on with `--out` or sends it; `--send FILE` sends it as it is.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from tallystick.cli.opened import opened
from tallystick.cli.options import Api, ClaimName, Json, Key, Trusted, Yes
from tallystick.cli.signing import Manner, send, state, state_together
from tallystick.client.answers import member, objects, text
from tallystick.desk.claims import Case, open_case
from tallystick.desk.desk import Desk
from tallystick.desk.files import FileUnusableError
from tallystick.domain.drafts.drafts import Choices
from tallystick.domain.ids import Digest, digest
from tallystick.domain.kinds import Authority, Kind, Outcome
from tallystick.domain.refusals import NothingToRetractError
from tallystick.domain.statements.orders import RulingDocument

app = typer.Typer(add_completion=False)

Out = Annotated[Path | None, typer.Option("--out", help="Hand the envelope on in this file, unsent.")]
Cosign = Annotated[Path | None, typer.Option("--cosign", help="Add your signature to this envelope.")]
Send = Annotated[Path | None, typer.Option("--send", help="Send this envelope as it is.")]
Reason = Annotated[str | None, typer.Option(help="Why, in words that go on record.")]
OutcomeWord = Annotated[Outcome | None, typer.Option(help="What is ordered.")]

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Passing:
    """Where an envelope comes from, and where it goes."""

    manner: Manner
    send: Path | None


@app.command()
def rule(
    context: typer.Context,
    claim: ClaimName,
    api: Api,
    key: Key,
    *,
    authority: Annotated[Authority | None, typer.Option(help="On whose word it stands.")] = None,
    outcome: OutcomeWord = None,
    document: Annotated[
        list[str] | None,
        typer.Option(
            help="NAME=FILE: award, order or finality_certificate; repeatable. Only its digest goes."
        ),
    ] = None,
    reason: Reason = None,
    out: Out = None,
    cosign: Cosign = None,
    send: Send = None,
    yes: Yes = False,
    trust: Trusted = None,
    as_json: Json = False,
) -> None:
    """Record what the arbitrator decided, or a court finally ordered."""

    def ruling(_: Desk, __: Case) -> Choices:
        return Choices(
            authority=_needed(authority, "--authority"),
            outcome=_needed(outcome, "--outcome"),
            documents=tuple(_document(given) for given in document or ()),
            reason=_needed(reason, "--reason"),
        )

    passing = Passing(manner=Manner(yes=yes, as_json=as_json, out=out, cosign=cosign), send=send)
    with opened(context, api, key) as desk:
        _together(desk, open_case(desk, claim, trusted=trust), Kind.RULING, ruling, passing)


@app.command()
def instruct(
    context: typer.Context,
    claim: ClaimName,
    api: Api,
    key: Key,
    *,
    outcome: OutcomeWord = None,
    reason: Reason = None,
    out: Out = None,
    cosign: Cosign = None,
    send: Send = None,
    yes: Yes = False,
    trust: Trusted = None,
    as_json: Json = False,
) -> None:
    """Instruct the escrow agent together: depositor and beneficiary in one statement."""

    def instruction(_: Desk, __: Case) -> Choices:
        return Choices(outcome=_needed(outcome, "--outcome"), reason=_needed(reason, "--reason"))

    passing = Passing(manner=Manner(yes=yes, as_json=as_json, out=out, cosign=cosign), send=send)
    with opened(context, api, key) as desk:
        _together(desk, open_case(desk, claim, trusted=trust), Kind.JOINT_INSTRUCTION, instruction, passing)


@app.command()
def lift(
    context: typer.Context,
    claim: ClaimName,
    api: Api,
    key: Key,
    *,
    hold: Annotated[
        str | None, typer.Option(help="The hold's digest; the only one that stands if absent.")
    ] = None,
    reason: Reason = None,
    out: Out = None,
    cosign: Cosign = None,
    send: Send = None,
    yes: Yes = False,
    trust: Trusted = None,
    as_json: Json = False,
) -> None:
    """Lift a hold together."""

    def lifting(desk: Desk, case: Case) -> Choices:
        standing = _only_hold(desk, case) if hold is None else digest(hold)
        return Choices(of=standing, reason=_needed(reason, "--reason"))

    passing = Passing(manner=Manner(yes=yes, as_json=as_json, out=out, cosign=cosign), send=send)
    with opened(context, api, key) as desk:
        _together(desk, open_case(desk, claim, trusted=trust), Kind.HOLD_LIFT, lifting, passing)


def _together(
    desk: Desk, case: Case, kind: Kind, new: Callable[[Desk, Case], Choices], passing: Passing
) -> None:
    if passing.send is not None:
        send(desk, case, kind, passing.send, passing.manner)
    elif passing.manner.cosign is not None:
        state_together(desk, case, kind, passing.manner.cosign, passing.manner)
    else:
        state(desk, case, kind, new(desk, case), passing.manner)


def _needed(value: _T | None, option: str) -> _T:
    if value is None:
        raise typer.BadParameter(f"{option} is needed, unless you --cosign or --send")
    return value


def _document(given: str) -> RulingDocument:
    word, equals, file = given.partition("=")
    if not equals or not word.replace("_", "").isalnum():
        raise typer.BadParameter("--document is NAME=FILE")
    try:
        with Path(file).open("rb") as source:
            found = hashlib.file_digest(source, "sha256").hexdigest()
    except OSError as error:
        raise FileUnusableError("not read", file=Path(file).name, reason=error.strerror) from error
    return RulingDocument(document=word, plain_digest=Digest(f"sha256:{found}"))


def _only_hold(desk: Desk, case: Case) -> Digest:
    """Return the one hold that stands, as the record tells it; the signer sees its digest."""
    entries = objects(desk.client.get(f"/v1/claims/{case.digest}/timeline"), "entries")
    lifted = {text(member(e, "says"), "hold") for e in entries if text(e, "kind") == Kind.HOLD_LIFT}
    holds = [text(e, "statement") for e in entries if text(e, "kind") == Kind.HOLD]
    standing = [found for found in holds if found not in lifted]
    if len(standing) != 1:
        raise NothingToRetractError("not one hold stands: name it with --hold", standing=standing)
    return digest(standing[0])
