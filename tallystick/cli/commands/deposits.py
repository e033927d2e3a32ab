"""`tallystick deposit`: seal, sign and upload a deposit, and look at earlier ones."""

from pathlib import Path
from typing import Annotated

import typer

from tallystick.cli.opened import opened
from tallystick.cli.options import AgreementName, Api, Json, Key, Trusted, Yes
from tallystick.cli.output import print_result, print_table, say, say_left_out, say_unverified
from tallystick.cli.signing import asking
from tallystick.client.answers import member, number, objects, text
from tallystick.client.route import route
from tallystick.desk.depositing import make_deposit
from tallystick.desk.deposits import (
    read_deposit,
    verified_chain,
    wait_for_verdict,
)
from tallystick.domain.codec import encode_object, instant
from tallystick.domain.errors import TallystickError
from tallystick.domain.ids import AgreementId
from tallystick.domain.json import JsonObject

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Make deposits, and look at earlier ones.")


Number = Annotated[int, typer.Argument(metavar="N", help="The deposit's number.", min=1)]


class DepositFailedError(TallystickError):
    """The escrow agent's stores do not have what was deposited."""

    code = "deposit-failed"
    why = "After the upload every copy was read again, and at least one did not have the signed digest."
    advice = "Deposit again; a failed deposit cannot be claimed."


@app.command()
def make(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A folder with one subfolder per component.")],
    agreement: Annotated[str, typer.Option(help="The agreement's id.")],
    api: Api,
    key: Key,
    *,
    component: Annotated[
        list[str] | None, typer.Option(help="Deposit only this component; repeatable.")
    ] = None,
    watermark: Annotated[
        str | None, typer.Option(help="The moment as of which the content is consistent; now if absent.")
    ] = None,
    scratch: Annotated[
        Path | None,
        typer.Option(
            help="The folder for sealed files until the deposit is on record; absent: one next to your key."
        ),
    ] = None,
    yes: Yes = False,
    trust: Trusted = None,
    as_json: Json = False,
) -> None:
    """Seal each component, sign the deposit, upload it, and wait until every copy is verified.

    Repeat it after a failure: what is sealed already is not sealed again, and only what is missing is sent.
    """
    consistent_at = None if watermark is None else instant(watermark)
    confirm = asking(yes=yes, own=True)
    with opened(context, api, key) as desk:
        n, answer = make_deposit(
            desk,
            folder,
            agreement,
            components=component,
            watermark=consistent_at,
            confirm=confirm,
            trusted=trust,
            scratch=scratch,
        )
        say(f"deposit {n} is on record; waiting until every copy has been read again")
        verdict = wait_for_verdict(desk, AgreementId(agreement), n)
    document: JsonObject = {**answer, "verdict": verdict}
    _refuse_failed(verdict, n)
    print_result(document, [f"deposit {n}: verified"], as_json=as_json)


@app.command("list")
def list_(
    context: typer.Context, agreement: AgreementName, api: Api, key: Key, as_json: Json = False
) -> None:
    """List the deposits under an agreement, as the server says; `deposit verify` verifies one."""
    with opened(context, api, key) as desk:
        answer = desk.client.get_pages(route("agreements", agreement, "deposits"), "deposits")
    rows = [
        (number(d, "number"), text(member(d, "verdict"), "state"), text(d, "accepted_at"), text(d, "deposit"))
        for d in objects(answer, "deposits")
    ]
    say_unverified("deposit verify AGREEMENT N", as_json=as_json)
    say_left_out(answer, as_json=as_json)
    print_table(answer, ("number", "verdict", "accepted at", "digest"), rows, as_json=as_json)


@app.command()
def show(
    context: typer.Context, agreement: AgreementName, n: Number, api: Api, key: Key, *, as_json: Json = False
) -> None:
    """Verify the depositor's signature on a deposit, and show it."""
    with opened(context, api, key) as desk:
        signed = desk.agreement(agreement)
        view = desk.client.get(route("agreements", agreement, "deposits", n))
    deposit = read_deposit(view, signed.agreement, asked=n)
    says = {name: value for name, value in encode_object(deposit.body).items() if name != "components"}
    document: JsonObject = {**view, "says": encode_object(deposit.body)}
    rows = [
        (c.component, c.files, c.payload_bytes, c.sealed_bytes, c.sealed_digest)
        for c in deposit.body.components
    ]
    if not as_json:
        print_result(
            document, [f"digest     {deposit.id}", *(f"{k:<10} {v}" for k, v in says.items())], as_json=False
        )
    columns = ("component", "files", "bytes", "sealed bytes", "sealed digest")
    print_table(document, columns, rows, as_json=as_json)


@app.command()
def verify(
    context: typer.Context, agreement: AgreementName, n: Number, api: Api, key: Key, *, as_json: Json = False
) -> None:
    """Verify a deposit's signature and the chain of all deposits, and show the verdict on its copies."""
    with opened(context, api, key) as desk:
        signed = desk.agreement(agreement)
        digest = verified_chain(desk, signed.agreement, n)
        verdict = member(desk.client.get(route("agreements", agreement, "deposits", n)), "verdict")
    document: JsonObject = {"number": n, "deposit": digest, "chain": n, "verdict": verdict}
    _refuse_failed(verdict, n)
    lines = [f"deposit {n}: signed by the depositor, {n} in the chain, verdict {text(verdict, 'state')}"]
    print_result(document, lines, as_json=as_json)


def _refuse_failed(verdict: JsonObject, n: int) -> None:
    if text(verdict, "state") == "failed":
        raise DepositFailedError(
            "the deposit failed its verification", number=n, because=str(verdict.get("because"))
        )
