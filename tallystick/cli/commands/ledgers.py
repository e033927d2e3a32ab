"""`tallystick ledger`: verify that an agreement's log is complete, and has only grown.

1. The deployment's log key signed the checkpoint, for this agreement's log.
2. All entries that the server shows, each hashed here as its leaf, make the checkpoint's root (RFC 6962). So
   each of them is in the log, and none is missing.
3. The log begins with the log that was verified before, which the trust file next to the key remembers, and
   with the log that each checkpoint of another person commits to.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from tallystick.cli.opened import opened, trust_file
from tallystick.cli.options import AgreementName, Api, Json, Key, Trusted
from tallystick.cli.output import print_json, print_line, print_result, say
from tallystick.cli.signing import NobodyToAskError
from tallystick.client.answers import number
from tallystick.crypto.log.merkle import Frontier
from tallystick.crypto.log.note import Checkpoint, open_checkpoint, origin_of
from tallystick.desk.clock import now
from tallystick.desk.desk import Desk
from tallystick.desk.files import naming, read_envelope, read_file
from tallystick.desk.kept.pins import PinnedLog, changing_pins, read_pins
from tallystick.desk.logs.difference import LogDifference, accept, compare
from tallystick.desk.logs.reading import LedgerInconsistentError, LogRead, read_log
from tallystick.domain.agreement.agreement import Agreement
from tallystick.domain.amounts import counted
from tallystick.domain.comparison_words import in_words
from tallystick.domain.errors import TallystickError
from tallystick.domain.ids import as_digest, digest, name
from tallystick.domain.json import JsonObject
from tallystick.limits.logs import CONTRADICTION_SIZE_BYTES_MAX, NOTE_SIZE_BYTES_MAX
from tallystick.proof.contradiction import contradiction, read_contradiction
from tallystick.proof.reading import read_agreement

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="Verify an agreement's ledger, and compare checkpoints."
)


class LogNotVerifiedError(TallystickError):
    """A checkpoint is asked for of a log that was never verified with this key."""

    code = "log-not-verified"
    why = "Only a log that was verified with this key has a checkpoint next to it."
    advice = "Run `tallystick ledger verify` for this agreement first."


class AnotherRootError(TallystickError):
    """The log has another root than the one that was to be accepted."""

    code = "another-root"
    why = "What the server shows is not the log that you were told of, or it has grown since."
    advice = "Ask the operators for the newest checkpoint, and compare its root with what the server shows."


@app.callback()
def _ledger() -> None:
    """Verify an agreement's ledger, and compare checkpoints."""


@app.command()
def verify(
    context: typer.Context,
    agreement: AgreementName,
    api: Api,
    key: Key,
    *,
    against: Annotated[
        list[Path] | None,
        typer.Option(help="Another person's checkpoint, which the log must continue, too; may be repeated."),
    ] = None,
    trust: Trusted = None,
    as_json: Json = False,
) -> None:
    """Verify that the log is complete up to its newest checkpoint, and continues what you verified before.

    It reads every entry of the log, one page at a time: a long log takes a while.
    """
    with opened(context, api, key) as desk:
        document = _verified(desk, desk.agreement(agreement, trusted=trust).agreement, against or ())
    before = number(document, "seen_before")
    lines = [
        f"{counted(number(document, 'size'), 'entry', 'entries')}, each proven to be in the log",
        f"root  {document['root']}",
        f"the log begins with what was verified before: {counted(before, 'entry', 'entries')}"
        if before
        else "first verification with this key: there is nothing older to compare with",
        *(f"the log begins with what {file} commits to" for file in against or ()),
    ]
    print_result(document, lines, as_json=as_json)


@app.command(name="checkpoint")
def checkpoint(agreement: AgreementName, key: Key, as_json: Json = False) -> None:
    """Print the signed checkpoint that you verified last, for another person's `ledger verify --against`."""
    log = read_pins(trust_file(key)).logs.get(name(agreement))
    if log is None:
        raise LogNotVerifiedError(f"no log of {agreement} was verified with this key", agreement=agreement)
    if as_json:
        root = as_digest(log.tree.root())
        print_json({"agreement": agreement, "note": log.note, "root": root, "size": log.size})
    else:
        typer.echo(log.note, nl=False)


@app.command(name="accept")
def accept_(
    context: typer.Context,
    agreement: AgreementName,
    api: Api,
    key: Key,
    *,
    root: Annotated[
        str | None,
        typer.Option(help="The root of the log's newest checkpoint, as the operators told you: sha256:…"),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Accept without asking; needs --root.")] = False,
    trust: Trusted = None,
    as_json: Json = False,
) -> None:
    """Believe a log that does not continue what you verified, such as one put back from a backup."""
    if yes and root is None:
        raise typer.BadParameter("--yes needs --root: accept without asking only what you were told of.")
    with opened(context, api, key) as desk:
        difference = compare(desk, desk.agreement(agreement, trusted=trust).agreement)
        _check_root(difference, root)
        _confirm(difference, yes=yes)
        proof = accept(desk, difference, now())
    document = {**difference.told(), "proof": None if proof is None else str(proof)}
    print_result(document, _accepted(proof), as_json=as_json)


@app.command(name="contradiction")
def contradiction_(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What `ledger accept` has written.")],
    agreement: Annotated[Path, typer.Option(help="The signed agreement, which lists the log key.")],
) -> None:
    """Prove from two signed checkpoints that the log key contradicted itself; no server is asked."""
    signed = read_agreement(read_envelope(agreement))
    content = read_file(file, size_bytes_max=CONTRADICTION_SIZE_BYTES_MAX)
    with naming(file):
        sentences = contradiction(read_contradiction(content), signed.agreement)
    print_line(f"agreement   {signed.terms.digest}")
    print_line(f"words       {in_words(signed.terms.digest)}")
    for sentence in sentences:
        print_line(sentence)


def _verified(desk: Desk, agreement: Agreement, against: Sequence[Path]) -> JsonObject:
    before = read_pins(desk.trust_file).logs.get(agreement.id)
    tree = Frontier() if before is None else before.tree
    others = {file: _other(file, agreement) for file in against}
    log = read_log(desk, agreement, sizes={tree.size, *(other.size for other in others.values())})
    if not log.begins_with(tree):
        raise LedgerInconsistentError(
            "the log no longer begins with what was verified before",
            size=log.tree.size,
            seen_before=tree.size,
        )
    _check_others(log, others)
    _remember(desk, agreement, before, log.pinned(now()))
    return {
        "agreement": agreement.id,
        "size": log.tree.size,
        "root": as_digest(log.tree.root()),
        "seen_before": tree.size,
    }


def _other(file: Path, agreement: Agreement) -> Checkpoint:
    note = read_file(file, size_bytes_max=NOTE_SIZE_BYTES_MAX)
    with naming(file):
        return open_checkpoint(
            note,
            origin=origin_of(agreement.deployment, agreement.id),
            public_key=agreement.engine.log_key,
        )


def _check_others(log: LogRead, others: dict[Path, Checkpoint]) -> None:
    for file, other in others.items():
        then = log.at.get(other.size)
        if then is None or then.root() != other.root:
            raise LedgerInconsistentError(
                f"the log does not begin with what {file} commits to: you are shown different logs",
                size=log.tree.size,
                other_size=other.size,
                other_root=as_digest(other.root),
            )


def _remember(desk: Desk, agreement: Agreement, before: PinnedLog | None, seen: PinnedLog) -> None:
    """Note how far the log was verified, unless another command has done so meanwhile."""
    with changing_pins(desk.trust_file) as pins:
        if pins.pins.logs.get(agreement.id) == before:
            pins.pin_log(agreement.id, seen)


def _check_root(difference: LogDifference, told: str | None) -> None:
    if told is not None and digest(told) != difference.root:
        raise AnotherRootError("the log has another root", told=told, found=difference.root)


def _confirm(difference: LogDifference, *, yes: bool) -> None:
    """Show what differs; go on only if the person types the agreement's name, or has named the root."""
    if difference.extends:
        say("the log continues what you verified: there is nothing to accept")
        return
    for line in difference.lines():
        say(line)
    say("Ask the operators and the other parties first: an attacker's log looks just the same.")
    if not yes and not sys.stdin.isatty():
        raise NobodyToAskError("no terminal to ask at")
    question = f"To believe this log from now on, type {difference.agreement}"
    if not yes and typer.prompt(question, err=True) != difference.agreement:
        raise typer.Abort


def _accepted(proof: Path | None) -> list[str]:
    if proof is None:
        return ["the log was verified and is remembered"]
    return ["this log is believed from now on", f"both signed checkpoints are kept in {proof}"]
