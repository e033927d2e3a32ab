"""`tallystick deposit`: seal, sign and upload a deposit, and look at earlier ones."""

import tempfile
from pathlib import Path
from typing import Annotated

import typer

from tallystick.cli.opened import opened
from tallystick.cli.options import AgreementName, Api, Json, Key, Trusted, Yes
from tallystick.cli.output import print_result, print_table, say
from tallystick.cli.signing import asking
from tallystick.client.answers import member, number, objects, text
from tallystick.client.blobs import put_blob
from tallystick.crypto.envelope import new_nonce, unsigned
from tallystick.desk.clock import now
from tallystick.desk.depositing import (
    DepositChainBrokenError,
    Sealing,
    custody_epochs,
    deposit_chain,
    folders_of,
    left_out,
    read_deposit,
    wait_for_verdict,
)
from tallystick.desk.signing import signed_if_confirmed
from tallystick.domain.agreement.agreement import depositor
from tallystick.domain.codec import encode_object, instant
from tallystick.domain.errors import TallystickError
from tallystick.domain.json import JsonObject
from tallystick.domain.kinds import Kind
from tallystick.domain.refusals import NotYoursError
from tallystick.domain.statements.deposits import Deposit

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
    yes: Yes = False,
    trust: Trusted = None,
    as_json: Json = False,
) -> None:
    """Seal each component, sign the deposit, upload it, and wait until every copy is verified."""
    consistent_at = now() if watermark is None else instant(watermark)
    confirm = asking(
        yes=yes
    )  # refuses a build server, which has no terminal, before a large folder is sealed
    with opened(context, api, key) as desk, tempfile.TemporaryDirectory(prefix="tallystick-") as scratch:
        view = desk.agreement_view(agreement)
        signed = desk.checked_agreement(view, agreement, trusted=trust)
        person = desk.person_in(signed.agreement)
        if person.party != depositor(signed.agreement).id:  # refused before a large folder is sealed
            raise NotYoursError("only the depositor may deposit", person=person.id)
        folders = folders_of(folder, signed.agreement, component)
        for line in () if component else left_out(folder, signed.agreement, folders):
            say(line)
        chain = deposit_chain(desk, signed.agreement)
        sealing = Sealing(scratch=Path(scratch), agreement=signed.agreement, number=len(chain) + 1)
        epochs = custody_epochs(desk, view, signed.agreement, list(folders))
        sealed = [sealing.seal(name, path, epochs[name], now().date()) for name, path in folders.items()]
        body = Deposit(
            **signed.terms.header(person.id, now(), new_nonce()),
            number=sealing.number,
            watermark=consistent_at,
            components=tuple(sealed),
            previous=chain[-1][0] if chain else None,
        )
        said = unsigned(Kind.DEPOSIT, encode_object(body))
        envelope = signed_if_confirmed(said, desk.keys, confirm, agreement=signed.agreement)
        for entry in sealed:
            say(f"uploading {entry.component}: {entry.sealed_bytes} bytes, {entry.sealed_digest}")
            file = sealing.file(entry.component)
            put_blob(desk.client, file, entry.sealed_digest, agreement=signed.agreement.id, purpose="deposit")
        answer = desk.client.post_statement(f"/v1/agreements/{signed.agreement.id}/deposits", envelope)
        say(f"deposit {body.number} is on record; waiting until every copy has been read again")
        verdict = wait_for_verdict(desk, signed.agreement.id, body.number)
    document: JsonObject = {**answer, "verdict": verdict}
    _refuse_failed(verdict, body.number)
    print_result(document, [f"deposit {body.number}: verified"], as_json=as_json)


@app.command("list")
def list_(
    context: typer.Context, agreement: AgreementName, api: Api, key: Key, as_json: Json = False
) -> None:
    """List the deposits under an agreement."""
    with opened(context, api, key) as desk:
        answer = desk.client.get(f"/v1/agreements/{agreement}/deposits")
    rows = [
        (number(d, "number"), text(member(d, "verdict"), "state"), text(d, "accepted_at"), text(d, "deposit"))
        for d in objects(answer, "deposits")
    ]
    print_table(answer, ("number", "verdict", "accepted at", "digest"), rows, as_json=as_json)


@app.command()
def show(
    context: typer.Context, agreement: AgreementName, n: Number, api: Api, key: Key, *, as_json: Json = False
) -> None:
    """Verify the depositor's signature on a deposit, and show it."""
    with opened(context, api, key) as desk:
        signed = desk.agreement(agreement)
        view = desk.client.get(f"/v1/agreements/{agreement}/deposits/{n}")
    digest, body = read_deposit(view, signed.agreement)
    says = {name: value for name, value in encode_object(body).items() if name != "components"}
    document: JsonObject = {**view, "says": encode_object(body)}
    rows = [(c.component, c.files, c.payload_bytes, c.sealed_bytes, c.sealed_digest) for c in body.components]
    if not as_json:
        print_result(
            document, [f"digest     {digest}", *(f"{k:<10} {v}" for k, v in says.items())], as_json=False
        )
    columns = ("component", "files", "bytes", "sealed bytes", "sealed digest")
    print_table(document, columns, rows, as_json=as_json)


@app.command()
def verify(
    context: typer.Context, agreement: AgreementName, n: Number, api: Api, key: Key, *, as_json: Json = False
) -> None:
    """Verify a deposit's signature and the chain of deposits up to it, and show the verdict on its copies."""
    with opened(context, api, key) as desk:
        signed = desk.agreement(agreement)
        chain = deposit_chain(desk, signed.agreement)
        if not any(body.number == n for _, body in chain):
            raise DepositChainBrokenError(f"there is no deposit {n}", number=n, deposits=len(chain))
        verdict = member(desk.client.get(f"/v1/agreements/{agreement}/deposits/{n}"), "verdict")
    document: JsonObject = {"number": n, "deposit": chain[n - 1][0], "chain": n, "verdict": verdict}
    _refuse_failed(verdict, n)
    lines = [f"deposit {n}: signed by the depositor, {n} in the chain, verdict {text(verdict, 'state')}"]
    print_result(document, lines, as_json=as_json)


def _refuse_failed(verdict: JsonObject, n: int) -> None:
    if text(verdict, "state") == "failed":
        raise DepositFailedError(
            "the deposit failed its verification", number=n, because=str(verdict.get("because"))
        )
